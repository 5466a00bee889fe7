//! Sources of traces, tested from outside: access lists, pre-states, a node, the command.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "../support/node.rs"]
mod node_server;
#[path = "../support/mod.rs"]
mod support;

mod chain;
mod command;
#[cfg(feature = "parquet")]
mod extracts;
mod limits;
mod lists;
mod node;
mod prestates;
