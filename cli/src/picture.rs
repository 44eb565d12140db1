//! The picture on disk: where it goes, what it is called, and that it is there whole or not at all.

use crate::client::Client;
use crate::failure::Failure;
use crate::file::temporary;
use crate::prediction::Prediction;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where pictures go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// This file, which may be replaced: the user names it.
    Asked(PathBuf),
    /// A new file in this folder, named after model and seed. It replaces nothing: one seed makes
    /// another picture with every prompt.
    Named(PathBuf),
}

/// A picture that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// How large it is.
    pub(crate) bytes: u64,
    /// Width and height in pixels, as the file says.
    pub(crate) size: Option<(u64, u64)>,
    /// Another file lay there before.
    pub(crate) replaced: bool,
}

impl Place {
    /// Checks the place before anything is paid for.
    pub(crate) fn new(out: Option<&Path>) -> Result<Self, Failure> {
        let Some(out) = out else {
            writable(Path::new("."))?;
            return Ok(Self::Named(PathBuf::from(".")));
        };
        if out.exists() && !out.is_file() {
            return Err(Failure::Usage(format!(
                "--out {} is a folder or a device and cannot be replaced; name a file",
                out.display()
            )));
        }
        writable(folder(out))?;
        Ok(Self::Asked(out.to_owned()))
    }

    /// The place of one of several pictures.
    fn slot(&self, number: usize, of: usize) -> Self {
        match self {
            Self::Asked(path) if of > 1 => Self::Asked(numbered(path, number)),
            other => other.clone(),
        }
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Asked(path) => folder(path),
            Self::Named(folder) => folder,
        }
    }

    /// Moves the whole file there.
    fn keep(&self, file: NamedTempFile, name: &str) -> io::Result<(PathBuf, bool)> {
        let folder = match self {
            Self::Asked(path) => {
                let replaced = path.exists();
                file.persist(path).map_err(|error| error.error)?;
                return Ok((path.clone(), replaced));
            }
            Self::Named(folder) => folder,
        };
        let first = plain(&folder.join(name));
        let (mut file, mut path) = (file, first.clone());
        for number in 2.. {
            match file.persist_noclobber(&path) {
                Ok(_) => break,
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    file = error.file;
                    path = numbered(&first, number);
                }
                Err(error) => return Err(error.error),
            }
        }
        Ok((path, false))
    }
}

/// Fetches every picture of the job.
pub(crate) async fn save(
    client: &Client,
    prediction: &Prediction,
    place: &Place,
) -> Result<Vec<Saved>, Failure> {
    let urls = prediction.output_urls();
    if urls.is_empty() {
        return Err(Failure::Unsaved {
            text: "the job has no picture: it was removed".to_owned(),
            trace_id: None,
        });
    }
    let mut saved = Vec::with_capacity(urls.len());
    for (index, url) in urls.iter().enumerate() {
        let place = place.slot(index + 1, urls.len());
        saved.push(save_one(client, prediction, url, &place).await?);
    }
    Ok(saved)
}

async fn save_one(
    client: &Client,
    prediction: &Prediction,
    url: &str,
    place: &Place,
) -> Result<Saved, Failure> {
    let mut file = temporary(place.folder()).map_err(|error| unsaved(place.folder(), &error))?;
    let downloaded = client.download(url, file.as_file_mut()).await?;
    // Dimensions are a courtesy: a format that is not known has none.
    let size = imagesize::size(file.path()).ok();
    let size =
        size.and_then(|size| Some((size.width.try_into().ok()?, size.height.try_into().ok()?)));
    let name = file_name(
        prediction,
        extension(url, downloaded.content_type.as_deref()),
    );
    let (path, replaced) = place
        .keep(file, &name)
        .map_err(|error| unsaved(place.folder(), &error))?;
    Ok(Saved {
        path,
        bytes: downloaded.bytes,
        size,
        replaced,
    })
}

