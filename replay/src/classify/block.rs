//! Classification of one block.

use super::{
    Basis, BlockLogs, LayoutBook, Method, SlotKind, arrays,
    balance::BalanceCheck,
    book::Layouts,
    events::Events,
    place::as_address,
    plain,
    rules::{self, Sign},
    search,
    uses::{self, Entry, SlotUse, Uses},
};
use crate::load::object_of;
use alloy_primitives::{Address, U256};
use std::collections::BTreeMap;
use thinstate_formats::{BlockNumber, object::ObjectClass, trace::BlockTrace};

/// What was found out about the slots of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFindings {
    /// The block.
    pub number: BlockNumber,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Every slot that the block touches, once.
    pub slots: BTreeMap<(Address, U256), Finding>,
    /// How changes of ERC-20 balances agree with logs.
    pub balances: BalanceCheck,
}

/// What was found out about one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it holds.
    pub kind: SlotKind,
    /// How that was recognised.
    pub method: Method,
    /// Whether the block leaves another value than it found.
    pub written: bool,
    /// Whether it is an object whose key is known: a policy can give it another tier.
    pub movable: bool,
}

/// Classifies a block, and learns from it: what its logs show of mappings holds for the blocks after
/// it as well.
///
/// Without logs, only what the book knows is recognised, and what the trace has classes for: those may be
/// from logs that are not at hand. Costs 1 or 2 hashes for each slot with
/// preimages, and a search for those without (see [`learn_block`] for classifying with what *later*
/// blocks show).
pub fn classify_block(
    trace: &mut BlockTrace,
    logs: &BlockLogs,
    book: &mut LayoutBook,
) -> BlockFindings {
    let block = Block::new(trace, logs, book);
    block.teach(trace.number, book);
    block.apply(trace, book)
}

/// Learns from a block without classifying it. After all blocks of a trace were learned from,
/// [`apply_book`] classifies each with what all of them show.
pub fn learn_block(trace: &BlockTrace, logs: &BlockLogs, book: &mut LayoutBook) {
    Block::new(trace, logs, book).teach(trace.number, book);
}

/// Classifies a block by a book that stays as it is.
pub fn apply_book(trace: &mut BlockTrace, logs: &BlockLogs, book: &LayoutBook) -> BlockFindings {
    Block::new(trace, logs, book).apply(trace, book)
}

/// Drops classes and preimages, as in a trace that was made without execution.
pub fn forget(trace: &mut BlockTrace) {
    forget_classes(trace);
    for access in trace.accesses.iter_mut().flat_map(|it| &mut it.slots) {
        access.preimages.clear();
    }
}

/// Drops classes: what an earlier classification has found does not count.
pub fn forget_classes(trace: &mut BlockTrace) {
    for access in trace.accesses.iter_mut().flat_map(|it| &mut it.slots) {
        access.class = ObjectClass::Unclassified;
    }
}

/// A block made ready.
struct Block {
    uses: Uses,
    events: Events,
    /// Whether the trace's own classes count: logs that may have shown them are not at hand.
    earlier: bool,
}

impl Block {
    fn new(trace: &BlockTrace, logs: &BlockLogs, book: &LayoutBook) -> Self {
        let mut uses = uses::of_block(trace);
        let events = Events::read(logs);
        arrays::fill(&mut uses);
        search::fill(&mut uses, trace, &events, book);
        Self {
            uses,
            events,
            earlier: logs.is_empty(),
        }
    }

    fn teach(&self, number: BlockNumber, book: &mut LayoutBook) {
        let mut shown = rules::evidence(&self.uses, &self.events);
        if self.earlier {
            rules::earlier(&self.uses, &mut shown);
        }
        book.learn(number, shown);
    }

