//! A node's JSON-RPC: blocks are fetched into files, which the readers of files then take.
//!
//! | method | calls for each block | files |
//! |---|---|---|
//! | [`FetchMethod::Witness`] | `debug_getRawBlock`, `debug_executionWitness` | `N.block.json`, `N.witness.json` |
//! | [`FetchMethod::Prestate`] | `eth_getBlockByNumber`, `debug_traceBlockByNumber` with the prestate tracer, without `diffMode` and with it | `N.block.json`, `N.prestate.json`, `N.diff.json` |
//! | [`FetchMethod::Bal`] | `eth_getBlockByNumber`, `eth_getBlockAccessList` | `N.block.json`, `N.bal.json` |
//!
//! The files have the names and shapes of [`input`](super::input), with `.zst`: what was fetched can be read
//! again without the node, and a trace of it is the trace of those files.
//!
//! # Gentle by default
//!
//! [`Client`] makes at most [`ClientOptions::rps`] requests a second, over all its threads, and [`fetch()`] at
//! most [`FetchPlan::max_concurrent`] at a time. A request that fails for a reason that may pass (429, 408,
//! 5xx, a timeout, a connection that breaks, a body that is no JSON, an answer to another request, and the
//! error codes by which nodes refuse load) is made again, after [`Backoff`]: twice as long each time, with
//! jitter, or as long as `Retry-After` says. Everything else ends the fetch with an error that names
//! method and block.
//!
//! # Going on
//!
//! A document is written whole or not at all. What is there, decompresses with its checksum right, and is
//! of the block that it is named for, is not asked for again; anything else is fetched anew. `fetch.json`
//! says for which chain and method a folder was begun: another one is refused.
//!
//! # Cost
//!
//! Memory: the document of each request under way, several times over while it is parsed; responses are
//! limited to [`ClientOptions::response_bytes_max`].

mod backoff;
mod client;
mod error;
mod fetch;
mod folder;
mod method;
mod pace;

pub use backoff::Backoff;
pub use client::{Client, ClientOptions};
pub use error::{CallFault, FetchError, RpcError};
pub use fetch::{FetchPlan, FetchReport, Fetched, fetch};
pub use folder::FetchFolder;
pub use method::{FetchMethod, choose};
