//! Codes of contracts.

use super::keys;
use alloy_primitives::{B256, Bytes};
use rayon::prelude::*;
use std::sync::Arc;
use thinstate_formats::keccak::BatchHasher;

/// Different codes, for each contract: 2.9 % of mainnet's contracts have a code of their own (ethereum-magicians 25508).
const CODES_PER_CONTRACT: f64 = 0.029;
/// Different codes at least: hubs of the smallest populations do not all have the same.
const CODES_LEAST: u64 = 1_000;
/// Codes that one thread makes and hashes at a time: 2 MB.
const CHUNK: u64 = 256;
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
    /// Those of so many contracts. Makes and hashes them all, on all threads: 9.5 KB for each.
    pub(super) fn new(seed: u64, contracts: u64) -> Self {
        let count = ((contracts as f64 * CODES_PER_CONTRACT) as u64).max(CODES_LEAST);
        let chunks = (0..count.div_ceil(CHUNK)).into_par_iter();
        let hashes = chunks.flat_map_iter(|chunk| {
            let codes = chunk * CHUNK..count.min((chunk + 1) * CHUNK);
            let codes: Vec<Bytes> = codes.map(|code| bytes(seed, code)).collect();
            BatchHasher::new().hash_all(&codes)
        });
        Self {
            seed,
            hashes: hashes.collect::<Vec<_>>().into(),
        }
    }

    /// The hash of the code of a contract.
    pub(super) fn of(&self, contract: u64) -> B256 {
        let code = keys::number(self.seed ^ keys::CODE, contract, 0) % self.hashes.len() as u64;
        self.hashes[code as usize]
    }

    /// All codes, by ascending hash.
    pub(super) fn iter(&self) -> impl Iterator<Item = (B256, Bytes)> + '_ {
        let codes = self.ascending().into_iter();
        codes.map(|code| {
            (
                self.hashes[code as usize],
                bytes(self.seed, u64::from(code)),
            )
        })
    }

    /// Their lengths, by ascending hash.
    pub(super) fn lengths(&self) -> impl ExactSizeIterator<Item = (B256, u32)> + '_ {
        let codes = self.ascending().into_iter();
        codes.map(|code| {
            (
                self.hashes[code as usize],
                length(self.seed ^ keys::CODE_BYTES, u64::from(code)) as u32,
            )
        })
    }

    /// Numbers of the codes, by ascending hash.
    fn ascending(&self) -> Vec<u32> {
        let mut codes: Vec<u32> = (0..self.hashes.len() as u32).collect();
        codes.sort_unstable_by_key(|code| self.hashes[*code as usize]);
        codes
    }
}

fn length(seed: u64, code: u64) -> usize {
    let length = keys::unit(seed, code, 0).powf(LENGTH_EXPONENT) * CODE_BYTES_MAX;
    (length as usize).max(16)
}

fn bytes(seed: u64, code: u64) -> Bytes {
    let seed = seed ^ keys::CODE_BYTES;
    let length = length(seed, code);
    let words = length.div_ceil(8) as u64;
    let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
    for at in 0..words {
        bytes.extend_from_slice(&keys::number(seed, code, at + 1).to_be_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}
