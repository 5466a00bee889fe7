//! Accesses of code. The code itself is not part of a trace: it is named by its hash, and its length
//! is what a read or a deployment of it costs.

use super::wire::Hash;
use alloy_primitives::B256;
use wincode::{SchemaRead, SchemaWrite};

/// Code that was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct CodeRead {
    /// keccak256 of the code.
    #[wincode(with = "Hash")]
    pub hash: B256,
    /// Its length in bytes.
    pub length: u32,
}

/// Code that was deployed, whether or not the state held such code before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct CodeWrite {
    /// keccak256 of the code.
    #[wincode(with = "Hash")]
    pub hash: B256,
    /// Its length in bytes.
    pub length: u32,
}
