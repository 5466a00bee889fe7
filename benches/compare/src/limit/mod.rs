//! A limit of memory for a process: a control group of its own.
//!
//! The limit counts what the process holds and the page cache of what it reads and writes, so a state that is larger does
//! not fit. Version 2 of control groups is preferred; where the memory controller is bound to version 1, that is used.
//!
//! ```text
//! group of this process, or the one that was named
//! └── thinstate-compare-PID-N     memory.max, or memory.limit_in_bytes; removed when it is dropped
//! ```
//!
//! Being below the process's own group, it is never outside of a limit that holds already. In version 2 a group whose
//! controllers its children have may hold no processes itself, which that of a shell does: name an empty one then
//! (`--cgroup`).

mod error;
mod hierarchy;

pub use error::LimitError;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use hierarchy::Version;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Groups made by this process.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A group with a limit.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    version: Version,
}

impl Group {
    /// Makes one in the group of this process, or in `parent`.
    pub fn create(bytes: u64, parent: Option<&Path>) -> Result<Self, LimitError> {
        let (version, parent) = match parent {
            Some(parent) => (hierarchy::version_of(parent)?, parent.to_owned()),
            None => hierarchy::own()?,
        };
        Self::create_in(version, &parent, bytes)
    }

    fn create_in(version: Version, parent: &Path, bytes: u64) -> Result<Self, LimitError> {
        if version == Version::V2 {
            hierarchy::delegate(parent)?;
        }
        let number = MADE.fetch_add(1, Relaxed);
        let name = format!("thinstate-compare-{}-{number}", std::process::id());
        let folder = parent.join(name);
        fs::create_dir(&folder).map_err(LimitError::os("make the control group", &folder))?;
        let group = Self { folder, version };
        group.write(version.limit(), &bytes.to_string())?;
        // Where there is swap, it would take what the limit pushes out.
        if version == Version::V2 && group.folder.join("memory.swap.max").exists() {
            group.write("memory.swap.max", "0")?;
        }
        Ok(group)
    }

    /// Moves a process into it.
    pub fn add(&self, process: u32) -> Result<(), LimitError> {
        self.write("cgroup.procs", &process.to_string())
    }

    /// The most that was used at once, the page cache included; `None` where the kernel does not tell.
    pub fn bytes_max(&self) -> Option<u64> {
        let text = fs::read_to_string(self.folder.join(self.version.peak())).ok()?;
        text.trim().parse().ok()
    }

    /// Processes that the kernel killed for the limit.
    pub fn killed(&self) -> u64 {
        let text = fs::read_to_string(self.folder.join(self.version.events()));
        let killed = text.as_deref().ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
            line?.trim().parse().ok()
        });
        killed.unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) -> Result<(), LimitError> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(LimitError::os("write to the control group", &path))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.folder) {
            eprintln!("cannot remove the group {}: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that stands for a group with what a kernel would put there.
    fn pretended(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    #[test]
    fn the_limit_is_written_before_anybody_is_in() {
        let parent = pretended(&[
            ("cgroup.controllers", "cpu memory\n"),
            ("cgroup.subtree_control", "memory\n"),
        ]);
        let group = Group::create(1 << 20, Some(parent.path())).expect("made");
        let read = |name: &str| fs::read_to_string(group.folder.join(name)).expect("it is there");
        assert_eq!(read("memory.max"), "1048576");
        group.add(42).expect("added");
        assert_eq!(read("cgroup.procs"), "42");
        assert_eq!((group.bytes_max(), group.killed()), (None, 0));
        fs::write(group.folder.join("memory.peak"), "4096\n").expect("written");
        fs::write(group.folder.join("memory.events"), "oom 1\noom_kill 3\n").expect("written");
        assert_eq!((group.bytes_max(), group.killed()), (Some(4096), 3));
        // A real group's files go with it; here they are files.
        fs::remove_dir_all(&group.folder).expect("removed");
        fs::create_dir(&group.folder).expect("made again");
    }

    #[test]
    fn version_1_has_its_own_names() {
        let parent = pretended(&[("memory.limit_in_bytes", "9223372036854771712\n")]);
        let group = Group::create(4096, Some(parent.path())).expect("made");
        let limit = fs::read_to_string(group.folder.join("memory.limit_in_bytes"));
        assert_eq!(limit.expect("it is there"), "4096");
        fs::remove_dir_all(&group.folder).expect("removed");
        fs::create_dir(&group.folder).expect("made again");
    }

    #[test]
    fn no_folder_is_taken_for_a_group() {
        let folder = pretended(&[]);
        let error = Group::create(4096, Some(folder.path())).expect_err("it is none");
        assert!(matches!(error, LimitError::NoGroup { .. }), "{error}");
        let without = pretended(&[("cgroup.controllers", "cpu io\n")]);
        let error = Group::create(4096, Some(without.path())).expect_err("no memory");
        assert!(matches!(error, LimitError::NoController { .. }), "{error}");
    }
}
