//! The stages of a probe, one after the other.

use super::{
    error::{DeviceError, os},
    file::ProbeFile,
    job::{Job, Places, Samples},
    report::{DeviceReport, LatencyRow, Method, Operation, profile},
    sync, threads,
};
use crate::measure::BlockDevice;
use core::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};
use std::{fs::File, io, path::Path};

/// Bytes of a random request.
pub(super) const PAGE_BYTES: u32 = 4096;

/// Bytes of a sequential request, and how many are in flight.
const STREAM_BYTES: u32 = 1 << 20;
const STREAM_DEPTH: u32 = 8;

/// Requests in flight, stage by stage.
const DEPTHS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// How a device is probed.
#[derive(Clone, Copy, Debug)]
pub struct DeviceOptions {
    /// About how long.
    pub time: Duration,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Threads even where io_uring works.
    pub threads: bool,
}

impl Default for DeviceOptions {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            file_bytes: 1 << 30,
            threads: false,
        }
    }
}

/// Probes the device under a folder; `status` hears of each stage.
pub fn probe(
    dir: &Path,
    options: DeviceOptions,
    stop: &AtomicBool,
    status: &mut dyn FnMut(&str),
) -> Result<DeviceReport, DeviceError> {
    let file = ProbeFile::create(dir, options.file_bytes)?;
    let method = method(options);
    let mut run = Run {
        dir,
        file: &file.file,
        method,
        time: options.time,
        stop,
        span: options.file_bytes,
        rows: vec![],
    };
    run.all(status)?;
    let mut notes = vec![format!("{} bytes of a file, {method:?}", run.span)];
    if !file.direct {
        notes.push("the file system refuses O_DIRECT: part of it is the page cache's".to_owned());
    }
    let device = BlockDevice::under(dir).unwrap_or_default();
    let name = device.model.unwrap_or(device.name);
    Ok(DeviceReport {
        profile: profile(name, notes, &run.rows),
        method,
        direct_io: file.direct,
        file_bytes: run.span,
        latencies: run.rows,
    })
}

#[cfg(target_os = "linux")]
fn method(options: DeviceOptions) -> Method {
    if !options.threads && super::uring::works() {
        Method::IoUring
    } else {
        Method::Threads
    }
}

#[cfg(not(target_os = "linux"))]
const fn method(_: DeviceOptions) -> Method {
    Method::Threads
}

/// A probe under way.
struct Run<'a> {
    dir: &'a Path,
    file: &'a File,
    method: Method,
    time: Duration,
    stop: &'a AtomicBool,
    /// Bytes of the file that have something in them.
    span: u64,
    rows: Vec<LatencyRow>,
}

impl Run<'_> {
    fn all(&mut self, status: &mut dyn FnMut(&str)) -> Result<(), DeviceError> {
        status("sequential writes");
        let filled = self.stage(Operation::Write, Places::Fill, STREAM_DEPTH, self.time / 5)?;
        self.span = filled.latency_ns.len() * u64::from(STREAM_BYTES);
        self.file
            .sync_all()
            .map_err(os("make durable a file in", self.dir))?;
        status("sequential reads");
        self.stage(
            Operation::Read,
            Places::Sequential,
            STREAM_DEPTH,
            self.time / 12,
        )?;
        for depth in DEPTHS {
            status(&format!("random reads, {depth} in flight"));
            self.stage(Operation::Read, Places::Random, depth, self.time / 20)?;
        }
        for depth in DEPTHS {
            status(&format!("random writes, {depth} in flight"));
            self.stage(Operation::Write, Places::Random, depth, self.time / 25)?;
        }
        status("appends with fdatasync");
        let samples = sync::run(self.dir, self.time / 15, self.stop);
        let samples = samples.map_err(os("append to a file in", self.dir))?;
        let row = LatencyRow::new(Operation::Sync, true, PAGE_BYTES.into(), 1, &samples);
        self.rows.push(row);
        self.check()
    }

    /// A stage of reads or writes, and its row.
    fn stage(
        &mut self,
        operation: Operation,
        places: Places,
        depth: u32,
        time: Duration,
    ) -> Result<Samples, DeviceError> {
        let sequential = places != Places::Random;
        let request_bytes = if sequential { STREAM_BYTES } else { PAGE_BYTES };
        let samples = self.requests(Job {
            operation,
            request_bytes,
            depth,
            span: self.span,
            places,
            time,
            stop: self.stop,
        });
        let samples = samples.map_err(os("read and write a file in", self.dir))?;
        self.check()?;
        let bytes = request_bytes.into();
        let row = LatencyRow::new(operation, sequential, bytes, depth, &samples);
        self.rows.push(row);
        Ok(samples)
    }

    #[cfg(target_os = "linux")]
    fn requests(&self, job: Job<'_>) -> io::Result<Samples> {
        match self.method {
            Method::IoUring => super::uring::run(self.file, job),
            Method::Threads => threads::run(self.file, job),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn requests(&self, job: Job<'_>) -> io::Result<Samples> {
        threads::run(self.file, job)
    }

    fn check(&self) -> Result<(), DeviceError> {
        if self.stop.load(Relaxed) {
            return Err(DeviceError::Interrupted);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use std::{collections::BTreeSet, fs};

    const QUICK: DeviceOptions = DeviceOptions {
        time: Duration::from_millis(700),
        file_bytes: 16 << 20,
        threads: false,
    };

    #[test]
    fn no_stage_is_left_out_and_no_file_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        for threads in [false, true] {
            let options = DeviceOptions { threads, ..QUICK };
            let mut files = 0;
            let mut count = |_: &str| files += fs::read_dir(dir.path()).unwrap().count();
            let report = probe(dir.path(), options, &AtomicBool::new(false), &mut count).unwrap();
            assert_eq!(files, 0, "the file has a name");
            assert_eq!(report.latencies.len(), 2 + 2 * DEPTHS.len() + 1);
            assert!(report.file_bytes <= QUICK.file_bytes && report.file_bytes > 0);
            for row in &report.latencies {
                assert!(row.count > 0 && row.iops > 0.0, "{row:?}");
                assert!(row.latency_us_p50 <= row.latency_us_p99, "{row:?}");
            }
            let profile = report.profile;
            let depths: BTreeSet<_> = profile.read_iops.keys().copied().collect();
            assert_eq!(depths, BTreeSet::from(DEPTHS));
            let text = toml::to_string(&profile).unwrap();
            assert_eq!(
                toml::from_str::<crate::measure::DeviceProfile>(&text).unwrap(),
                profile
            );
        }
    }

    #[test]
    fn a_probe_that_is_stopped_has_no_result() {
        let dir = tempfile::tempdir().unwrap();
        let stop = AtomicBool::new(false);
        let mut halt = |stage: &str| {
            if stage.starts_with("random reads, 4") {
                stop.store(true, Relaxed);
            }
        };
        let outcome = probe(dir.path(), QUICK, &stop, &mut halt);
        assert!(matches!(outcome, Err(DeviceError::Interrupted)));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_does_not_fit_is_not_begun() {
        let dir = tempfile::tempdir().unwrap();
        let options = DeviceOptions {
            file_bytes: 1 << 60,
            ..QUICK
        };
        let outcome = probe(dir.path(), options, &AtomicBool::new(false), &mut |_| {});
        assert!(matches!(outcome, Err(DeviceError::Space { .. })));
    }
}
