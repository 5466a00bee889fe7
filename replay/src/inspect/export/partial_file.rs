//! A file that has its name only once it is whole.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Is written as `NAME.partial`, and takes its name when it is finished. What breaks off leaves a
/// former file of that name as it was, and the part behind for whoever looks for the cause.
#[derive(Debug)]
pub struct PartialFile {
    name: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
}

impl PartialFile {
    /// Begins the file.
    pub fn create(name: &Path) -> io::Result<Self> {
        let mut partial = OsString::from(name);
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|error| with_path("create", &partial, error))?;
        Ok(Self {
            name: name.to_owned(),
            file: BufWriter::with_capacity(1 << 20, file),
            partial,
        })
    }

    /// Makes it durable, and gives it its name.
    pub fn finish(self) -> io::Result<()> {
        let failed = |error| with_path("finish", &self.partial, error);
        let file = self.file.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&self.partial, &self.name).map_err(failed)
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file
            .write(bytes)
            .map_err(|error| with_path("write", &self.partial, error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The same error, with what was tried and where.
fn with_path(operation: &str, path: &Path, error: io::Error) -> io::Error {
    let message = format!("{operation} {}: {error}", path.display());
    io::Error::new(error.kind(), message)
}
