//! The numbers of a profile, measured on blocks.
//!
//! Memory: about 120 bytes for each key that was touched.

use super::{BlockShape, DAYS, Spread, TopShare};
use crate::load::{AccountLoad, BlockLoad, SlotLoad};
use alloy_primitives::{Address, KECCAK256_EMPTY, U256, map::HashMap};
use std::collections::BTreeMap;
use thinstate_formats::object::ObjectClass;

/// Blocks with which a correlation of ranks begins to mean something.
const ALIKE_BLOCKS: usize = 30;

/// How long before a block its keys were last written, where the observer cannot know it: in the order of
/// the load's slots and accounts, in days; `None` where it is unknown, or never.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ages {
    /// Of the slots.
    pub slots: Vec<Option<f64>>,
    /// Of the accounts.
    pub accounts: Vec<Option<f64>>,
}

/// Counts blocks.
#[derive(Debug)]
pub struct Observer {
    blocks_per_day: f64,
    /// Blocks of the source so far.
    clock: u64,
    series: Series,
    slots: HashMap<(Address, U256), Seen>,
    accounts: HashMap<Address, Seen>,
    slot_updates: Updates,
    account_updates: Updates,
    written: BTreeMap<ObjectClass, u64>,
    read: BTreeMap<ObjectClass, u64>,
    slots_read_zero: u64,
    accounts_read_absent: u64,
    contracts_created: u64,
    code_read_bytes: Vec<u64>,
    code_deployed_bytes: Vec<u64>,
}

/// Counts, one for each block.
#[derive(Debug, Default)]
struct Series {
    gas_used: Vec<u64>,
    txs: Vec<u64>,
    accounts_touched: Vec<u64>,
    accounts_written: Vec<u64>,
    accounts_created: Vec<u64>,
    slots_written: Vec<u64>,
    slots_created: Vec<u64>,
    slots_deleted: Vec<u64>,
    slots_read: Vec<u64>,
    slots_net: Vec<i64>,
    accounts_net: Vec<i64>,
    code_reads: Vec<u64>,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Clock of the last write, plus one; zero if there was none.
    last_write: u64,
    writes: u32,
    reads: u32,
    /// Whether a read found nothing.
    absent: bool,
    /// It came to be, and what happened to it since.
    created: bool,
    touched_since: bool,
}

/// Updates in the windows of [`DAYS`]. A window counts from the block on from which the last write of every
/// key that was written within it is known.
#[derive(Clone, Copy, Debug, Default)]
struct Updates {
    counted: [u64; DAYS.len()],
    within: [u64; DAYS.len()],
}

/// What was counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Blocks.
    pub blocks: u64,
    /// Blocks in a day.
    pub blocks_per_day: f64,
    /// How much of everything was in them. Its `gas_limit` and `alike` are zero.
    pub block: BlockShape,
    /// Share of a block's counts that stand at the same quantile; `None` of too few blocks.
    pub alike: Option<f64>,
    /// Slots that a block adds, net: mean and median.
    pub slots_net: [f64; 2],
    /// Accounts that a block adds, net: mean and median.
    pub accounts_net: [f64; 2],
    /// Shares of the slots written, by class.
    pub written: BTreeMap<ObjectClass, f64>,
    /// Shares of the slots only read, by class.
    pub read: BTreeMap<ObjectClass, f64>,
    /// Shares of the slots touched, by class.
    pub touched: BTreeMap<ObjectClass, f64>,
    /// Share of the reads of slots that are only read that find zero.
    pub slots_read_zero: f64,
    /// Share of the different slots that were only ever read that were zero.
    pub slots_zero_distinct: f64,
    /// Share of the reads of accounts that are only read that find none.
    pub accounts_read_absent: f64,
    /// Share of updates of slots that hit what was written within the windows of [`DAYS`].
    pub slot_locality: [f64; DAYS.len()],
    /// The same of accounts.
    pub account_locality: [f64; DAYS.len()],
    /// Writes of slots.
    pub slot_writes: TopShare,
    /// Reads of slots that are only read.
    pub slot_reads: TopShare,
    /// Writes of accounts.
    pub account_writes: TopShare,
    /// Reads of accounts that are only read.
    pub account_reads: TopShare,
    /// Share of the slots that came to be that were not touched again.
    pub never_again: f64,
    /// Share of accounts that came to be that are contracts.
    pub contracts_created: f64,
    /// Bytes of codes loaded.
    pub code_read_bytes: Spread,
    /// Bytes of codes deployed.
    pub code_deployed_bytes: Spread,
}

