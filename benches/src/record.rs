//! What is recorded of a run, and the table that it ends in.

use core::time::Duration;
use hdrhistogram::Histogram;
use thinstate_engine::{CommitReport, leaf_store::IoCounters};

/// A run of blocks of one size on one store.
#[derive(Debug)]
pub struct Record {
    /// The store.
    pub name: String,
    /// Accounts preloaded.
    pub accounts: u64,
    /// Updates in each block.
    pub updates: usize,
    /// Time of each block, in nanoseconds.
    pub block_ns: Histogram<u64>,
    /// What the store did for each block.
    pub io: Vec<IoCounters>,
    /// What the tier did for each block; empty for a store without a root.
    pub reports: Vec<CommitReport>,
    /// Bytes that the process sent to the block device while blocks were applied.
    pub device_written_bytes: u64,
}

impl Record {
    /// An empty record.
    pub fn new(name: &str, accounts: u64, updates: usize) -> Self {
        Self {
            name: name.to_owned(),
            accounts,
            updates,
            block_ns: Histogram::new(3).expect("three digits are allowed"),
            io: Vec::new(),
            reports: Vec::new(),
            device_written_bytes: 0,
        }
    }

    /// Notes the time of a block.
    pub fn took(&mut self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.block_ns
            .record(ns)
            .expect("the histogram grows as it needs to");
    }

    fn per_update(&self, total: u64) -> f64 {
        total as f64 / (self.block_ns.len() as f64 * self.updates as f64)
    }

    /// Updates per second at the median block.
    pub fn updates_per_second(&self) -> f64 {
        self.updates as f64 * 1e9 / self.block_ns.value_at_quantile(0.5) as f64
    }

    fn row(&self) -> [String; 13] {
        let ms = |q| format!("{:.1}", self.block_ns.value_at_quantile(q) as f64 / 1e6);
        let io = |f: fn(&IoCounters) -> u64| self.per_update(self.io.iter().map(f).sum());
        let work = |f: fn(&CommitReport) -> u64| self.per_update(self.reports.iter().map(f).sum());
        let share = |f: fn(&CommitReport) -> Duration| {
            let total: Duration = self.reports.iter().map(f).sum();
            match self.reports.len() {
                0 => "-".to_owned(),
                n => format!("{:.1}", total.as_secs_f64() * 1e3 / n as f64),
            }
        };
        [
            self.name.clone(),
            format!("{}M", self.accounts as f64 / 1e6),
            self.updates.to_string(),
            format!("{:.0}", self.updates_per_second()),
            ms(0.5),
            ms(0.99),
            share(|r| r.state_hash),
            format!(
                "{}/{}",
                share(|r| Duration::from_nanos(r.work.load_ns)),
                share(|r| Duration::from_nanos(r.work.hash_ns)),
            ),
            share(|r| r.commit),
            format!("{:.2}", io(|c| c.block_reads)),
            format!(
                "{:.1}/{:.1}",
                work(|r| r.work.hashes),
                work(|r| r.work.permutations)
            ),
            format!(
                "{:.0}/{:.0}",
                io(|c| c.logical_written_bytes),
                io(|c| c.store_written_bytes)
            ),
            format!("{:.0}", self.per_update(self.device_written_bytes)),
        ]
    }
}

/// Prints a Markdown table of all runs to stderr, where Criterion's own lines go not.
pub fn print_table(records: &[Record]) {
    let heads = [
        "store",
        "accounts",
        "updates",
        "updates/s",
        "p50 ms",
        "p99 ms",
        "state_hash ms",
        "of this, all threads: load/hash ms",
        "commit ms",
        "pages read/upd",
        "hashes/perms per upd",
        "logical/store B per upd",
        "device B per upd",
    ];
    let measured = records.iter().filter(|r| !r.block_ns.is_empty());
    let rows: Vec<_> = measured.map(|r| r.row().to_vec()).collect();
    print_rows(&heads, &rows);
}

/// Prints a Markdown table to stderr.
pub fn print_rows(heads: &[&str], rows: &[Vec<String>]) {
    eprintln!("\n| {} |", heads.join(" | "));
    eprintln!("|{}", "---|".repeat(heads.len()));
    for row in rows {
        eprintln!("| {} |", row.join(" | "));
    }
}

/// `write_bytes` of `/proc/self/io`; zero where the system does not tell.
pub fn device_written_bytes() -> u64 {
    process_io("write_bytes: ")
}

/// `read_bytes` of `/proc/self/io`; zero where the system does not tell.
pub fn device_read_bytes() -> u64 {
    process_io("read_bytes: ")
}

fn process_io(name: &str) -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|n| n.parse().ok()).unwrap_or_default()
}