    fn apply(self, trace: &mut BlockTrace, book: &LayoutBook) -> BlockFindings {
        let mut layouts: BTreeMap<Address, Layouts> = BTreeMap::new();
        let mut slots = BTreeMap::new();
        for (key, slot) in &self.uses {
            let known = layouts.entry(key.0).or_insert_with(|| book.layouts(key.0));
            let (kind, method) = self.judge(*key, slot, known);
            let finding = Finding {
                kind,
                method,
                written: slot.is_written(),
                movable: false,
            };
            slots.insert(*key, finding);
        }
        self.mark(trace, &mut slots);
        BlockFindings {
            number: trace.number,
            timestamp: trace.timestamp,
            balances: BalanceCheck::of(&self.uses, &self.events, &slots),
            slots,
        }
    }

    /// What a slot holds: by its number if it is no entry, else by what its mapping holds.
    fn judge(
        &self,
        (contract, number): (Address, U256),
        slot: &SlotUse,
        layouts: &Layouts,
    ) -> (SlotKind, Method) {
        let Some(entry) = &slot.entry else {
            return self.without_entry(contract, number, slot);
        };
        let Some(&(kind, basis)) = layouts.get(&entry.place) else {
            return (unknown_entry(entry), Method::None);
        };
        let basis = match self.logged(contract, slot, entry, kind) {
            true => Basis::Log,
            false => basis,
        };
        let method = match entry.found {
            None => Method::Preimage(basis),
            Some(_) => Method::Search(basis),
        };
        (kind, method)
    }

    /// What a slot is that is no entry: by its number, by its class so far, or as an element of an array.
    fn without_entry(&self, contract: Address, number: U256, slot: &SlotUse) -> (SlotKind, Method) {
        if let Some(kind) = plain::by_number(number) {
            return (kind, Method::Number);
        }
        if let (true, Some(kind)) = (self.earlier, SlotKind::of_object(slot.earlier)) {
            return (kind, Method::Earlier);
        }
        let Some(array) = slot.array else {
            return (SlotKind::Unknown, Method::None);
        };
        let parent = self.uses.get(&(contract, array));
        match parent.and_then(|parent| parent.entry.as_ref()) {
            Some(entry) => (unknown_entry(entry), Method::None),
            None => match plain::by_number(array) {
                Some(_) => (SlotKind::ArrayElement, Method::Number),
                None => (SlotKind::Unknown, Method::None),
            },
        }
    }

    /// Whether a log of the block names this very entry, and agrees with its values.
    fn logged(&self, contract: Address, slot: &SlotUse, entry: &Entry, kind: SlotKind) -> bool {
        let Some(events) = self.events.of(contract) else {
            return false;
        };
        let signs = slot
            .moves
            .iter()
            .filter_map(|it| rules::sign(events, &entry.keys, it));
        let mut exact =
            signs.filter(|sign| matches!(sign, Sign::Exact(it) | Sign::Weak(it) if *it == kind));
        exact.next().is_some()
    }

    /// Writes classes, and preimages that were found, into the trace.
    fn mark(&self, trace: &mut BlockTrace, slots: &mut BTreeMap<(Address, U256), Finding>) {
        for access in trace.accesses.iter_mut().flat_map(|it| &mut it.slots) {
            let Some(finding) = slots.get_mut(&access.key()) else {
                continue;
            };
            access.class = match (finding.method, self.earlier) {
                // Nothing is known here that would be better.
                (Method::None, true) if access.class == ObjectClass::PlainSlot => access.class,
                _ => finding.kind.class(),
            };
            let entry = self
                .uses
                .get(&access.key())
                .and_then(|it| it.entry.as_ref());
            if let Some(found) = entry.and_then(|it| it.found.as_ref()) {
                access.preimages.clone_from(found);
            }
            finding.movable = finding.kind.is_object() && object_of(access).is_some();
        }
    }
}

/// What is known of an entry whose mapping is not known.
fn unknown_entry(entry: &Entry) -> SlotKind {
    match entry.keys.iter().any(|key| as_address(*key).is_some()) {
        true => SlotKind::AddressEntry,
        false => SlotKind::OtherEntry,
    }
}
