//! Syncing the files while blocks go on.

use super::{SpentError, SpentFields, mapped::FileSync};
use std::{fs::File, path::PathBuf, thread::JoinHandle};

/// A sync of all files that was begun after a commit.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// All changes up to this commit are durable once it is done.
    pub(super) commit: u64,
    thread: JoinHandle<Result<(), SpentError>>,
}

impl Checkpoint {
    /// Begins to sync files and the directory that names them.
    pub(super) fn begin(
        commit: u64,
        dir: PathBuf,
        files: Vec<FileSync>,
    ) -> Result<Self, SpentError> {
        let of = dir.clone();
        let thread = std::thread::Builder::new()
            .name("thinstate-spent-sync".to_owned())
            .spawn(move || {
                files.into_iter().try_for_each(FileSync::sync)?;
                let synced = File::open(&dir).and_then(|dir| dir.sync_all());
                synced.map_err(|error| SpentError::io("sync", &dir, &error))
            })
            .map_err(|error| SpentError::io("start a thread to sync", &of, &error))?;
        Ok(Self { commit, thread })
    }

    /// Whether it is done, well or not.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for it; the commit up to which the files are durable.
    pub(super) fn finish(self) -> Result<u64, SpentError> {
        match self.thread.join() {
            Ok(result) => result.map(|()| self.commit),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl SpentFields {
    /// Takes note of a sync that is done, and begins one that is due.
    pub(super) fn tend_checkpoint(&mut self) -> Result<(), SpentError> {
        if let Some(cause) = &self.poison {
            let cause = cause.clone();
            return Err(SpentError::Poisoned { cause });
        }
        if self
            .checkpoint
            .as_ref()
            .is_some_and(Checkpoint::is_finished)
        {
            self.finish_checkpoint()?;
        }
        let due = self.head.commit >= self.synced + self.options.checkpoint_commits.max(1);
        if due && self.checkpoint.is_none() {
            self.begin_checkpoint()?;
        }
        Ok(())
    }

    fn begin_checkpoint(&mut self) -> Result<(), SpentError> {
        let Some(dir) = self.options.dir.clone() else {
            return Ok(());
        };
        let files = self.fields.values();
        let files = files.filter_map(|bits| Some(bits.words.file()?.syncer(bits.words.len())));
        let files = files.collect::<Result<_, _>>()?;
        self.checkpoint = Some(Checkpoint::begin(self.head.commit, dir, files)?);
        Ok(())
    }

    fn finish_checkpoint(&mut self) -> Result<(), SpentError> {
        let Some(checkpoint) = self.checkpoint.take() else {
            return Ok(());
        };
        match checkpoint.finish() {
            Ok(commit) => self.synced = commit,
            Err(error) => {
                // The kernel may have dropped what it could not write: a second try that succeeds
                // would say nothing about the first.
                self.poison = Some(error.to_string());
                return Err(error);
            }
        }
        Ok(())
    }

    /// Syncs all files now, and waits for it: the next commit empties the journal.
    pub fn sync(&mut self) -> Result<(), SpentError> {
        self.finish_checkpoint()?;
        self.tend_checkpoint()?;
        self.finish_checkpoint()?;
        self.begin_checkpoint()?;
        self.finish_checkpoint()
    }
}

impl Drop for SpentFields {
    fn drop(&mut self) {
        // A sync that fails now leaves the journal as it is, which is enough.
        let _ = self.finish_checkpoint();
    }
}
