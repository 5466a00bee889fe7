//! From pre-states to a trace.

use super::{
    PreAccount, PreState, PrestateError,
    parse::{TxDiff, TxResult},
};
use crate::source::figures::BlockFigures;
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use std::collections::{BTreeMap, BTreeSet};
use thinstate_formats::trace::{
    AccountAccess, BlockAccessIndex, BlockTrace, CodeRead, CodeWrite, SlotAccess, TxAccesses,
};

/// What is known of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prestate {
    /// What the block as a whole touches, as it was before.
    Whole(PreState),
    /// What each transaction found, what each changed, or both.
    Traced {
        /// The tracer's result without `diffMode`.
        found: Option<Vec<TxResult<PreState>>>,
        /// The tracer's result with it.
        changed: Option<Vec<TxResult<TxDiff>>>,
    },
}

/// The trace of a block by its pre-state.
pub fn to_trace(prestate: &Prestate, figures: &BlockFigures) -> Result<BlockTrace, PrestateError> {
    let mut trace = figures.trace();
    trace.accesses = match prestate {
        Prestate::Whole(state) => {
            let only = TxDiff::default();
            vec![group(BlockAccessIndex::PRE_EXECUTION, state, &only)]
        }
        Prestate::Traced { found, changed } => {
            traced(found.as_deref(), changed.as_deref(), figures)?
        }
    };
    trace.sort();
    Ok(trace)
}

fn traced(
    found: Option<&[TxResult<PreState>]>,
    changed: Option<&[TxResult<TxDiff>]>,
    figures: &BlockFigures,
) -> Result<Vec<TxAccesses>, PrestateError> {
    if let Some(found) = found {
        check("prestate", found, figures)?;
    }
    if let Some(changed) = changed {
        check("diff", changed, figures)?;
    }
    let (no_state, no_diff) = (PreState::new(), TxDiff::default());
    let one = |at: u32| {
        let tx = at as usize;
        let state = found.and_then(|it| it.get(tx)).map(|it| &it.result);
        let diff = changed.and_then(|it| it.get(tx)).map(|it| &it.result);
        let index = BlockAccessIndex::from_tx_index(at.into());
        group(index, state.unwrap_or(&no_state), diff.unwrap_or(&no_diff))
    };
    Ok((0..figures.tx_count).map(one).collect())
}

/// Whether a result is of the block's transactions, as far as it names them.
fn check<T>(
    what: &'static str,
    results: &[TxResult<T>],
    figures: &BlockFigures,
) -> Result<(), PrestateError> {
    let (expected, got) = (figures.tx_count as usize, results.len());
    if expected != got {
        return Err(PrestateError::Transactions {
            what,
            expected,
            got,
        });
    }
    for (at, (result, tx)) in results.iter().zip(&figures.tx_hashes).enumerate() {
        if let Some(got) = result.hash
            && got != *tx
        {
            return Err(PrestateError::Transaction {
                what,
                at,
                expected: *tx,
                got,
            });
        }
    }
    Ok(())
}

/// What one index found in `state`, and changed by `diff`.
fn group(index: BlockAccessIndex, state: &PreState, diff: &TxDiff) -> TxAccesses {
    let mut group = TxAccesses::new(index);
    let mut code_reads = BTreeMap::new();
    let mut code_writes = BTreeMap::new();
    let nothing = PreAccount::default();
    let addresses: BTreeSet<&Address> = [state, &diff.pre, &diff.post]
        .into_iter()
        .flat_map(BTreeMap::keys)
        .collect();
    for address in addresses {
        let [found, pre, post] = [state, &diff.pre, &diff.post].map(|it| it.get(address));
        let of = Touched {
            address: *address,
            found: found.or(pre).unwrap_or(&nothing),
            pre,
            post,
        };
        group.accounts.push(of.account());
        group.slots.extend(of.slots());
        if let Some(CodeRead { hash, length }) = of.found.code() {
            code_reads.insert(hash, length);
        }
        if let Some(CodeWrite { hash, length }) = of.deployed() {
            code_writes.insert(hash, length);
        }
    }
    let read = |(hash, length)| CodeRead { hash, length };
    group.code_reads = code_reads.into_iter().map(read).collect();
    let write = |(hash, length)| CodeWrite { hash, length };
    group.code_writes = code_writes.into_iter().map(write).collect();
    group
}

/// One account that a transaction touches.
struct Touched<'a> {
    address: Address,
    found: &'a PreAccount,
    pre: Option<&'a PreAccount>,
    post: Option<&'a PreAccount>,
}

impl Touched<'_> {
    fn destroyed(&self) -> bool {
        self.pre.is_some() && self.post.is_none()
    }

    fn account(&self) -> AccountAccess {
        let before = self.found.account();
        let after = match self.post {
            Some(post) => post.over(before.unwrap_or_default()),
            None if self.destroyed() => None,
            None => before,
        };
        let wiped = self.destroyed() && before.is_some();
        AccountAccess::write(self.address, before, after, wiped)
    }

    /// Slots that were read or changed; those of a destroyed account are reads, and the wipe says the
    /// rest.
    fn slots(&self) -> impl Iterator<Item = SlotAccess> {
        let keys: BTreeSet<U256> = [Some(self.found), self.pre, self.post]
            .into_iter()
            .flatten()
            .flat_map(|it| it.storage.keys().copied())
            .collect();
        keys.into_iter().map(|slot| {
            let value = |of: &PreAccount| of.storage.get(&slot).copied();
            let pre = self.pre.and_then(value);
            let post = self.post.and_then(value);
            let before = value(self.found).or(pre).unwrap_or_default();
            let changed = !self.destroyed() && (pre.is_some() || post.is_some());
            let after = if changed {
                post.unwrap_or_default()
            } else {
                before
            };
            SlotAccess::write(self.address, slot, before, after)
        })
    }

    fn deployed(&self) -> Option<CodeWrite> {
        let CodeRead { hash, length } = self.post?.code()?;
        let had = self.found.code_hash.unwrap_or(KECCAK256_EMPTY);
        (hash != had).then_some(CodeWrite { hash, length })
    }
}
