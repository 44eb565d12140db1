//! The data folder: one process at a time, its secrets readable by their owner only.

use anyhow::{Context, bail};
use ryla_engine::port::Entropy;
use ryla_engine::system::OsEntropy;
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};

/// Where a running process says how it is reached.
const DEV_FILE: &str = "dev.json";

/// Where data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nowhere: everything is gone with the process.
    Memory,
    /// In this folder.
    Folder(PathBuf),
}

/// What the commands of another process need to speak to this one.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct DevFile {
    /// Base URL.
    pub url: String,
    /// An API key.
    pub api_key: String,
    /// The process.
    pub pid: u32,
    /// The CA that signed the server's certificate, with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl DevFile {
    /// What the process that keeps that folder says; `None` where none does.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(DEV_FILE);
        match std::fs::read(&path) {
            Ok(bytes) => {
                let read = serde_json::from_slice(&bytes);
                read.with_context(|| format!("reading {}", path.display()))
                    .map(Some)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
}

/// An open data folder, locked until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
    /// Removed at the end where nothing is to be kept.
    scratch: Option<TempDir>,
}

impl DataFolder {
    /// Opens the folder, which is made where it does not exist.
    pub(crate) fn open(data: &Data) -> anyhow::Result<Self> {
        let (path, scratch) = match data {
            Data::Folder(path) => (path.clone(), None),
            Data::Memory => {
                let scratch = tempfile::tempdir().context("making a temporary folder")?;
                (scratch.path().to_owned(), Some(scratch))
            }
        };
        make_folder(&path).with_context(|| format!("making the folder {}", path.display()))?;
        let path = path
            .canonicalize()
            .with_context(|| format!("finding the folder {}", path.display()))?;
        let lock = File::create(path.join("lock"))
            .with_context(|| format!("writing to the folder {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another ryla process uses the folder {}: stop it, or choose another folder",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error)
                    .with_context(|| format!("locking the folder {}", path.display()));
            }
        }
        Ok(Self {
            path,
            _lock: lock,
            scratch,
        })
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it outlives the process.
    pub(crate) const fn is_kept(&self) -> bool {
        self.scratch.is_none()
    }

    /// The secret of that name: as it was kept, else `make` makes one and it is kept.
    pub(crate) fn secret(&self, name: &str, make: fn() -> String) -> anyhow::Result<String> {
        let path = self.path.join(name);
        match std::fs::read_to_string(&path) {
            Ok(secret) if !secret.trim().is_empty() => return Ok(secret.trim().to_owned()),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("reading {}", path.display()));
            }
            _ => {}
        }
        let secret = make();
        write_private(&path, secret.as_bytes())?;
        Ok(secret)
    }

    /// Says how this process is reached.
    pub(crate) fn write_dev_file(&self, dev: &DevFile) -> anyhow::Result<()> {
        write_private(&self.path.join(DEV_FILE), &serde_json::to_vec_pretty(dev)?)
    }

    /// Takes it back.
    pub(crate) fn remove_dev_file(&self) {
        let _ = std::fs::remove_file(self.path.join(DEV_FILE));
    }
}

/// A folder that only its owner may enter; an existing one stays as it is.
fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that only its owner may read, all of it or nothing.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> anyhow::Result<()> {
        // Temporary files have mode 0600 from the start.
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// A key as clients send it.
pub(crate) fn new_api_key() -> String {
    let entropy: &dyn Entropy = &OsEntropy;
    format!("ryla_{}", ryla_domain::id::base32(&entropy.bytes::<20>()))
}

/// A master secret, 256 bits in hexadecimal.
pub(crate) fn new_master_secret() -> String {
    let entropy: &dyn Entropy = &OsEntropy;
    data_encoding::HEXLOWER.encode(&entropy.bytes::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_cannot_open_one_folder_and_the_error_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::Folder(folder.path().join("data"));
        let open = DataFolder::open(&data).unwrap();
        let error = DataFolder::open(&data).unwrap_err().to_string();
        assert!(
            error.contains(&open.path().display().to_string()),
            "{error}"
        );
        drop(open);
        DataFolder::open(&data).unwrap();
    }

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::Folder(folder.path().join("data"));
        let open = DataFolder::open(&data).unwrap();
        let secret = open.secret("api_key", new_api_key).unwrap();
        assert!(secret.starts_with("ryla_"));
        assert_eq!(open.secret("api_key", new_api_key).unwrap(), secret);
        assert_ne!(new_api_key(), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&open.path().join("api_key")), 0o600);
            assert_eq!(mode(open.path()), 0o700);
        }
    }
}
