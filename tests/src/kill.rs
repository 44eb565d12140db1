//! The real command on a data folder: killed in the middle of its work, started again, and every job ends.

use crate::app::until;
use crate::architecture::root;
use reqwest::{Client, Method};
use ryla_domain::time::Ms;
use ryla_local::DevFile;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const OPEN_JOBS: usize = 20;

/// From the second start until the last job has ended.
const RECOVERY: Duration = Duration::from_secs(55);

/// The command as it stands in the sources: built unless it is newer than all of them.
fn command() -> PathBuf {
    // {target}/debug/deps/{this test}
    let here = std::env::current_exe().unwrap();
    let binary = here.parent().unwrap().with_file_name("ryla");
    let made = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let newest = newest(&root());
    if made(&binary).is_none_or(|made| made < newest) {
        let build = Command::new(env!("CARGO"))
            .current_dir(root())
            .args(["build", "--locked", "--package", "ryla"])
            .stdin(Stdio::null())
            .status();
        assert!(build.unwrap().success(), "cargo build --package ryla");
    }
    binary
}

/// When a source of the command was last changed.
fn newest(folder: &Path) -> SystemTime {
    let mut newest = SystemTime::UNIX_EPOCH;
    for top in ["cli", "local", "functions", "shared"] {
        collect(&folder.join(top).join(""), &mut newest);
    }
    newest
}

fn collect(folder: &Path, newest: &mut SystemTime) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let tests_only = path.ends_with("tests") || path.ends_with("examples");
            if !tests_only {
                collect(&path, newest);
            }
        } else if path
            .extension()
            .is_some_and(|ending| ending == "rs" || ending == "toml")
        {
            *newest = (*newest).max(path.metadata().unwrap().modified().unwrap());
        }
    }
}

/// A `ryla dev` of our own; killed with the test.
struct Dev {
    child: Child,
    at: DevFile,
    http: Client,
}

impl Dev {
    async fn start(data: &Path, run_s: &str) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(data.with_extension("log"))
            .unwrap();
        let mut child = Command::new(command())
            .args([
                "dev",
                "--listen",
                "127.0.0.1:0",
                "--preview-run",
                run_s,
                "--data",
            ])
            .arg(data)
            .env_clear()
            // Limits that fit into a test; a lease is 15 s longer than the dispatch time-out.
            .envs([
                ("SILENCE_S", "2"),
                ("DISPATCH_TIMEOUT_S", "5"),
                ("SWEEP_PERIOD_S", "1"),
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let pid = child.id();
        let dev = until("`ryla dev` is up", Duration::from_mins(2), async || {
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(data.with_extension("log")).unwrap_or_default();
                panic!("`ryla dev` ended with {status}: {log}");
            }
            match DevFile::read(data).unwrap() {
                Some(dev) if dev.pid == pid => Ok(dev),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        let http = ryla_backends::http::client(Ms::seconds(5), None).unwrap();
        Self {
            child,
            at: dev,
            http,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.at.url);
        let mut request = self
            .http
            .request(method, &url)
            .bearer_auth(&self.at.api_key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        assert!(
            response.status().is_success(),
            "{url}: {}",
            response.status()
        );
        response.json().await.unwrap()
    }

    /// Every job by id: status and the state behind it.
    async fn jobs(&self) -> BTreeMap<String, (String, String)> {
        let page = self.call(Method::GET, "/v1/predictions", None).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let results = page["results"].as_array().unwrap();
        let job = |job: &Value| {
            (
                text(&job["id"]),
                (text(&job["status"]), text(&job["metrics"]["phase"])),
            )
        };
        results.iter().map(job).collect()
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn every_open_job_ends_after_the_process_was_killed_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Dev::start(&data, "600").await;
    for n in 0..OPEN_JOBS {
        let input =
            json!({ "prompt": format!("a survivor, number {n}"), "width": 256, "height": 256 });
        let path = "/v1/models/ryla/flux-dev/predictions";
        first
            .call(Method::POST, path, Some(json!({ "input": input })))
            .await;
    }
    let before = until(
        "some run and some wait",
        Duration::from_mins(2),
        async || {
            let jobs = first.jobs().await;
            let running = jobs
                .values()
                .filter(|(status, _)| status == "processing")
                .count();
            let waiting = jobs
                .values()
                .filter(|(_, phase)| phase == "dispatching")
                .count();
            match (running, waiting) {
                (2, 18) => Ok(jobs),
                _ => Err(format!(
                    "{running} run, {waiting} wait at the GPU: {jobs:?}"
                )),
            }
        },
    )
    .await;
    assert_eq!(before.len(), OPEN_JOBS);
    let key = first.at.api_key.clone();
    first.kill();

    let begun = Instant::now();
    let second = Dev::start(&data, "0").await;
    assert_eq!(second.at.api_key, key, "clients keep their key");
    let after = until("every job ends", RECOVERY, async || {
        let jobs = second.jobs().await;
        let open = jobs
            .values()
            .filter(|(status, _)| status != "succeeded")
            .count();
        if open == 0 {
            Ok(jobs)
        } else {
            Err(format!("{open} open: {jobs:?}"))
        }
    })
    .await;
    assert!(
        after.keys().eq(before.keys()),
        "the same twenty, and no other"
    );
    println!(
        "all {OPEN_JOBS} ended {:?} after the second start",
        begun.elapsed()
    );
    for id in after.keys() {
        let prediction = second
            .call(Method::GET, &format!("/v1/predictions/{id}"), None)
            .await;
        let picture = second
            .http
            .get(prediction["output"].as_str().unwrap())
            .send()
            .await
            .unwrap();
        let bytes = picture.bytes().await.unwrap();
        assert!(
            image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).is_ok(),
            "{id}"
        );
    }
}
