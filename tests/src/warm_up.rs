//! What a function does while Lambda starts it: one throw-away signed call per service that it will
//! use, so that the first request pays for no connection. All of
//! its clients share their connections.

use crate::architecture::{members, read};
use ryla_aws::{Aws, Endpoint, Endpoints, WarmUp};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A service that refuses everything; the heads of the requests come out of the channel.
async fn a_service() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let heads = heads.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 64 * 1024];
                let length = socket.read(&mut request).await.unwrap();
                let head = String::from_utf8_lossy(&request[..length]).into_owned();
                heads.send(head).unwrap();
                let refusal =
                    b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                socket.write_all(refusal).await.unwrap();
            });
        }
    });
    (url, received)
}

#[tokio::test]
async fn each_service_is_greeted_once_with_a_signed_call_whatever_it_answers() {
    let (dynamodb, mut of_dynamodb) = a_service().await;
    let (s3, mut of_s3) = a_service().await;
    let (sqs, mut of_sqs) = a_service().await;
    let aws = Aws::at(&Endpoints {
        region: "eu-central-1".to_owned(),
        access_key_id: "key".to_owned(),
        secret_access_key: "secret".to_owned(),
        dynamodb: Endpoint::at(dynamodb),
        s3: Endpoint::at(s3),
        sqs: Endpoint::at(&sqs),
    });
    let queue = format!("{sqs}/000000000000/queue");
    aws.warm_up(WarmUp {
        table: Some("table"),
        bucket: Some("bucket"),
        queue_url: Some(&queue),
    })
    .await;
    for (service, heads) in [
        ("dynamodb", &mut of_dynamodb),
        ("s3", &mut of_s3),
        ("sqs", &mut of_sqs),
    ] {
        let head = heads.try_recv().unwrap_or_default().to_ascii_lowercase();
        assert!(head.contains("aws4-hmac-sha256"), "{service}: {head}");
        assert!(heads.try_recv().is_err(), "{service} is called once");
    }
    assert_eq!(aws.capacity().total().requests, 0, "nothing is counted");
}

/// A service that refuses everything on connections that stay open; counts them and the requests.
async fn a_service_that_counts() -> (String, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let counted = (Arc::clone(&connections), Arc::clone(&requests));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.0.fetch_add(1, Ordering::SeqCst);
            let requests = Arc::clone(&counted.1);
            tokio::spawn(refuse_all(BufReader::new(socket), requests));
        }
    });
    (url, connections, requests)
}

async fn refuse_all(mut socket: BufReader<TcpStream>, requests: Arc<AtomicUsize>) {
    loop {
        let (mut line, mut body) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if socket.read_line(&mut line).await.unwrap() == 0 {
                return;
            }
            if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                body = length.trim().parse().unwrap();
            }
        }
        socket.read_exact(&mut vec![0; body]).await.unwrap();
        requests.fetch_add(1, Ordering::SeqCst);
        let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(refusal).await.unwrap();
    }
}

#[tokio::test]
async fn the_clients_of_all_services_share_one_pool_of_connections() {
    let (url, connections, requests) = a_service_that_counts().await;
    let aws = Aws::at(&Endpoints {
        region: "eu-central-1".to_owned(),
        access_key_id: "key".to_owned(),
        secret_access_key: "secret".to_owned(),
        dynamodb: Endpoint::at(&url),
        s3: Endpoint::at(&url),
        sqs: Endpoint::at(&url),
    });
    for _ in 0..2 {
        aws.dynamodb().list_tables().send().await.unwrap_err();
        aws.s3().list_buckets().send().await.unwrap_err();
        aws.sqs().list_queues().send().await.unwrap_err();
    }
    assert_eq!(requests.load(Ordering::SeqCst), 6, "nothing is retried");
    assert_eq!(
        connections.load(Ordering::SeqCst),
        1,
        "what one client opened the next one uses"
    );
}

#[test]
fn every_function_warms_up_before_it_takes_its_first_event() {
    let functions = members()
        .into_iter()
        .filter(|folder| folder.starts_with("functions/"));
    for folder in functions {
        let main = read(format!("{folder}/src/main.rs"));
        let place = |text: &str| main.find(text).unwrap_or(usize::MAX);
        let runs = place("lambda_runtime::run").min(place("lambda::serve"));
        assert!(place("aws.warm_up(") < runs, "{folder}");
        assert_eq!(
            main.matches("Aws::from_env(").count(),
            1,
            "{folder}: one set of clients"
        );
    }
}
