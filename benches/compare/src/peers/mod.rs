//! What a comparison of key-value workloads found: a file for programs, tables for people.
//!
//! | part | what |
//! |---|---|
//! | [`PeersResult`] | `peers.json`, schema `thinstate-peers/1` |
//! | [`disagreements`] | roots of Ethereum that differ between stores |
//! | [`tables`] | Markdown |
//! | [`document`] | the place of such tables in a file, between markers |
//! | [`versions`] | versions of the stores, from the lock file |

mod agree;
pub mod document;
mod result;
pub mod tables;
pub mod versions;

pub use agree::disagreements;
pub use result::{DrawsFound, Kind, PeersResult, Setting, StoreFound};