impl Observer {
    /// Nothing yet; a day has so many blocks.
    pub fn new(blocks_per_day: f64) -> Self {
        Self {
            blocks_per_day,
            clock: 0,
            series: Series::default(),
            slots: HashMap::default(),
            accounts: HashMap::default(),
            slot_updates: Updates::default(),
            account_updates: Updates::default(),
            written: BTreeMap::new(),
            read: BTreeMap::new(),
            slots_read_zero: 0,
            accounts_read_absent: 0,
            contracts_created: 0,
            code_read_bytes: Vec::new(),
            code_deployed_bytes: Vec::new(),
        }
    }

    /// Counts one more block, which follows the one before. `ages` may be empty.
    pub fn add(&mut self, load: &BlockLoad, ages: &Ages) {
        self.series.add(load);
        let known = match ages.slots.is_empty() && ages.accounts.is_empty() {
            true => self.clock as f64 / self.blocks_per_day,
            false => f64::INFINITY,
        };
        for (at, slot) in load.slots.iter().enumerate() {
            self.add_slot(slot, ages.slots.get(at).copied().flatten(), known);
        }
        for (at, account) in load.accounts.iter().enumerate() {
            self.add_account(account, ages.accounts.get(at).copied().flatten(), known);
        }
        let lengths = load.code_reads.iter().map(|it| u64::from(it.length));
        self.code_read_bytes.extend(lengths);
        let lengths = load.code_writes.iter().map(|it| u64::from(it.length));
        self.code_deployed_bytes.extend(lengths);
        self.clock += u64::from(load.blocks.max(1));
    }

    fn add_slot(&mut self, slot: &SlotLoad, age: Option<f64>, known: f64) {
        let seen = self.slots.entry(slot.key()).or_default();
        let written = slot.is_written();
        let classes = match written {
            true => &mut self.written,
            false => &mut self.read,
        };
        *classes.entry(slot.class).or_default() += 1;
        self.slots_read_zero += u64::from(!written && slot.before.is_zero());
        if written && !slot.before.is_zero() && !slot.after.is_zero() {
            let age = seen.age(self.clock, self.blocks_per_day).or(age);
            self.slot_updates.add(age, known);
        }
        seen.add(self.clock, written, slot.before.is_zero());
    }

    fn add_account(&mut self, account: &AccountLoad, age: Option<f64>, known: f64) {
        let seen = self.accounts.entry(account.address).or_default();
        let (written, absent) = (account.is_written(), account.before.is_none());
        self.accounts_read_absent += u64::from(!written && absent);
        if written && !absent && account.after.is_some() {
            let age = seen.age(self.clock, self.blocks_per_day).or(age);
            self.account_updates.add(age, known);
        }
        let is_contract = account
            .after
            .is_some_and(|it| it.code_hash != KECCAK256_EMPTY);
        self.contracts_created += u64::from(absent && is_contract);
        seen.add(self.clock, written, absent);
    }

    /// What was counted.
    pub fn finish(self) -> Observed {
        let series = &self.series;
        let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
        let (written, read) = (total(&series.slots_written), total(&series.slots_read));
        let accounts_read = total(&series.accounts_touched) - total(&series.accounts_written);
        let classes = |counts: &BTreeMap<ObjectClass, u64>, all: f64| {
            let shares = counts
                .iter()
                .map(|(class, it)| (*class, ratio(*it as f64, all)));
            shares.collect::<BTreeMap<_, _>>()
        };
        let mut touched = self.written.clone();
        for (class, count) in &self.read {
            *touched.entry(*class).or_default() += count;
        }
        let top = |count: fn(&Seen) -> u32, keys: &dyn Fn() -> Vec<Seen>| {
            TopShare::of(keys().iter().map(count))
        };
        let slots = || self.slots.values().copied().collect::<Vec<_>>();
        let accounts = || self.accounts.values().copied().collect::<Vec<_>>();
        let count = |is: fn(&Seen) -> bool| self.slots.values().filter(|it| is(it)).count() as f64;
        Observed {
            blocks: series.txs.len() as u64,
            blocks_per_day: self.blocks_per_day,
            block: series.shape(),
            alike: alike(&series.slots_written, &series.accounts_touched),
            slots_net: mean_and_median(&series.slots_net),
            accounts_net: mean_and_median(&series.accounts_net),
            written: classes(&self.written, written),
            read: classes(&self.read, read),
            touched: classes(&touched, written + read),
            slots_read_zero: ratio(self.slots_read_zero as f64, read),
            slots_zero_distinct: ratio(
                count(|it| it.writes == 0 && it.absent),
                count(|it| it.writes == 0),
            ),
            accounts_read_absent: ratio(self.accounts_read_absent as f64, accounts_read),
            slot_locality: self.slot_updates.shares(),
            account_locality: self.account_updates.shares(),
            slot_writes: top(|it| it.writes, &slots),
            slot_reads: top(|it| it.reads, &slots),
            account_writes: top(|it| it.writes, &accounts),
            account_reads: top(|it| it.reads, &accounts),
            never_again: ratio(
                count(|it| it.created && !it.touched_since),
                count(|it| it.created),
            ),
            contracts_created: ratio(
                self.contracts_created as f64,
                total(&series.accounts_created),
            ),
            code_read_bytes: Spread::of(&self.code_read_bytes),
            code_deployed_bytes: Spread::of(&self.code_deployed_bytes),
        }
    }
}

