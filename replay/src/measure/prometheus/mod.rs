//! A run while it runs, for Prometheus: `--metrics-addr`.
//!
//! | kind | names | from |
//! |---|---|---|
//! | counter | `thinstate_NAME_total` | every metric that is a count, gas or bytes; all blocks, the burn-in too |
//! | histogram | `thinstate_NAME_seconds` | every metric that is a time, without its `_ns`; blocks that count |
//! | gauge | `thinstate_memory_bytes`, `thinstate_block_number` | the last block |
//! | gauge, always 1 | `thinstate_run_info` | what runs, in its labels |
//!
//! The text format is version 0.0.4 of Prometheus' exposition format. `etc/grafana/thinstate.json` is a dashboard of these names,
//! `etc/prometheus/prometheus.yml` what Prometheus needs. A block costs a lock and an addition for each metric, whether anybody
//! scrapes or not; a scrape costs the run the lock.

mod exporter;
mod server;

pub use exporter::{Exporter, names};
pub use server::{Server, serve};
