//! The generator: what it knows, and how a block comes about.

use super::{
    GenerateError,
    accounts::AccountHabit,
    code::Codes,
    draft::{Counts, Draft, Drawn},
    hubs::Hubs,
    log::Log,
    merge::Merge,
    slots::SlotHabit,
    state::State,
};
use crate::{
    load::{AccountLoad, BlockLoad, SlotLoad},
    population::{Population, SlotId},
    profile::{Ages, MAINNET_BLOCKS_PER_DAY, Profile, blocks_per_day},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use thinstate_formats::BlockNumber;

/// Slots without which a block finds nothing to touch.
const SLOTS_LEAST: u64 = 64;
/// Accounts beside those with slots.
const ACCOUNTS_LEAST: u64 = 64;

/// Quantiles of blocks lie a golden section apart, so that a few hundred blocks have the profile's means:
/// drawn independently, a mean of 200 blocks would be off by a tenth where blocks differ most.
const GOLDEN: f64 = 0.618_033_988_749;

/// Sets the sequence of the other groups of users apart.
const COPIES: u64 = 0x636f_7069_6573;

/// Draws blocks of a profile over a population.
///
/// A population with fewer keys than a block asks for gives smaller blocks.
///
/// ```
/// use std::sync::Arc;
/// use thinstate_formats::BlockNumber;
/// use thinstate_replay::{generate::Generator, population::{Population, PopulationSpec}, profile::Profile};
///
/// let population = Population::new(PopulationSpec::of(100_000, 7))?;
/// let mut generator = Generator::new(Profile::mainnet(), Arc::new(population), 1, BlockNumber(1))?;
/// let block = generator.next_block();
/// block.check()?;
/// assert_eq!(block.number, BlockNumber(1));
/// assert_eq!(generator.next_merged(10).blocks, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Generator {
    pub(super) profile: Profile,
    pub(super) population: Arc<Population>,
    pub(super) rng: ChaCha8Rng,
    /// What groups of users beside the first draw from: the first does the same with and without them.
    copies_rng: ChaCha8Rng,
    pub(super) state: State,
    pub(super) hubs: Hubs,
    pub(super) slot_habit: SlotHabit,
    pub(super) account_habit: AccountHabit,
    pub(super) codes: Codes,
    pub(super) blocks_per_day: f64,
    /// By how many values of slots were written.
    pub(super) sequence: u64,
    /// Keys of groups of users that the population did not have.
    pub(super) lacking: u64,
    /// The number of the next load.
    number: BlockNumber,
    /// Blocks of the source so far.
    clock: u64,
    stamp: u64,
    /// Where the sequence of busy and quiet blocks begins.
    phase: f64,
}

/// What was written, of all but the hot sets.
#[derive(Debug)]
pub(super) struct Logs<K> {
    pub(super) written: Log<K>,
    pub(super) created: Log<K>,
}

impl<K: Copy> Logs<K> {
    pub(super) const fn new() -> Self {
        Self {
            written: Log::new(),
            created: Log::new(),
        }
    }
}

