//! Which system a command speaks to: the one that flags or variables name, or the `ryla dev` whose
//! data folder is given.

use crate::failure::Failure;
use clap::Args;
use ryla_local::DevFile;
use std::path::{Path, PathBuf};

/// The data folder of `ryla dev` unless another is named.
pub(crate) const DATA_FOLDER: &str = ".ryla";

/// Where the system is and who we are.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "System")]
pub(crate) struct Connection {
    /// Address of the system
    #[arg(long, env = "RYLA_API_URL", value_name = "URL", global = true)]
    pub(crate) api_url: Option<String>,
    /// API key; the variable keeps it out of the list of processes
    #[arg(
        long,
        env = "RYLA_API_KEY",
        value_name = "KEY",
        hide_env_values = true,
        global = true
    )]
    pub(crate) api_key: Option<String>,
    /// PEM file of a CA to trust besides the public ones
    #[arg(long, env = "RYLA_CA_FILE", value_name = "FILE", global = true)]
    pub(crate) ca: Option<PathBuf>,
}

/// A system that can be spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its address.
    pub(crate) url: String,
    /// The caller's key.
    pub(crate) key: Option<String>,
    /// PEM file of a CA to trust besides the public ones.
    pub(crate) ca: Option<PathBuf>,
}

impl Connection {
    /// The system that is named, if one is. A variable that is set to nothing names none.
    pub(crate) fn named(&self) -> Option<Target> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        Some(Target {
            url: filled(&self.api_url)?.trim().to_owned(),
            key: filled(&self.api_key).map(|key| key.trim().to_owned()),
            ca: self.ca(),
        })
    }

    /// The system that is named, else the `ryla dev` of that folder.
    pub(crate) fn named_or_running(&self, folder: &Path) -> Result<Target, Failure> {
        if let Some(target) = self.named() {
            return Ok(target);
        }
        let running =
            DevFile::read(folder).map_err(|error| Failure::unreachable(format!("{error:#}")))?;
        let Some(running) = running else {
            return Err(Failure::unreachable(format!(
                "no system is named and none runs on {}. Start one with `ryla dev`, or set RYLA_API_URL \
                 and RYLA_API_KEY.",
                folder.display()
            )));
        };
        Ok(Target {
            url: running.url,
            key: Some(running.api_key),
            ca: self.ca().or(running.ca_file),
        })
    }

    fn ca(&self) -> Option<PathBuf> {
        self.ca.clone().filter(|path| !path.as_os_str().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(url: Option<&str>) -> Connection {
        Connection {
            api_url: url.map(str::to_owned),
            api_key: Some(" key ".to_owned()),
            ca: Some(PathBuf::new()),
        }
    }

    #[test]
    fn an_empty_variable_names_no_system() {
        assert_eq!(connection(Some(" ")).named(), None);
        assert_eq!(connection(None).named(), None);
        let named = connection(Some("http://x")).named().unwrap();
        assert_eq!((named.key.as_deref(), named.ca), (Some("key"), None));
    }

    #[test]
    fn the_running_system_is_found_with_its_key_and_its_ca() {
        let folder = tempfile::tempdir().unwrap();
        let file =
            r#"{"url":"https://127.0.0.1:8787","api_key":"k","pid":1,"ca_file":"/d/ca.pem"}"#;
        std::fs::write(folder.path().join("dev.json"), file).unwrap();
        let found = connection(None).named_or_running(folder.path()).unwrap();
        assert_eq!(found.url, "https://127.0.0.1:8787");
        assert_eq!(found.key.as_deref(), Some("k"));
        assert_eq!(found.ca.as_deref(), Some(Path::new("/d/ca.pem")));
        let named = connection(Some("http://x"))
            .named_or_running(folder.path())
            .unwrap();
        assert_eq!(named.url, "http://x");
    }

    #[test]
    fn where_none_runs_the_way_out_is_said() {
        let failure = connection(None)
            .named_or_running(Path::new("/nowhere"))
            .unwrap_err();
        assert_eq!(failure.exit_status(), 3);
        assert!(failure.text().contains("ryla dev") && failure.text().contains("RYLA_API_URL"));
    }
}
