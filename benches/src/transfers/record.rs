//! What is recorded of a run of transfers, and the table that compares them.

use super::Applied;
use crate::print_rows;
use core::time::Duration;
use hdrhistogram::Histogram;

/// A run of blocks of one size on one store.
#[derive(Clone, Debug)]
pub struct TransferRecord {
    name: &'static str,
    holders: u64,
    transfers: u64,
    block_ns: Histogram<u64>,
    applied: Applied,
    device_written_bytes: u64,
}

/// The store that others are compared with, and how its name begins.
const BASES: [(&str, &str); 2] = [("floor", "/ floor"), ("permanent", "/ permanent")];

impl TransferRecord {
    /// An empty record.
    pub fn new(name: &'static str, holders: u64, transfers: u64) -> Self {
        Self {
            name,
            holders,
            transfers,
            block_ns: Histogram::new(3).expect("three digits are allowed"),
            applied: Applied::default(),
            device_written_bytes: 0,
        }
    }

    /// Notes a block.
    pub fn add(&mut self, took: Duration, applied: Applied) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let recorded = self.block_ns.record(ns);
        recorded.expect("the histogram grows as it needs to");
        self.applied = self.applied.plus(applied);
    }

    /// Notes what went to the device while blocks were applied, between them, or afterwards.
    pub const fn wrote(&mut self, device_written_bytes: u64) {
        self.device_written_bytes += device_written_bytes;
    }

    /// Transfers per second at the median block.
    pub fn transfers_per_second(&self) -> f64 {
        self.transfers as f64 * 1e9 / self.block_ns.value_at_quantile(0.5) as f64
    }

    fn updates_per_second(&self) -> f64 {
        self.transfers_per_second() * self.per_transfer(self.applied.updates)
    }

    fn device_per_transfer(&self) -> f64 {
        self.per_transfer(self.device_written_bytes)
    }

    fn per_transfer(&self, total: u64) -> f64 {
        total as f64 / (self.block_ns.len() * self.transfers) as f64
    }

    /// Whether both are runs of the same blocks.
    fn alike(&self, other: &Self) -> bool {
        (self.holders, self.transfers) == (other.holders, other.transfers)
    }

    fn row(&self, all: &[Self]) -> Vec<String> {
        let ms = |q| format!("{:.1}", self.block_ns.value_at_quantile(q) as f64 / 1e6);
        let per = |total| format!("{:.1}", self.per_transfer(total));
        let mut row = vec![
            self.name.to_owned(),
            format!("{}M", self.holders as f64 / 1e6),
            self.transfers.to_string(),
            self.block_ns.len().to_string(),
            format!("{:.0}", self.transfers_per_second()),
            format!("{:.0}", self.updates_per_second()),
        ];
        for (base, _) in BASES {
            let base = all
                .iter()
                .find(|r| r.name.starts_with(base) && r.alike(self));
            row.push(base.map_or("-".to_owned(), |base| {
                let ratio = self.transfers_per_second() / base.transfers_per_second();
                format!("{ratio:.2}")
            }));
        }
        let permanent = all
            .iter()
            .find(|r| r.name.starts_with("permanent") && r.alike(self));
        row.extend([
            ms(0.5),
            ms(0.99),
            per(self.device_written_bytes),
            permanent.map_or("-".to_owned(), |permanent| {
                let ratio = self.device_per_transfer() / permanent.device_per_transfer();
                format!("{ratio:.3}")
            }),
            per(self.applied.logical_bytes),
            per(self.applied.hashes),
            format!("{:.2}", self.per_transfer(self.applied.reads)),
            per(self.applied.witness_bytes),
            per(self.applied.archive_bytes),
        ]);
        row
    }
}

/// Prints a Markdown table of all runs to stderr.
pub fn print_transfers(records: &[TransferRecord]) {
    let mut heads = vec![
        "state",
        "holders",
        "transfers",
        "blocks",
        "transfers/s",
        "updates/s",
    ];
    heads.extend(BASES.map(|(_, head)| head));
    heads.extend([
        "p50 ms",
        "p99 ms",
        "device B per transfer",
        "/ permanent",
        "logical B",
        "hashes",
        "page reads",
        "witness B",
        "archive B",
    ]);
    let measured = records.iter().filter(|r| !r.block_ns.is_empty());
    let rows: Vec<_> = measured.map(|r| r.row(records)).collect();
    print_rows(&heads, &rows);
}
