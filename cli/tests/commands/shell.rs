//! Running the binary in a folder of its own, without the caller's variables.

use crate::fake::{Fake, KEY};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) struct Shell {
    pub(crate) folder: TempDir,
    vars: Vec<(&'static str, String)>,
}

/// What a command left behind.
pub(crate) struct Done {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shell {
    /// No system is named.
    pub(crate) fn bare() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            vars: Vec::new(),
        }
    }

    /// The variables name the fake.
    pub(crate) fn with(fake: &Fake) -> Self {
        let mut shell = Self::bare();
        shell.vars = vec![
            ("RYLA_API_URL", fake.url()),
            ("RYLA_API_KEY", KEY.to_owned()),
        ];
        shell
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.vars.push((name, value.to_owned()));
    }

    pub(crate) fn spawn(&self, words: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_ryla"))
            .args(words)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.vars.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub(crate) fn run(&self, words: &[&str]) -> Done {
        self.spawn(words).wait_with_output().unwrap().into()
    }

    /// The names of the files in the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    /// Checks the exit status; everything that was printed shows where it differs.
    #[track_caller]
    pub(crate) fn ended_with(&self, status: i32) -> &Self {
        assert_eq!(
            self.status,
            Some(status),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    pub(crate) fn last_line(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}
