//! `ryla dev`: the whole system on this machine, for as long as nobody stops it.

use crate::connection::DATA_FOLDER;
use crate::embedded::{self, Preview};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::log_level::LogLevel;
use crate::say;
use clap::Args;
use ryla_engine::settings::vars_of_env;
use ryla_local::{Data, Options, Stack};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

const SETTINGS: &str = "\
Every setting of .env.example is taken from the environment: with MODAL_JOBS_URL jobs go to Modal,
without it to the preview GPU.";

/// Keep the whole system up on this machine, until ^C
#[derive(Debug, Args)]
#[command(after_help = SETTINGS)]
pub(crate) struct Dev {
    /// Where the API listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Where data is kept
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    data: PathBuf,
    /// Keep no data: everything is gone with the process
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// An API key of your own, 1 to 256 visible characters; left out: one is made and kept
    #[arg(long, value_name = "KEY", value_parser = key)]
    api_key: Option<String>,
    /// HTTPS with a CA of its own: the official clients make file objects of https URLs only
    #[arg(long)]
    tls: bool,
    #[command(flatten)]
    log_level: LogLevel,
    #[command(flatten)]
    preview: Preview,
}

impl Dev {
    /// Serves until a signal, then ends in order; a second signal does not wait for that.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        ryla_engine::log::to_stderr(self.log_level());
        let mut interrupt = Interrupt::listen()?;
        let options = self.options(vars_of_env().collect());
        let Some(started) = interrupt.or(embedded::start(options)).await else {
            return Ok(());
        };
        let stack = started?;
        say::line(welcome(&stack));
        interrupt.wait().await;
        say::note("stopping: open requests are answered first; ^C again does not wait");
        let stopped = interrupt.or(stack.shutdown()).await;
        stopped.ok_or_else(|| Failure::Interrupted {
            text: "stopped at once; open jobs go on after the next start".to_owned(),
            trace_id: None,
        })
    }

    fn log_level(&self) -> &str {
        self.log_level.or("info")
    }

    fn options(&self, mut vars: BTreeMap<String, String>) -> Options {
        vars.insert("LOG_LEVEL".to_owned(), self.log_level().to_owned());
        Options {
            listen: self.listen,
            data: if self.memory {
                Data::Memory
            } else {
                Data::Folder(self.data.clone())
            },
            api_key: self.api_key.clone(),
            tls: self.tls,
            preview: self.preview.options(),
            vars,
            dev_file: !self.memory,
            ..Options::default()
        }
    }
}

fn welcome(stack: &Stack) -> String {
    let data = match stack.data_dir() {
        Some(folder) => folder.display().to_string(),
        None => "in memory, gone when this stops".to_owned(),
    };
    let gpu = match &stack.settings().modal {
        Some(modal) if stack.preview().is_none() => modal.jobs_url.as_str(),
        _ => "preview",
    };
    let ca = stack.ca_file().map(|path| path.display().to_string());
    Welcome {
        url: stack.url(),
        key: stack.api_key(),
        data: &data,
        gpu,
        ca: ca.as_deref(),
    }
    .text()
}

struct Welcome<'a> {
    url: &'a str,
    key: &'a str,
    data: &'a str,
    gpu: &'a str,
    ca: Option<&'a str>,
}

impl Welcome<'_> {
    fn text(&self) -> String {
        let mut lines = vec![
            format!("RYLA is up; ^C stops it.\n\nurl      {}", self.url),
            format!("API key  {}", self.key),
            format!("data     {}", self.data),
            format!("GPU      {}\n", self.gpu),
            "For `ryla generate` and `ryla jobs` to speak to it:".to_owned(),
            export("RYLA_API_URL", self.url),
            export("RYLA_API_KEY", self.key),
        ];
        if let Some(ca) = self.ca {
            lines.push(export("RYLA_CA_FILE", ca));
        }
        lines.push("\nFor replicate's clients (JavaScript: baseUrl with /v1):".to_owned());
        lines.push(export("REPLICATE_BASE_URL", self.url));
        lines.push(export("REPLICATE_API_TOKEN", self.key));
        if let Some(ca) = self.ca {
            lines.push("\nFor Python and Node to trust its certificate:".to_owned());
            lines.push(export("SSL_CERT_FILE", ca));
            lines.push(export("NODE_EXTRA_CA_CERTS", ca));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A line for a shell.
fn export(name: &str, value: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:[]@%+=,".contains(&b);
    if value.bytes().all(is_plain) {
        return format!("  export {name}={value}");
    }
    format!("  export {name}='{}'", value.replace('\'', r"'\''"))
}

fn key(text: &str) -> Result<String, String> {
    if (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err("must be 1 to 256 visible ASCII characters".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        dev: Dev,
    }

    fn options(typed: &[&str]) -> Result<Options, clap::Error> {
        let typed = Typed::try_parse_from([&["dev"], typed].concat())?;
        Ok(typed.dev.options(BTreeMap::new()))
    }

    #[test]
    fn data_lies_in_the_current_folder_unless_told_otherwise() {
        let kept = options(&[]).unwrap();
        assert_eq!(kept.data, Data::Folder(".ryla".into()));
        assert_eq!(
            (kept.listen.to_string().as_str(), kept.dev_file),
            ("127.0.0.1:8787", true)
        );
        let memory = options(&["--memory"]).unwrap();
        assert_eq!((memory.data, memory.dev_file), (Data::Memory, false));
        assert!(options(&["--memory", "--data", "x"]).is_err());
        assert!(options(&["--api-key", "a b"]).is_err());
    }

    #[test]
    fn the_welcome_says_how_each_client_gets_in() {
        let welcome = Welcome {
            url: "https://127.0.0.1:8787",
            key: "ryla_k",
            data: "/x/.ryla",
            gpu: "preview",
            ca: Some("/my data/ca.pem"),
        };
        let text = welcome.text();
        for part in [
            "url      https://127.0.0.1:8787\n",
            "API key  ryla_k\n",
            "data     /x/.ryla\n",
            "  export REPLICATE_BASE_URL=https://127.0.0.1:8787\n",
            "  export SSL_CERT_FILE='/my data/ca.pem'\n",
            "  export NODE_EXTRA_CA_CERTS='/my data/ca.pem'\n",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(
            !Welcome {
                ca: None,
                ..welcome
            }
            .text()
            .contains("SSL_CERT_FILE")
        );
    }
}
