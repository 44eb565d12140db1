//! Fetching a picture into a file.

use super::answer::{cause, pause};
use super::{Client, PATIENT};
use crate::failure::Failure;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use std::fs::File;
use std::io::{Seek as _, Write as _};

/// What a download was.
#[derive(Clone, Debug)]
pub(crate) struct Downloaded {
    /// Its length.
    pub(crate) bytes: u64,
    /// The type that the server names.
    pub(crate) content_type: Option<String>,
}

/// Why a try did not bring the picture.
enum Lost {
    /// The next one may.
    Passing(String),
    /// No other will.
    ForGood(String),
}

impl Client {
    /// Fetches an output into `file`, from its beginning at every try. Outputs need no key, so none
    /// is sent, whosever host it is.
    pub(crate) async fn download(&self, url: &str, file: &mut File) -> Result<Downloaded, Failure> {
        let mut tries = 1;
        loop {
            let why = match self.try_download(url, file).await {
                Ok(downloaded) => return Ok(downloaded),
                Err(Lost::Passing(_)) if tries < PATIENT => {
                    tokio::time::sleep(pause(tries, None)).await;
                    tries += 1;
                    continue;
                }
                Err(Lost::Passing(why) | Lost::ForGood(why)) => why,
            };
            return Err(Failure::Unsaved {
                text: format!("the picture cannot be fetched: {why}"),
                trace_id: None,
            });
        }
    }

    async fn try_download(&self, url: &str, file: &mut File) -> Result<Downloaded, Lost> {
        let unwritable = |error: std::io::Error| Lost::ForGood(error.to_string());
        let lost = |error: reqwest::Error| Lost::Passing(cause(&error));
        let url = Url::parse(url).map_err(|_| Lost::ForGood(format!("`{url}` is no URL")))?;
        file.rewind().map_err(unwritable)?;
        file.set_len(0).map_err(unwritable)?;
        let mut response = self.http.get(url).send().await.map_err(lost)?;
        let status = response.status();
        if status.is_server_error() {
            return Err(Lost::Passing(status.to_string()));
        }
        if !status.is_success() {
            return Err(Lost::ForGood(status.to_string()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok().map(str::to_owned));
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            file.write_all(&chunk).map_err(unwritable)?;
            bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        }
        Ok(Downloaded {
            bytes,
            content_type,
        })
    }
}
