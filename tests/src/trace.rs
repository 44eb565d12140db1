//! One id leads through every part of the system, and the log never says what must stay secret.

use crate::app::{TestApp, options, small};
use ryla_domain::time::Ms;
use ryla_engine::log;
use ryla_local::{Options, PreviewOptions};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// What the system would have written to its log; a test's runtime has one thread, and so has its log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Everything that this thread logs from now on, as the real log writes it.
    fn capture(level: &str) -> (Self, DefaultGuard) {
        let lines = Self::default();
        let guard = tracing::subscriber::set_default(log::lines(level, lines.clone()));
        (lines, guard)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn events(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn one_id_leads_from_the_request_through_dispatch_worker_callback_and_sweep() {
    let (lines, _guard) = Lines::capture("info");
    // Each attempt fails, and the sweep begins the next one.
    let preview = PreviewOptions {
        fail: 1.0,
        run: Ms(50),
        ..PreviewOptions::default()
    };
    let app = TestApp::start(Options {
        preview,
        ..options()
    })
    .await;
    let creation = app.alice().creation(&small("a thread to follow"));
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let reply = app
        .alice()
        .send(creation.header("traceparent", traceparent))
        .await;
    assert_eq!(reply.header("x-request-id"), Some(TRACE));
    let created = reply.expect(201);
    assert_eq!(created["metrics"]["trace_id"], TRACE);
    let id = created["id"].as_str().unwrap();
    // Another job, whose lines must not be taken for the first one's.
    let other = app.bob().small("another thread").await;
    app.bob().ended(&other).await;
    let ended = app.alice().ended(id).await;
    assert_eq!(
        (&ended["status"], &ended["metrics"]["trace_id"]),
        (&json!("failed"), &json!(TRACE))
    );

    let events: Vec<Value> = lines
        .events()
        .into_iter()
        .filter(|event| event["trace_id"] == TRACE)
        .collect();
    let run = |attempt: u8| json!(format!("alice.{id}.{attempt}"));
    let count = |wanted: &[(&str, Value)]| {
        let fits = |event: &&Value| wanted.iter().all(|(name, value)| event[name] == *value);
        events.iter().filter(fits).count()
    };
    let state = |to: &str, attempt| {
        [
            ("event", json!("state")),
            ("to", json!(to)),
            ("run", run(attempt)),
        ]
    };
    assert_eq!(count(&state("accepted", 1)), 1, "submit: {events:#?}");
    for attempt in 1..=3 {
        assert_eq!(
            count(&state("dispatching", attempt)),
            1,
            "dispatch of attempt {attempt}"
        );
        let gpu = |to: &str| {
            [
                ("event", json!("gpu")),
                ("to", json!(to)),
                ("run", run(attempt)),
            ]
        };
        assert_eq!(count(&gpu("started")), 1, "worker of attempt {attempt}");
        assert_eq!(count(&gpu("failed")), 1, "worker of attempt {attempt}");
        assert_eq!(
            count(&state("running", attempt)),
            1,
            "callback of attempt {attempt}"
        );
    }
    for attempt in 2..=3 {
        assert_eq!(
            count(&state("accepted", attempt)),
            1,
            "callback ends the attempt before {attempt}"
        );
        let resent = [("event", json!("resent")), ("run", run(attempt))];
        assert!(count(&resent) >= 1, "sweep begins attempt {attempt}");
    }
    assert_eq!(
        count(&[("to", json!("failed")), ("code", json!("gpu_error"))]),
        1
    );
    // Nobody else's lines carry it.
    assert!(
        events
            .iter()
            .all(|event| event["run"].as_str().is_some_and(|run| run.contains(id)))
    );
    app.finish().await;
}

#[tokio::test]
async fn every_answer_says_by_which_id_the_log_knows_it() {
    let (lines, _guard) = Lines::capture("info");
    let app = TestApp::start(options()).await;
    let amazon = "Root=1-67891233-abcdef012345678912345678;Sampled=1";
    let request = app
        .alice()
        .request(reqwest::Method::GET, "/v1/predictions/none-of-mine");
    let reply = app
        .alice()
        .send(request.header("x-amzn-trace-id", amazon))
        .await;
    let problem = reply.expect(404);
    let trace = "67891233abcdef012345678912345678";
    assert_eq!(
        (reply.header("x-request-id"), &problem["trace_id"]),
        (Some(trace), &json!(trace))
    );
    // Without a header of the caller's an id is made, each time another one.
    let mut made = Vec::new();
    for path in ["/v1/nothing", "/v1/predictions?cursor=x", "/v1/account"] {
        let reply = app.alice().get(path).await;
        made.push(reply.header("x-request-id").unwrap().to_owned());
        if reply.status != 200 {
            assert_eq!(reply.json()["trace_id"], json!(made.last()), "{path}");
        }
    }
    let rejected = lines.events();
    for id in [trace, &made[0], &made[1]] {
        let lines = rejected
            .iter()
            .filter(|line| line["trace_id"] == id && line["event"] == "rejected");
        assert_eq!(lines.count(), 1, "{id}: {rejected:#?}");
    }
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 3);
    app.finish().await;
}

const MASTER_SECRET: &str = "canary-master-secret-0123456789abcdef0123456789";
const PROMPT: &str = "a canary in a coal mine 7b1f";
const NEGATIVE: &str = "no-canary-sings-3c9e";

/// The run has what a log is tempted to print: successes, failures, lost callbacks, refusals, a long
/// input, a message and a row that nobody can read.
#[tokio::test]
async fn prompts_keys_and_signatures_are_not_in_the_log_at_any_level_that_can_be_set() {
    for level in ["debug", "trace"] {
        let (lines, guard) = Lines::capture(level);
        let preview = PreviewOptions {
            fail: 0.75,
            run: Ms(50),
            concurrency: 4,
            ..PreviewOptions::default()
        };
        let app = TestApp::start(
            Options {
                preview,
                redelivery: Ms::seconds(1),
                ..options()
            }
            .with("MASTER_SECRETS", format!("k1:{MASTER_SECRET}")),
        )
        .await;
        let alice = app.alice();
        let mut input = small(PROMPT);
        input["negative_prompt"] = json!(NEGATIVE);
        for n in 0..8 {
            let put = alice.request(
                reqwest::Method::PUT,
                &format!("/v1/predictions/canary-{n:04}"),
            );
            let put = put.json(&json!({ "version": "ryla/flux-dev", "input": input }));
            alice.send(put).await.expect(201);
        }
        let mut long = input.clone();
        long["prompt"] = json!(format!("{PROMPT}{}", "🐤".repeat(3_900)));
        alice.create(&long).await;
        // Refused, each for another reason, with the canary in the body.
        let mut wrong = input.clone();
        wrong["width"] = json!(PROMPT);
        alice.send(alice.creation(&wrong)).await.expect(422);
        let path = "/v1/predictions";
        let broken = alice
            .request(reqwest::Method::POST, path)
            .body(format!("{{\"input\": \"{PROMPT}"));
        alice.send(broken).await.expect(400);
        let stranger = app
            .request()
            .get(format!("{}{path}", app.url()))
            .bearer_auth("canary-wrong-key");
        assert_eq!(stranger.send().await.unwrap().status(), 401);
        let forged = app.request().post(format!(
            "{}/v1/callbacks/preview/alice/canary-0000/1",
            app.url()
        ));
        let forged = forged
            .header("x-ryla-signature", "t=1,v1=canary-signature")
            .body(PROMPT);
        assert_eq!(forged.send().await.unwrap().status(), 401);

        let mut secrets: Vec<String> = [
            PROMPT,
            NEGATIVE,
            "🐤",
            alice.api_key(),
            app.bob().api_key(),
            app.api_key(),
            MASTER_SECRET,
            "canary-wrong-key",
            "canary-signature",
            "X-Amz-Signature",
            "X-Amz-Credential",
        ]
        .map(str::to_owned)
        .to_vec();
        for key in app.accepted() {
            let ended = alice.ended(key.id.as_str()).await;
            let job = app.row(&key).await;
            // Who has the URL has the picture.
            secrets.push(job.token.as_str().to_owned());
            for attempt in 1..=3_u8 {
                let run = format!("{}.{attempt}", ended["id"].as_str().unwrap());
                let run = format!("alice.{run}").parse().unwrap();
                let (_, callback_key) = app.settings().secrets.run_key(&run);
                secrets.push(exposed(&callback_key));
            }
        }
        let phases = lines.text();
        for told in [
            "\"to\":\"succeeded\"",
            "\"code\":\"gpu_error\"",
            "\"event\":\"rejected\"",
            "\"event\":\"gpu\"",
        ] {
            assert!(phases.contains(told), "the run has {told}");
        }
        app.finish().await;
        drop(guard);
        let text = lines.text();
        for line in text.lines() {
            let said: Vec<&String> = secrets
                .iter()
                .filter(|secret| line.contains(*secret))
                .collect();
            assert!(said.is_empty(), "{level}: {said:?} in {line}");
        }
        assert!(text.lines().count() > 30, "there is a log to look at");
    }
}

fn exposed(key: &secrecy::SecretString) -> String {
    use secrecy::ExposeSecret;
    key.expose_secret().to_owned()
}
