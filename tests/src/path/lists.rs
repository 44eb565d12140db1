//! Lists by account, and accounts that know nothing of each other.

use crate::app::{TestApp, options};
use reqwest::Method;
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<String> {
    let results = page["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| result["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pages_lead_from_the_newest_to_the_oldest_and_back_again() {
    let app = TestApp::start(options()).await;
    let alice = app.alice();
    let mut made = Vec::new();
    for n in 0..5 {
        made.insert(0, alice.small(&format!("a bird, number {n}")).await);
    }
    let foreign = app.bob().small("a boat").await;

    let mut pages = Vec::new();
    let mut next = json!(format!("{}/v1/predictions?page_size=2", app.url()));
    while let Some(url) = next.as_str() {
        assert!(url.starts_with(app.url()), "links are absolute: {url}");
        let page = alice.get(url).await.expect(200);
        next = page["next"].clone();
        pages.push(page);
    }
    let sizes: Vec<usize> = pages.iter().map(|page| ids(page).len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), made);
    assert_eq!(pages[0]["previous"], Value::Null);
    let back = alice
        .get(pages[2]["previous"].as_str().unwrap())
        .await
        .expect(200);
    assert_eq!(ids(&back), ids(&pages[1]));

    let whole = alice.get("/v1/predictions").await.expect(200);
    assert_eq!(ids(&whole), made);
    assert_eq!(
        (&whole["next"], &whole["previous"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        ids(&app.bob().get("/v1/predictions").await.expect(200)),
        [foreign]
    );

    // A mark of alice's leads bob through his own jobs, since it does not say whose it is.
    let stolen = app
        .bob()
        .get(pages[0]["next"].as_str().unwrap())
        .await
        .expect(200);
    assert!(ids(&stolen).iter().all(|id| !made.contains(id)), "{stolen}");
    for forged in ["x", "eyJ2IjoxfQ", ""] {
        let reply = alice.get(&format!("/v1/predictions?cursor={forged}")).await;
        assert_eq!(reply.status, 422, "cursor {forged:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn another_accounts_job_cannot_be_told_from_one_that_does_not_exist() {
    let app = TestApp::start(options()).await;
    let id = app.alice().small("a secret garden").await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let missing = "a".repeat(26);
    for (method, path) in [
        (Method::GET, "/v1/predictions/{id}"),
        (Method::POST, "/v1/predictions/{id}/cancel"),
        (Method::POST, "/v1/predictions/{id}/retry"),
        (Method::DELETE, "/v1/predictions/{id}"),
    ] {
        let mut replies = Vec::new();
        for id in [&id, &missing] {
            let request = app.bob().request(method.clone(), &path.replace("{id}", id));
            let reply = app.bob().send(request.header("traceparent", trace)).await;
            assert_eq!(reply.status, 404, "{method} {path}");
            let mut names: Vec<_> = reply
                .headers
                .into_iter()
                .filter(|(name, _)| name.as_ref().is_none_or(|name| name != "date"))
                .collect();
            names.sort_by_key(|(name, _)| name.as_ref().map(ToString::to_string));
            replies.push((reply.bytes, names));
        }
        assert_eq!(replies[0], replies[1], "{method} {path}");
    }
    // Under the same id bob gets a job of his own, and alice's stays as it is.
    let put = app
        .bob()
        .request(Method::PUT, &format!("/v1/predictions/{id}"));
    let put =
        put.json(&json!({ "version": "ryla/flux-dev", "input": crate::app::small("a mine") }));
    let his = app.bob().send(put).await.expect(201);
    assert_eq!(his["id"], json!(id));
    let hers = app.alice().ended(&id).await;
    assert_eq!(hers["input"]["prompt"], "a secret garden");
    app.finish().await;
}

#[tokio::test]
async fn a_request_without_a_known_key_is_refused() {
    let app = TestApp::start(options()).await;
    let url = format!("{}/v1/predictions", app.url());
    assert_eq!(app.anonymous(&url).await.status, 401);
    let health = app.anonymous(&format!("{}/v1/health", app.url())).await;
    assert_eq!(health.status, 200, "health needs no key");
    let key = app.alice().api_key();
    for (authorization, status) in [
        (format!("Bearer {key}"), 200),
        (format!("Token {key}"), 200),
        (format!("Basic {key}"), 401),
        (format!("Bearer {key}x"), 401),
        ("Bearer".to_owned(), 401),
    ] {
        let request = app
            .request()
            .get(&url)
            .header("authorization", &authorization);
        let reply = app.alice().send(request).await;
        assert_eq!(reply.status, status, "{authorization}");
    }
    app.finish().await;
}
