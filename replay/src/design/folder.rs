//! What a folder takes.

use super::DesignError;
use std::{fs, io, path::Path};

/// Bytes of all files under `dir`. Files that go while it looks, as a store's do, are not counted.
pub fn bytes(dir: &Path) -> Result<u64, DesignError> {
    let context = || format!("look through {}", dir.display());
    let mut total = 0;
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) =
            unless_gone(fs::read_dir(folder)).map_err(DesignError::store(context()))?
        else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(DesignError::store(context()))?;
            let found = unless_gone(entry.metadata()).map_err(DesignError::store(context()))?;
            match found {
                Some(found) if found.is_dir() => folders.push(entry.path()),
                Some(found) => total += found.len(),
                None => {}
            }
        }
    }
    Ok(total)
}

fn unless_gone<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_folders_in_folders_count() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("a/b")).expect("folders");
        fs::write(dir.path().join("one"), [0; 10]).expect("write");
        fs::write(dir.path().join("a/b/two"), [0; 7]).expect("write");
        assert_eq!(bytes(dir.path()).expect("readable"), 17);
        assert_eq!(bytes(&dir.path().join("absent")).expect("nothing"), 0);
    }
}
