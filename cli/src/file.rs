//! Files that the commands write: all of one or nothing, and never over what was read.

use crate::failure::Failure;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file beside the target, with the permissions of any new file.
pub(crate) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .prefix(".ryla-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

/// Writes it beside its place first, so that nobody finds half of it.
pub(crate) fn whole_file(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let written = || -> io::Result<()> {
        let mut file = temporary(folder.unwrap_or(Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error| Failure::Usage(format!("cannot write {}: {error}", path.display())))
}

/// Refuses an output that is one of the inputs, under whatever name.
pub(crate) fn refuse_overwriting<'a>(
    out: &Path,
    inputs: impl IntoIterator<Item = Option<&'a PathBuf>>,
) -> Result<(), Failure> {
    let same = |input: &PathBuf| match (out.canonicalize(), input.canonicalize()) {
        (Ok(out), Ok(input)) => out == input,
        _ => out == input,
    };
    if inputs.into_iter().flatten().any(same) {
        let path = out.display();
        let told = format!("{path} is the trace that is read: name another file to write to");
        return Err(Failure::Usage(told));
    }
    Ok(())
}
