//! A file of a simulated disk.

use super::super::super::super::StoreError;
use super::super::transfer::{self, Positioned};
use super::super::{Answer, DiskCounters, DiskFile, counters::FileCounters, failure};
use super::fault::{Fault, Operation, error_of};
use super::state::FileId;
use super::{On, SimDisk, cut};
use core::cell::Cell;
use std::{io, path::PathBuf, sync::Arc};

/// A file of a [`SimDisk`].
#[derive(Clone, Debug)]
pub(crate) struct SimFile {
    disk: SimDisk,
    id: FileId,
    path: PathBuf,
    counters: Arc<FileCounters>,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, id: FileId, path: PathBuf) -> Self {
        Self {
            disk,
            id,
            path,
            counters: Arc::default(),
        }
    }

    /// Counts a transfer, and gives what does it, or fails to.
    fn port(&self, operation: Operation) -> Port<'_> {
        let fault = self.disk.lock().begin(operation);
        Port {
            file: self,
            fault: Cell::new(fault),
        }
    }

    fn read_one(&self, offset: u64, bytes: usize) -> Answer {
        let mut buffer = vec![0; bytes];
        self.read_at(offset, &mut buffer)?;
        Ok(buffer)
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> Result<u64, StoreError> {
        Ok(self.disk.lock().files[self.id].live.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        let port = self.port(Operation::Read);
        transfer::read(&port, &self.path, offset, buffer)?;
        self.counters.read(buffer.len());
        Ok(())
    }

    fn read_many(&self, requests: &[(u64, usize)]) -> Vec<Result<Vec<u8>, StoreError>> {
        requests
            .iter()
            .map(|&(offset, bytes)| self.read_one(offset, bytes))
            .collect()
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let port = self.port(Operation::Write);
        transfer::write(&port, &self.path, offset, bytes)?;
        self.counters.wrote(bytes.len());
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), StoreError> {
        self.disk.act(Operation::SetLen, &self.path, |state| {
            state.set_len(self.id, len)
        })
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.disk.lock();
        let fault = state.begin(Operation::Sync);
        // Another one each time, and the same in each run.
        let seed = state.count(On::Any);
        let file = &mut state.files[self.id];
        match fault {
            None | Some(Fault::LateIo) => file.sync(),
            Some(Fault::LostSync) => cut::lose_sync(file, seed),
            Some(_) => {}
        }
        if let Some(fault) = fault {
            return Err(failure::of("sync", &self.path, &error_of(fault)));
        }
        self.counters.synced();
        Ok(())
    }

    fn counters(&self) -> DiskCounters {
        self.counters.get()
    }
}

/// One transfer, which may go wrong.
struct Port<'a> {
    file: &'a SimFile,
    /// What happens next.
    fault: Cell<Option<Fault>>,
}

impl Port<'_> {
    /// How many of the bytes are to be transferred now.
    fn part(&self, bytes: usize) -> io::Result<usize> {
        let Some(fault) = self.fault.take() else {
            return Ok(bytes);
        };
        let then = match fault {
            Fault::Short => None,
            Fault::ShortThenIo => Some(Fault::Io),
            Fault::ShortThenNoSpace => Some(Fault::NoSpace),
            fault => return Err(error_of(fault)),
        };
        self.fault.set(then);
        // What is continued begins at no boundary.
        Ok(bytes.min(bytes / 2 + 1))
    }
}

impl Positioned for Port<'_> {
    fn pread(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let part = self.part(buffer.len())?;
        let state = self.file.disk.lock();
        let live = &state.files[self.file.id].live;
        let begin = live
            .len()
            .min(usize::try_from(offset).unwrap_or(usize::MAX));
        let end = live.len().min(begin.saturating_add(part));
        let found = &live[begin..end];
        buffer[..found.len()].copy_from_slice(found);
        Ok(found.len())
    }

    fn pwrite(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.file.disk.lock();
        if self.fault.get() == Some(Fault::PowerOff) {
            // It was on its way when the power went.
            state.write(self.file.id, offset, bytes)?;
        }
        let part = self.part(bytes.len())?;
        state.write(self.file.id, offset, &bytes[..part])
    }
}
