//! The place of a table in a file that people write the rest of.
//!
//! ```text
//! <!-- thinstate-compare: NAME -->
//! what the program made: replaced the next time
//! <!-- end of NAME -->
//! ```
//!
//! A name that the file does not have yet is put at its end. Everything outside of the markers stays as it is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why the file was not written; it is as it was then.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file cannot be read or written.
    #[error("cannot write the tables to {}", .path.display())]
    Os {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A place begins and does not end: put the end back, or remove the beginning.
    #[error("{}: {begin:?} has no {end:?} after it", .path.display())]
    NoEnd {
        /// The file.
        path: PathBuf,
        /// The marker that is there.
        begin: String,
        /// The one that is missing.
        end: String,
    },
}

/// Puts a text in its place in the file, which is made if it is not there; whole or not at all.
pub fn put(path: &Path, name: &str, text: &str) -> Result<(), DocumentError> {
    let failed = |source| DocumentError::Os {
        path: path.to_owned(),
        source,
    };
    let old = match fs::read_to_string(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let new = placed(&old, name, text).map_err(|(begin, end)| DocumentError::NoEnd {
        path: path.to_owned(),
        begin,
        end,
    })?;
    write_whole(path, &new).map_err(failed)
}

/// The file's text with the new one in its place; the markers where one is missing.
fn placed(old: &str, name: &str, text: &str) -> Result<String, (String, String)> {
    let begin = format!("<!-- thinstate-compare: {name} -->");
    let end = format!("<!-- end of {name} -->");
    let (before, after) = match old.split_once(&begin) {
        Some((before, rest)) => match rest.split_once(&end) {
            Some((_, after)) => (before.to_owned(), after),
            None => return Err((begin, end)),
        },
        None if old.is_empty() => (String::new(), "\n"),
        None => (format!("{}\n\n", old.trim_end()), "\n"),
    };
    Ok(format!(
        "{before}{begin}\n{}\n{end}{after}",
        text.trim_end()
    ))
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let aside = path.with_extension("new");
    fs::write(&aside, text)?;
    fs::File::open(&aside)?.sync_all()?;
    fs::rename(&aside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_markers_changes() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("peers.md");
        let read = || fs::read_to_string(&path).expect("it is there");
        fs::write(&path, "# Peers\n\nBy hand.\n").expect("written");
        put(&path, "one", "first\n").expect("put");
        put(&path, "two", "second").expect("put");
        put(&path, "one", "another\n").expect("put");
        let expected = "# Peers\n\nBy hand.\n\n\
            <!-- thinstate-compare: one -->\nanother\n<!-- end of one -->\n\n\
            <!-- thinstate-compare: two -->\nsecond\n<!-- end of two -->\n";
        assert_eq!(read(), expected);
        fs::remove_file(&path).expect("removed");
        put(&path, "one", "alone").expect("made");
        let expected = "<!-- thinstate-compare: one -->\nalone\n<!-- end of one -->\n";
        assert_eq!(read(), expected);
    }

    #[test]
    fn no_file_without_an_end_is_cut() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("peers.md");
        let old = "<!-- thinstate-compare: one -->\nmuch else\n";
        fs::write(&path, old).expect("written");
        let error = put(&path, "one", "text").expect_err("it has no end");
        assert!(matches!(error, DocumentError::NoEnd { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), old);
    }
}
