//! The state before the first block.

use super::{KeyValueDesign, unsupported};
use crate::{
    head::Head,
    layout::Layout,
    store::{Change, Key, KeyValueStore},
};
use std::sync::Arc;
use thinstate_engine::BulkPart;
use thinstate_replay::{
    design::{DesignError, FillContext, Overlay, Preload, StateDesign as _, seed},
    fill,
    population::Population,
};

impl<S: KeyValueStore> KeyValueDesign<S> {
    /// Fills the empty store with a population: ordinary commits, each of about 131,072 entries, and the head with
    /// the last. A fill that is killed before that leaves entries without a head.
    pub(super) fn fill_with(
        &self,
        population: &Population,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let mut head = self.head();
        if let Some(block) = head.block {
            return Err(unsupported::<S>(format!(
                "a fill of a store that is at block {block}: it takes an empty one"
            )));
        }
        let mut next = Head {
            block: Some(context.block),
            ..Head::default()
        };
        fill::each_part(population, &|_| true, context, 0, |part| {
            next.accounts += part.accounts.len() as u64;
            next.slots += part.slots.len() as u64;
            self.commit(self.changes_of(&part), None)?;
            (context.progress)("accounts filled", next.accounts, population.accounts());
            Ok::<_, DesignError>(())
        })?;
        self.commit(Vec::new(), Some(&next))?;
        *head = next;
        drop(head);
        self.settle()
    }

    /// A part's entries, by key.
    fn changes_of(&self, part: &BulkPart) -> Vec<Change<Key<S>>> {
        let owners = part
            .accounts
            .iter()
            .flat_map(|account| std::iter::repeat_n(account.key, account.slots));
        let slots: Vec<_> = owners.zip(part.slots.iter().map(|slot| slot.key)).collect();
        let keys = S::Layout::slot_keys(&slots, &self.hasher);
        let accounts = part.accounts.iter().map(|account| Change {
            key: S::Layout::account_key(account.key),
            value: Some(S::Layout::encode_account(&account.account)),
        });
        let slots = part.slots.iter().zip(keys).map(|(slot, key)| Change {
            key,
            value: Some(S::Layout::encode_slot(slot.value)),
        });
        let mut changes: Vec<_> = accounts.chain(slots).collect();
        changes.sort_unstable_by_key(|change| change.key);
        changes
    }

    /// Puts a trace's pre-state on top of what is there, as blocks.
    pub(super) fn preload_with(
        &self,
        preload: &Preload,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let head = self.head().block;
        let loads = seed::preload_blocks(S::FACTS.name, preload, head, context.block)?;
        let all = loads.len() as u64;
        for (done, load) in (0..).zip(loads) {
            (context.progress)("preloaded blocks", done, all);
            let plan = self.plan(Arc::new(load))?;
            self.read(&plan, &Overlay::default())?;
            self.apply(plan)?;
        }
        (context.progress)("preloaded blocks", all, all);
        self.flush()
    }
}