impl Generator {
    /// A generator of blocks from `first` on, for a store that was filled with the population.
    pub fn new(
        profile: Profile,
        population: Arc<Population>,
        seed: u64,
        first: BlockNumber,
    ) -> Result<Self, GenerateError> {
        profile.check()?;
        let others = population.accounts() - population.contracts_with_storage();
        for (what, least, got) in [
            ("slots", SLOTS_LEAST, population.slots()),
            ("accounts without slots", ACCOUNTS_LEAST, others),
        ] {
            if got < least {
                return Err(GenerateError::Population { what, least, got });
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let block = &profile.block;
        let accounts_read = block.accounts_touched.mean - block.accounts_written.mean;
        let hubs = Hubs::new(&profile.contracts, &population, accounts_read);
        let per_day = blocks_per_day(population.accounts());
        Ok(Self {
            slot_habit: SlotHabit::new(&profile, &population, &hubs, per_day, &mut rng),
            account_habit: AccountHabit::new(&profile, &population, &hubs, per_day, &mut rng),
            state: State::new(&population),
            codes: Codes::new(&population),
            blocks_per_day: per_day,
            sequence: 0,
            lacking: 0,
            copies_rng: ChaCha8Rng::seed_from_u64(seed ^ COPIES),
            number: first,
            clock: 0,
            stamp: 0,
            phase: rng.random(),
            hubs,
            rng,
            profile,
            population,
        })
    }

    /// What it draws from.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What it draws over.
    pub const fn population(&self) -> &Arc<Population> {
        &self.population
    }

    /// The number of the next load.
    pub const fn number(&self) -> BlockNumber {
        self.number
    }

    /// The next block.
    pub fn next_block(&mut self) -> BlockLoad {
        let number = self.take_number();
        self.block(number, 1, false).0
    }

    /// The next `blocks` blocks in one load: their net accesses.
    ///
    /// Takes about 500 bytes for each access of the load.
    pub fn next_merged(&mut self, blocks: u32) -> BlockLoad {
        self.next_mixed(blocks, 1)
    }

    /// The next block, carried out by `copies` groups of users: hot keys and contracts are shared, and each group has a
    /// key of its own for every other key of the block, so that there are `copies` times as many.
    pub fn next_cloned(&mut self, copies: u32) -> BlockLoad {
        let number = self.take_number();
        self.block(number, copies.max(1), false).0
    }

    /// The next `blocks` blocks, each carried out by `copies` groups of users, in one load.
    pub fn next_mixed(&mut self, blocks: u32, copies: u32) -> BlockLoad {
        let number = self.take_number();
        let mut merge = Merge::new(number);
        for _ in 0..blocks.max(1) {
            merge.push(self.block(number, copies.max(1), false).0);
        }
        merge.finish()
    }

    /// The next block, with the ages that only the generator knows.
    pub(crate) fn next_observed(&mut self) -> (BlockLoad, Ages) {
        let number = self.take_number();
        self.block(number, 1, true)
    }

    const fn take_number(&mut self) -> BlockNumber {
        let number = self.number;
        self.number = BlockNumber(number.0 + 1);
        number
    }

    fn block(&mut self, number: BlockNumber, copies: u32, observed: bool) -> (BlockLoad, Ages) {
        self.stamp += 1;
        let lacking = self.lacking;
        let common = f64::fract(self.phase + self.stamp as f64 * GOLDEN);
        let counts = Counts::draw(&self.profile.block, common, &mut self.rng);
        let mut draft = Draft::new(self.stamp, self.clock, u64::from(copies));
        self.draw_slots(&counts, &mut draft);
        self.draw_values(&mut draft, 0);
        self.in_copies(&mut draft, |generator, draft| {
            let first = draft.slots.len();
            generator.copy_slots(draft);
            generator.draw_values(draft, first);
        });
        self.draw_accounts(&counts, &mut draft);
        self.draw_code(&counts, &mut draft);
        draft
            .slots
            .sort_unstable_by_key(|it| (it.slot.address, it.slot.slot));
        let mut accounts: Vec<_> = draft.accounts.iter().collect();
        accounts.sort_by_cached_key(|it| self.population.address(it.account));
        let ages = match observed {
            true => Ages {
                slots: draft.slots.iter().map(|it| self.slot_age(it.id)).collect(),
                accounts: accounts.iter().map(|it| self.account_age(it)).collect(),
            },
            false => Ages::default(),
        };
        let mut load = BlockLoad {
            number,
            blocks: copies,
            gas_used: counts.gas_used * u64::from(copies),
            tx_count: counts.txs * u64::from(copies),
            keys_lacking: self.lacking - lacking,
            state_root: None,
            accounts: Vec::with_capacity(accounts.len()),
            slots: Vec::with_capacity(draft.slots.len()),
            code_reads: core::mem::take(&mut draft.code_reads),
            code_writes: core::mem::take(&mut draft.code_writes),
        };
        load.accounts.extend(accounts.iter().map(|it| AccountLoad {
            address: self.population.address(it.account),
            before: it.before,
            after: it.after,
            storage_wiped: false,
        }));
        load.slots.extend(draft.slots.iter().map(|it| SlotLoad {
            address: it.slot.address,
            slot: it.slot.slot,
            before: it.before,
            after: it.after,
            class: it.slot.class,
            object: it.slot.object,
        }));
        load.code_reads.sort_unstable_by_key(|it| it.hash);
        load.code_writes.sort_unstable_by_key(|it| it.hash);
        self.commit(&draft);
        self.clock += u64::from(copies);
        (load, ages)
    }

    /// Has the groups of users beside the first, if there are any, draw from their own sequence.
    pub(super) fn in_copies(
        &mut self,
        draft: &mut Draft,
        draw: impl FnOnce(&mut Self, &mut Draft),
    ) {
        if draft.copies > 1 {
            core::mem::swap(&mut self.rng, &mut self.copies_rng);
            draw(self, draft);
            core::mem::swap(&mut self.rng, &mut self.copies_rng);
        }
    }

    /// Remembers what the block wrote.
    fn commit(&mut self, draft: &Draft) {
        let clock = draft.clock;
        let (mut written, mut created) = (Vec::new(), Vec::new());
        for touch in draft.slots.iter().filter(|it| it.before != it.after) {
            self.state.set_slot(touch.id, touch.after, clock);
            if touch.drawn != Drawn::Hot && !touch.after.is_zero() {
                written.push(touch.id);
                if touch.before.is_zero() {
                    created.push(touch.id);
                }
            }
        }
        self.slot_habit.logs.written.push(clock, written);
        self.slot_habit.logs.created.push(clock, created);
        let mut written = Vec::new();
        for touch in draft.accounts.iter().filter(|it| it.before != it.after) {
            self.state.set_account(touch.account, touch.after, clock);
            if !touch.hot {
                written.push(touch.account);
            }
        }
        self.account_habit.log.push(clock, written);
    }

    /// Days since a slot was written that was not written in the run.
    fn slot_age(&self, id: SlotId) -> Option<f64> {
        match self.state.slot(id) {
            Some(_) => None,
            None => Some(self.days_before(self.population.slot_age(id)?)),
        }
    }

    /// The same of an account.
    fn account_age(&self, touch: &super::draft::AccountTouch) -> Option<f64> {
        if touch.before == touch.after || self.state.written_account(touch.account).is_some() {
            return None;
        }
        Some(self.days_before(self.population.account_age(touch.account)?))
    }

    /// Days since what was written so many blocks of mainnet's before the start.
    fn days_before(&self, blocks: u64) -> f64 {
        blocks as f64 / MAINNET_BLOCKS_PER_DAY as f64 + self.days_run()
    }

    /// Days since the start.
    pub(super) fn days_run(&self) -> f64 {
        self.clock as f64 / self.blocks_per_day
    }

    /// Blocks of the source so far.
    pub(super) const fn clock(&self) -> u64 {
        self.clock
    }
}

impl Iterator for Generator {
    type Item = BlockLoad;

    fn next(&mut self) -> Option<BlockLoad> {
        Some(self.next_block())
    }
}