impl Seen {
    /// Days since the last write that was seen.
    fn age(&self, clock: u64, blocks_per_day: f64) -> Option<f64> {
        let last = self.last_write.checked_sub(1)?;
        Some((clock - last) as f64 / blocks_per_day)
    }

    fn add(&mut self, clock: u64, written: bool, absent: bool) {
        self.touched_since |= self.created;
        if written {
            self.created |= absent;
            self.writes += 1;
            self.last_write = clock + 1;
        } else {
            self.reads += 1;
            self.absent |= absent;
        }
    }
}

impl Updates {
    /// Counts an update of a key that was written `age` days before, or earlier than `known` days.
    fn add(&mut self, age: Option<f64>, known: f64) {
        for (at, days) in DAYS.into_iter().map(f64::from).enumerate() {
            if known >= days {
                self.counted[at] += 1;
                self.within[at] += u64::from(age.is_some_and(|age| age <= days));
            }
        }
    }

    fn shares(&self) -> [f64; DAYS.len()] {
        core::array::from_fn(|at| ratio(self.within[at] as f64, self.counted[at] as f64))
    }
}

impl Series {
    fn add(&mut self, load: &BlockLoad) {
        let count = |is: &dyn Fn(&SlotLoad) -> bool| load.slots.iter().filter(|it| is(it)).count();
        let accounts =
            |is: &dyn Fn(&AccountLoad) -> bool| load.accounts.iter().filter(|it| is(it)).count();
        let written = count(&SlotLoad::is_written);
        let created = count(&|it| it.before.is_zero() && !it.after.is_zero());
        let deleted = count(&|it| !it.before.is_zero() && it.after.is_zero());
        let born = accounts(&|it| it.before.is_none() && it.after.is_some());
        let gone = accounts(&|it| it.before.is_some() && it.after.is_none());
        self.gas_used.push(load.gas_used);
        self.txs.push(load.tx_count);
        self.accounts_touched.push(load.accounts.len() as u64);
        self.accounts_written
            .push(accounts(&AccountLoad::is_written) as u64);
        self.accounts_created.push(born as u64);
        self.slots_written.push(written as u64);
        self.slots_created.push(created as u64);
        self.slots_deleted.push(deleted as u64);
        self.slots_read.push((load.slots.len() - written) as u64);
        self.slots_net.push(created as i64 - deleted as i64);
        self.accounts_net.push(born as i64 - gone as i64);
        self.code_reads.push(load.code_reads.len() as u64);
    }

    fn shape(&self) -> BlockShape {
        BlockShape {
            gas_limit: 0,
            alike: 0.0,
            gas_used: Spread::of(&self.gas_used),
            txs: Spread::of(&self.txs),
            accounts_touched: Spread::of(&self.accounts_touched),
            accounts_written: Spread::of(&self.accounts_written),
            accounts_created: Spread::of(&self.accounts_created),
            slots_written: Spread::of(&self.slots_written),
            slots_created: Spread::of(&self.slots_created),
            slots_deleted: Spread::of(&self.slots_deleted),
            slots_read: Spread::of(&self.slots_read),
            code_reads: Spread::of(&self.code_reads),
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    match whole > 0.0 {
        true => part / whole,
        false => 0.0,
    }
}

fn mean_and_median(counts: &[i64]) -> [f64; 2] {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let mean = ratio(sorted.iter().sum::<i64>() as f64, sorted.len() as f64);
    let median = sorted.get(sorted.len() / 2).map_or(0.0, |it| *it as f64);
    [mean, median]
}

/// Two counts that each take, with probability `a`, the quantile that they have in common, and their own
/// otherwise, have ranks with a correlation of `a^2` (Spearman's).
fn alike(first: &[u64], second: &[u64]) -> Option<f64> {
    if first.len() < ALIKE_BLOCKS {
        return None;
    }
    let (first, second) = (ranks(first), ranks(second));
    let middle = (first.len() - 1) as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>()
    };
    let correlation = ratio(product(&first, &second), product(&first, &first));
    Some(correlation.clamp(0.0, 1.0).sqrt())
}

/// The place of each value among all; equal ones in the order in which they stand.
fn ranks(values: &[u64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|at| values[*at]);
    let mut ranks = vec![0.0; values.len()];
    for (rank, at) in order.into_iter().enumerate() {
        ranks[at] = rank as f64;
    }
    ranks
}
