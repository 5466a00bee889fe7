//! Counters of the operating system, read before and after each block.
//!
//! | probe | from | cost |
//! |---|---|---|
//! | [`ProcessProbe`] | `/proc/self/io`, `/proc/self/statm`, the process's CPU clock | 2 reads, 1 clock |
//! | [`DeviceProbe`] | `stat` of the block device under a folder, in `/sys/dev/block` | 1 read |
//!
//! Files stay open and are read again at offset 0: some microseconds for all of them (`thinstate device --overhead`). What the
//! system does not offer is `None`, and counts as nothing.

mod device;
mod file;
mod process;

pub(super) use device::sysfs_folder;
pub use device::{DeviceProbe, DeviceUse};
pub use process::{ProcessProbe, ProcessUse, cpu_time, memory_bytes_max};

use super::BlockCost;
use std::path::Path;

/// Both probes.
#[derive(Debug)]
pub struct Probes {
    process: ProcessProbe,
    device: DeviceProbe,
}

/// What both say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Of this process.
    pub process: ProcessUse,
    /// Of the block device.
    pub device: DeviceUse,
}

impl Probes {
    /// For this process, and for the device under this folder.
    pub fn open(folder: &Path) -> Self {
        Self {
            process: ProcessProbe::open(),
            device: DeviceProbe::open(folder),
        }
    }

    /// What was used until now.
    pub fn now(&mut self) -> Use {
        Use {
            process: self.process.now(),
            device: self.device.now(),
        }
    }
}

impl Use {
    /// What was used since `before`; memory is what is resident now.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            process: self.process.since(&before.process),
            device: self.device.since(&before.device),
        }
    }

    /// Enters it into what a block cost.
    pub fn enter(&self, cost: &mut BlockCost) {
        cost.device_read_bytes = self.process.device_read_bytes.unwrap_or_default();
        cost.device_written_bytes = self.process.device_written_bytes.unwrap_or_default();
        cost.device_reads = self.device.reads.unwrap_or_default();
        cost.device_writes = self.device.writes.unwrap_or_default();
        cost.cpu = self.process.cpu;
        cost.memory_bytes = self.process.memory_bytes.unwrap_or_default();
    }
}
