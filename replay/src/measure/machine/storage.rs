//! The block device under a folder.

use super::text::{number, read, word_in_brackets};
use crate::measure::probes::sysfs_folder;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The device, and how the kernel queues its requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockDevice {
    /// Its name in `/sys/block`.
    pub name: String,
    /// Its model.
    pub model: Option<String>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Its size, in bytes.
    pub size_bytes: Option<u64>,
    /// What orders its requests: `none`, `mq-deadline`.
    pub scheduler: Option<String>,
    /// Requests that the kernel holds for it.
    pub nr_requests: Option<u64>,
    /// Whether it is a disk that turns.
    pub rotational: Option<bool>,
    /// What is read ahead of a sequential reader, in KiB.
    pub read_ahead_kb: Option<u64>,
    /// Bytes of its smallest request.
    pub logical_block_size: Option<u64>,
    /// Bytes that it writes at once.
    pub physical_block_size: Option<u64>,
    /// `write back`, where it has a cache that a flush must empty; else `write through`.
    pub write_cache: Option<String>,
}

impl BlockDevice {
    /// The whole device (of a partition: the one that it is part of). `None` where the file system has no device.
    pub fn under(folder: &Path) -> Option<Self> {
        let node = sysfs_folder(folder)?;
        let device = if node.join("partition").exists() {
            node.parent()?
        } else {
            node.as_path()
        };
        let queue = device.join("queue");
        let hardware = device.join("device");
        Some(Self {
            name: device.file_name()?.to_str()?.to_owned(),
            model: read(hardware.join("model")),
            firmware: read(hardware.join("firmware_rev")).or_else(|| read(hardware.join("rev"))),
            size_bytes: number(device.join("size")).and_then(|it| it.checked_mul(512)),
            scheduler: read(queue.join("scheduler")).and_then(|it| word_in_brackets(&it)),
            nr_requests: number(queue.join("nr_requests")),
            rotational: number(queue.join("rotational")).map(|it| it != 0),
            read_ahead_kb: number(queue.join("read_ahead_kb")),
            logical_block_size: number(queue.join("logical_block_size")),
            physical_block_size: number(queue.join("physical_block_size")),
            write_cache: read(queue.join("write_cache")),
        })
    }
}
