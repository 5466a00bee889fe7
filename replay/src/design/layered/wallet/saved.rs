//! The wallets in a file, so that a store can be closed and gone on with.
//!
//! ```text
//! objects u64 | for each: key 16 | records u32 | for each: index u64 | value 32
//! next index u64
//! trees u64 | for each: block u64 | first index u64 | records u32 | hashes of them, 32 each
//! ```
//!
//! Numbers are little-endian, values big-endian. Only what the origin does not say is written: objects that
//! blocks have touched, in the order of their keys, and trees of blocks behind the fill.

use super::{Coin, CoinKey, Known, Wallet, tree::UpperTree};
use alloy_primitives::{B256, U256};
use std::io::{self, Read, Write};
use thinstate_formats::{BlockNumber, RecordIndex};

/// Items for which room is made before they are read: a number that is wrong costs no more.
const ROOM: usize = 1 << 16;

impl Wallet {
    /// Writes what the origin does not say.
    pub(in crate::design::layered) fn save(&self, to: &mut impl Write) -> io::Result<()> {
        let mut touched: Vec<_> = self.touched.iter().collect();
        touched.sort_unstable_by_key(|(key, _)| **key);
        put_u64(to, touched.len() as u64)?;
        for (key, coins) in touched {
            to.write_all(&key.0)?;
            to.write_all(&(coins.len() as u32).to_le_bytes())?;
            for coin in coins {
                put_u64(to, coin.index.0)?;
                to.write_all(&coin.value.to_be_bytes::<32>())?;
            }
        }
        put_u64(to, self.next_index.0)?;
        let trees = || {
            self.trees
                .iter()
                .filter_map(|it| Some((it, it.hashes.as_ref()?)))
        };
        put_u64(to, trees().count() as u64)?;
        for (known, hashes) in trees() {
            let range = known.tree.range();
            put_u64(to, range.block.0)?;
            put_u64(to, range.first_index.0)?;
            to.write_all(&range.count.to_le_bytes())?;
            for hash in hashes {
                to.write_all(hash.as_slice())?;
            }
        }
        Ok(())
    }

    /// Adds what was written to what the origin says.
    pub(in crate::design::layered) fn load(&mut self, from: &mut impl Read) -> io::Result<()> {
        for _ in 0..read_u64(from)? {
            let key = CoinKey(array(from)?);
            let count = u32::from_le_bytes(array(from)?);
            let mut coins = Vec::new();
            for _ in 0..count {
                coins.push(Coin {
                    index: RecordIndex(read_u64(from)?),
                    value: read_word(from)?,
                });
            }
            self.touched.insert(key, coins);
        }
        self.next_index = RecordIndex(read_u64(from)?);
        for _ in 0..read_u64(from)? {
            let (block, first) = (BlockNumber(read_u64(from)?), RecordIndex(read_u64(from)?));
            let count = u32::from_le_bytes(array(from)?);
            let mut hashes = Vec::with_capacity((count as usize).min(ROOM));
            for _ in 0..count {
                hashes.push(B256::new(array(from)?));
            }
            self.trees.push(Known {
                tree: UpperTree::build(&self.hasher, block, first, &hashes),
                hashes: Some(hashes),
            });
        }
        Ok(())
    }
}

pub(in crate::design::layered) fn put_u64(to: &mut impl Write, number: u64) -> io::Result<()> {
    to.write_all(&number.to_le_bytes())
}

pub(in crate::design::layered) fn read_u64(from: &mut impl Read) -> io::Result<u64> {
    Ok(u64::from_le_bytes(array(from)?))
}

pub(in crate::design::layered) fn read_word(from: &mut impl Read) -> io::Result<U256> {
    Ok(U256::from_be_bytes::<32>(array(from)?))
}

pub(in crate::design::layered) fn array<const N: usize>(
    from: &mut impl Read,
) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