/// `flux-dev-42.jpg`; where a model has no seed, the job's id tells its pictures apart.
fn file_name(prediction: &Prediction, extension: &str) -> String {
    let mark = prediction
        .seed()
        .map_or_else(|| prediction.id.clone(), |seed| seed.to_string());
    let name = format!("{}-{mark}.{extension}", prediction.model_name());
    // Names come from the system: none of them leaves the folder.
    name.replace(['/', '\\'], "-")
}

fn extension<'u>(url: &'u str, content_type: Option<&str>) -> &'u str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or_default();
    match file.rsplit_once('.') {
        Some((_, extension))
            if (1..=5).contains(&extension.len())
                && extension.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            extension
        }
        _ => match content_type.unwrap_or_default().split(';').next() {
            Some("image/jpeg") => "jpg",
            Some("image/png") => "png",
            Some("image/webp") => "webp",
            Some("video/mp4") => "mp4",
            _ => "bin",
        },
    }
}

/// `name-2.jpg` for `name.jpg`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// `x.jpg` for `./x.jpg`.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

fn writable(folder: &Path) -> Result<(), Failure> {
    temporary(folder).map(drop).map_err(|error| {
        Failure::Usage(format!(
            "no file can be made in {}: {error}",
            folder.display()
        ))
    })
}

fn unsaved(folder: &Path, error: &io::Error) -> Failure {
    Failure::Unsaved {
        text: format!(
            "the picture cannot be saved in {}: {error}",
            folder.display()
        ),
        trace_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prediction(input: &serde_json::Value) -> Prediction {
        let prediction =
            json!({ "id": "abc", "model": "ryla/flux-dev", "status": "succeeded", "input": input });
        serde_json::from_value(prediction).unwrap()
    }

    fn file(folder: &Path, text: &str) -> NamedTempFile {
        let file = temporary(folder).unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_file_is_named_after_model_and_seed() {
        let seeded = prediction(&json!({ "seed": 9_007_199_254_740_991_u64 }));
        assert_eq!(file_name(&seeded, "jpg"), "flux-dev-9007199254740991.jpg");
        assert_eq!(
            file_name(&prediction(&json!({})), "png"),
            "flux-dev-abc.png"
        );
        let mut foreign = seeded;
        foreign.model = "ryla/..\\x".to_owned();
        assert_eq!(file_name(&foreign, "jpg"), "..-x-9007199254740991.jpg");
    }

    #[test]
    fn the_extension_is_the_urls_or_the_content_types() {
        assert_eq!(extension("https://x/o/r30/t/1-0.webp?x=a.b", None), "webp");
        assert_eq!(extension("https://x/o/1-0", Some("image/jpeg; q=1")), "jpg");
        assert_eq!(extension("https://x.example/", Some("text/html")), "bin");
    }

    #[test]
    fn a_picture_under_its_own_name_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Named(folder.path().to_owned());
        for (text, expected) in [("1", "m-7.jpg"), ("2", "m-7-2.jpg"), ("3", "m-7-3.jpg")] {
            let (path, replaced) = place.keep(file(folder.path(), text), "m-7.jpg").unwrap();
            assert_eq!(
                (path.file_name().unwrap().to_str(), replaced),
                (Some(expected), false)
            );
            assert_eq!(std::fs::read_to_string(path).unwrap(), text);
        }
    }

    #[test]
    fn a_named_file_is_replaced_whole_and_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("x.jpg");
        let place = Place::new(Some(&out)).unwrap();
        assert!(!place.keep(file(folder.path(), "1"), "unused").unwrap().1);
        assert!(place.keep(file(folder.path(), "2"), "unused").unwrap().1);
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "2");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_wrong_use_before_the_job_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/x.jpg");
        for wrong in [
            folder.path().to_owned(),
            missing,
            PathBuf::from("/dev/null"),
        ] {
            assert_eq!(
                Place::new(Some(&wrong)).unwrap_err().exit_status(),
                2,
                "{}",
                wrong.display()
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn several_pictures_are_numbered() {
        let place = Place::Asked(PathBuf::from("d/set.jpg"));
        assert_eq!(place.slot(2, 3), Place::Asked(PathBuf::from("d/set-2.jpg")));
        assert_eq!(place.slot(1, 1), place);
    }
}
