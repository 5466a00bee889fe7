//! Codes of contracts.

use super::keys;
use alloy_primitives::{B256, Bytes};
use std::sync::Arc;
use thinstate_formats::keccak::BatchHasher;

/// Different codes.
const CODES: u64 = 1_000;
/// EIP-170.
const CODE_BYTES_MAX: f64 = 24_576.0;
/// With it lengths have a mean of about 9,450 bytes, and one in ten is above 20,700: those of the codes that
/// 20 real blocks of 2024 to 2026 load (mean 9,434; one in ten above 22,100).
const LENGTH_EXPONENT: f64 = 1.6;

/// The hashes of all codes of a population; the codes themselves are made when they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    seed: u64,
    hashes: Arc<[B256]>,
}

impl Codes {
    pub(super) fn new(seed: u64) -> Self {
        let codes: Vec<Bytes> = (0..CODES).map(|code| bytes(seed, code)).collect();
        Self {
            seed,
            hashes: BatchHasher::new().hash_all(&codes).into(),
        }
    }

    /// The hash of the code of a contract.
    pub(super) fn of(&self, contract: u64) -> B256 {
        let code = keys::number(self.seed ^ keys::CODE, contract, 0) % CODES;
        self.hashes[code as usize]
    }

    /// All codes, with their hashes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (B256, Bytes)> + '_ {
        let codes = (0..CODES).map(|code| bytes(self.seed, code));
        self.hashes.iter().copied().zip(codes)
    }
}

fn bytes(seed: u64, code: u64) -> Bytes {
    let seed = seed ^ keys::CODE_BYTES;
    let length = keys::unit(seed, code, 0).powf(LENGTH_EXPONENT) * CODE_BYTES_MAX;
    let length = (length as usize).max(16);
    let mut bytes: Vec<u8> = (0..length.div_ceil(8) as u64)
        .flat_map(|at| keys::number(seed, code, at + 1).to_be_bytes())
        .collect();
    bytes.truncate(length);
    bytes.into()
}
