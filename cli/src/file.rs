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

/// Writes it beside its place first, so that nobody finds half of it. What is no file, such as a pipe, is
/// written to; of a link its target is replaced.
pub(crate) fn whole_file(path: &Path, text: &str) -> Result<(), Failure> {
    let written = || -> io::Result<()> {
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return std::fs::write(path, text);
        }
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_link_the_target_is_replaced_and_a_device_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let [target, link] = ["target", "link"].map(|name| folder.path().join(name));
        std::fs::write(&target, "before").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        whole_file(&link, "after").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "after");

        let device = folder.path().join("device");
        std::os::unix::fs::symlink("/dev/null", &device).unwrap();
        whole_file(&device, "gone").unwrap();
        assert_eq!(std::fs::read_to_string(&device).unwrap(), "");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn an_input_is_not_written_over_under_another_name_either() {
        let folder = tempfile::tempdir().unwrap();
        let [input, link] = ["input", "link"].map(|name| folder.path().join(name));
        std::fs::write(&input, "kept").unwrap();
        std::os::unix::fs::symlink(&input, &link).unwrap();
        assert!(refuse_overwriting(&link, [None, Some(&input)]).is_err());
        assert!(refuse_overwriting(&folder.path().join("new"), [Some(&input)]).is_ok());
    }
}
