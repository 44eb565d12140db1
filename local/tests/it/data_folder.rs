//! What outlives a process in the data folder, and who may open it.

use crate::support::{create, ended, http, read, small};
use ryla_local::{Data, DevFile, Options, Stack};
use std::path::Path;

fn options(folder: &Path) -> Options {
    Options {
        data: Data::Folder(folder.to_owned()),
        dev_file: true,
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_objects_keys_and_secrets_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let http = http();
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let key = stack.api_key().to_owned();
    let created = create(&stack, &http, &small("a fox", 1)).await;
    let id = created["id"].as_str().unwrap().to_owned();
    let before = ended(&stack, &http, &id).await;
    let path = before["output"].to_string();
    assert_eq!(before["status"], "succeeded", "{before}");
    stack.shutdown().await;

    let stack = Stack::start(options(folder.path())).await.unwrap();
    assert_eq!(stack.api_key(), key);
    let after = read(&stack, &http, &id).await;
    assert_eq!(after["status"], "succeeded");
    let url = after["output"]
        .as_str()
        .or_else(|| after["output"][0].as_str())
        .unwrap();
    assert_eq!(
        url.rsplit("/o/").next(),
        path.trim_matches(['[', ']', '"']).rsplit("/o/").next()
    );
    let picture = http.get(url).send().await.unwrap();
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_commands_find_the_process_while_it_runs_and_no_second_one_can_start() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(folder.path())).await.unwrap();
    let dev = DevFile::read(folder.path()).unwrap().unwrap();
    assert_eq!(
        (dev.url.as_str(), dev.api_key.as_str()),
        (stack.url(), stack.api_key())
    );
    assert_eq!(dev.pid, std::process::id());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(folder.path().join("dev.json")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let error = Stack::start(options(folder.path()))
        .await
        .unwrap_err()
        .to_string();
    let path = folder.path().canonicalize().unwrap();
    assert!(error.contains(&path.display().to_string()), "{error}");
    stack.shutdown().await;
    assert!(DevFile::read(folder.path()).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_open_when_the_process_died_ends_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let http = http();
    let mut slow = options(folder.path());
    slow.preview.run = ryla_domain::time::Ms::seconds(30);
    let stack = Stack::start(slow).await.unwrap();
    let created = create(&stack, &http, &small("a fox", 1)).await;
    let id = created["id"].as_str().unwrap().to_owned();
    crate::support::eventually(|| async {
        (read(&stack, &http, &id).await["status"] == "processing").then_some(())
    })
    .await;
    stack.shutdown().await;

    let restarted = options(folder.path()).with("SILENCE_S", "1");
    let stack = Stack::start(restarted).await.unwrap();
    assert_eq!(ended(&stack, &http, &id).await["status"], "succeeded");
    assert_eq!(stack.due_entries().await.unwrap(), 0);
    stack.shutdown().await;
}
