//! Code, as designs store and read it.
//!
//! Traces and generated blocks name code by its hash and length. What a design stores under the hash is made of both,
//! as long as the code is; a store that is filled with a population has the population's own. Code belongs to no account
//! and no copy: it is stored once, read by whoever names its hash, and never removed. There is no cache of code but the
//! store's own: a client that keeps the codes of the hubs in memory reads fewer.

use super::{DesignError, Overlay, ReadCost, tally::asking};
use crate::load::BlockLoad;
use alloy_primitives::{B256, Bytes};
use core::error::Error;
use rayon::prelude::*;
use thinstate_formats::{BlockNumber, trace::CodeRead};

/// Codes that one thread reads at a time.
const CHUNK: usize = 4;

/// A code is not what the load expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("block {number}: code {hash}: expected {expected} bytes, found {}", show(*got))]
pub struct WrongCode {
    /// The block.
    pub number: BlockNumber,
    /// The code's hash.
    pub hash: B256,
    /// Bytes that the load says it has.
    pub expected: u32,
    /// Bytes that the store has; `None` where it has no such code.
    pub got: Option<u64>,
}

fn show(got: Option<u64>) -> String {
    got.map_or_else(|| "none".to_owned(), |bytes| bytes.to_string())
}

/// Bytes that stand for a code of which hash and length are known: as good as random, as those of a population are, and
/// always the same.
pub fn stand_in(hash: B256, length: u32) -> Bytes {
    let length = length as usize;
    let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
    let mut state = u64::from_be_bytes(hash[..8].try_into().expect("a hash has 32 bytes"));
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// Reads every code that a load names, in parallel on the threads of the pool that this runs in, and counts codes and
/// bytes in `cost`, and which of them the store's own cache did not hold. `get` asks the store.
///
/// What a pending block or the load itself deploys is there, whether or not the store has it yet. A code that is nowhere,
/// or has another length, is an error: store and workload do not belong together.
pub fn read<C, E>(
    load: &BlockLoad,
    overlay: &Overlay,
    cost: &mut ReadCost,
    get: impl Fn(B256) -> Result<Option<C>, E> + Sync,
) -> Result<(), DesignError>
where
    C: AsRef<[u8]>,
    E: Error + Send + Sync + 'static,
{
    let check = |code: &CodeRead| -> Result<[u64; 2], DesignError> {
        let deployed = || {
            overlay
                .code(code.hash)
                .or_else(|| deployed_by(load, code.hash))
        };
        let (found, is_cold) = asking(|| get(code.hash));
        let found =
            found.map_err(|error| DesignError::store(format!("read code {}", code.hash))(error))?;
        let found = found.map(|code| code.as_ref().len() as u64);
        let got = found.or_else(|| deployed().map(u64::from));
        if got == Some(u64::from(code.length)) {
            return Ok([u64::from(code.length), u64::from(is_cold)]);
        }
        let wrong = WrongCode {
            number: load.number,
            hash: code.hash,
            expected: code.length,
            got,
        };
        Err(DesignError::Code(Box::new(wrong)))
    };
    let codes = load.code_reads.par_iter().with_min_len(CHUNK).map(check);
    let [bytes, cold] = codes.try_reduce(
        || [0; 2],
        |[bytes, cold], [more, colder]| Ok([bytes + more, cold + colder]),
    )?;
    cost.codes += load.code_reads.len() as u64;
    cost.codes_cold += cold;
    cost.code_bytes += bytes;
    Ok(())
}

/// The length of a code that a load deploys.
pub(super) fn deployed_by(load: &BlockLoad, hash: B256) -> Option<u32> {
    let at = load.code_writes.binary_search_by_key(&hash, |it| it.hash);
    at.ok().map(|at| load.code_writes[at].length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use std::sync::Arc;
    use thinstate_formats::trace::CodeWrite;

    fn hash(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn reading(codes: &[(u8, u32)]) -> BlockLoad {
        let codes = codes.iter();
        let code = |(byte, length): &(u8, u32)| CodeRead {
            hash: hash(*byte),
            length: *length,
        };
        BlockLoad {
            number: BlockNumber(7),
            code_reads: codes.map(code).collect(),
            ..BlockLoad::default()
        }
    }

    fn deploying(byte: u8, length: u32) -> BlockLoad {
        let code = CodeWrite {
            hash: hash(byte),
            length,
        };
        BlockLoad {
            code_writes: vec![code],
            ..BlockLoad::default()
        }
    }

    #[test]
    fn no_stand_in_has_another_length_or_other_bytes_twice() {
        for length in [0, 1, 8, 23, 24_576] {
            let bytes = stand_in(hash(1), length);
            assert_eq!(bytes.len(), length as usize);
            assert_eq!(bytes, stand_in(hash(1), length));
        }
        assert_ne!(stand_in(hash(1), 32), stand_in(hash(2), 32));
    }

    #[test]
    fn no_code_that_a_pending_block_deploys_is_missed() {
        let store = |asked: B256| Ok::<_, Infallible>((asked == hash(1)).then_some([0; 100]));
        let mut load = reading(&[(1, 100), (2, 50), (3, 60)]);
        load.code_writes = deploying(3, 60).code_writes;
        let overlay = Overlay {
            blocks: vec![Arc::new(deploying(2, 50))],
        };
        let mut cost = ReadCost::default();
        read(&load, &overlay, &mut cost, store).expect("all are there");
        assert_eq!((cost.codes, cost.code_bytes), (3, 210));
        let missing = read(&load, &Overlay::default(), &mut cost, store).expect_err("2 is nowhere");
        assert_eq!(
            missing.to_string(),
            format!("block 7: code {}: expected 50 bytes, found none", hash(2))
        );
    }

    #[test]
    fn no_code_of_another_length_is_taken() {
        let store = |_: B256| Ok::<_, Infallible>(Some([0; 99]));
        let mut cost = ReadCost::default();
        let wrong = read(&reading(&[(1, 100)]), &Overlay::default(), &mut cost, store);
        assert!(
            matches!(&wrong, Err(DesignError::Code(it)) if it.got == Some(99) && it.expected == 100),
            "{wrong:?}"
        );
    }
}
