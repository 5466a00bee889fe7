//! What a workload finds.

use super::{LoadSource, SourceError, cloner::stand_in};
use crate::design::Preload;
use alloy_primitives::{
    Address, B256, U256,
    map::{HashMap, HashSet},
};

/// The state that the first `slots` loads of a source find, as far as it is not zero: the value before of
/// each key's first access, and the codes that are read before a load deploys them.
///
/// A contract whose slots are touched, and which no load touches as an account, gets an account that stands
/// in for it: a trie has no storage without one. Takes one pass, and memory for every key.
pub fn preload_of(source: &mut dyn LoadSource, slots: u64) -> Result<Preload, SourceError> {
    let mut preload = Preload::default();
    let mut accounts: HashSet<Address> = HashSet::default();
    let mut seen: HashMap<Address, HashSet<U256>> = HashMap::default();
    let mut deployed: HashSet<B256> = HashSet::default();
    for _ in 0..slots {
        let Some(load) = source.next()? else { break };
        for account in &load.accounts {
            if accounts.insert(account.address)
                && let Some(before) = account.before
            {
                preload.accounts.insert(account.address, before);
            }
        }
        // What a load deploys and reads, it may have read from before.
        for code in load
            .code_reads
            .iter()
            .filter(|it| !deployed.contains(&it.hash))
        {
            preload.codes.insert(code.hash, code.length);
        }
        deployed.extend(load.code_writes.iter().map(|it| it.hash));
        for slot in &load.slots {
            let first = seen.entry(slot.address).or_default().insert(slot.slot);
            if first && !slot.before.is_zero() {
                preload.slots.insert(slot.key(), *slot);
            }
        }
    }
    for address in seen.into_keys().filter(|it| !accounts.contains(it)) {
        preload.accounts.insert(address, stand_in(address));
    }
    Ok(preload)
}
