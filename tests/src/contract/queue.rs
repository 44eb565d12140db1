//! The dispatch queue on the embedded SQS.

use super::embedded;
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use ryla_domain::time::Ms;
use ryla_testing::contract;
use ryla_testing::contract::queue::Inbox;

struct Receiver {
    sqs: Client,
    url: String,
}

#[async_trait]
impl Inbox for Receiver {
    async fn take(&self) -> Vec<String> {
        let receive = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10);
        let received = receive.send().await.unwrap();
        let mut bodies = Vec::new();
        for message in received.messages() {
            let delete = self.sqs.delete_message().queue_url(&self.url);
            delete
                .receipt_handle(message.receipt_handle().unwrap())
                .send()
                .await
                .unwrap();
            bodies.push(message.body().unwrap().to_owned());
        }
        bodies
    }

    async fn pass(&self, length: Ms) {
        tokio::time::sleep(length.duration()).await;
    }
}

#[tokio::test]
async fn the_queue_keeps_its_contract() {
    let embedded = embedded().await;
    let receiver = Receiver {
        sqs: embedded.aws().sqs().clone(),
        url: embedded.queue_url(),
    };
    contract::queue::all(&embedded.aws().queue(embedded.queue_url()), &receiver).await;
    drop(receiver);
    embedded.stop().await;
}
