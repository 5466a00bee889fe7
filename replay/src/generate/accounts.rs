//! Which accounts a block touches, and what becomes of them.

use super::{
    Generator,
    draft::{AccountTouch, Counts, Draft, part},
    hot::{self, Hot},
    hubs::Hubs,
    log::Log,
    slots::{ends, window, windows},
};
use crate::{
    population::Population,
    profile::{DAYS, Profile},
};
use alloy_primitives::{B256, KECCAK256_EMPTY, U256, map::HashSet};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use thinstate_formats::{Account, trace::CodeWrite};

/// Draws after which an account that fits is given up.
const TRIES: usize = 32;
/// Of the accounts that are written again and again, each so-manieth is a hub: wrapped ether, bridges.
const HUB_EVERY: usize = 16;
/// Of the accounts without slots that are read again and again, this share has code.
const WITH_CODE: f64 = 0.75;
/// Absent accounts that are asked for have numbers so far above those that are given out.
const ABSENT: u64 = 1 << 40;
/// Of the accounts that change, at most this share sends transactions.
const SENDERS_MAX: f64 = 0.75;

/// The transactions of a block, shared out among its senders.
#[derive(Debug)]
struct Turns {
    txs: u64,
    senders: u64,
    sent: u64,
    nth: u64,
}

impl Turns {
    const fn new(txs: u64, senders: u64) -> Self {
        Self {
            txs,
            senders,
            sent: 0,
            nth: 0,
        }
    }

    /// How many the next sender sends; none once all have been.
    fn next(&mut self) -> u64 {
        if self.nth == self.senders {
            return 0;
        }
        self.nth += 1;
        // What is more than one each, those who come first send: bots and exchanges.
        let even = self.txs * self.nth / self.senders;
        let count = even - self.sent;
        self.sent = even;
        count
    }
}

/// What the choice of accounts rests on.
#[derive(Debug)]
pub(super) struct AccountHabit {
    written: Hot<u64>,
    read: Hot<u64>,
    windows: [f64; DAYS.len() + 1],
    pub(super) log: Log<u64>,
}

impl AccountHabit {
    pub(super) fn new(
        profile: &Profile,
        population: &Population,
        hubs: &Hubs,
        blocks_per_day: f64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let (block, habits) = (&profile.block, &profile.accounts);
        let updates = block.accounts_written.mean - block.accounts_created.mean;
        let hot = updates * habits.hot_updates;
        let read = (block.accounts_touched.mean - block.accounts_written.mean) * habits.hot_reads;
        let accounts = population.accounts();
        let written_size = hot::size(habits.hot_written.keys_per_million, accounts, hot);
        let read_size = hot::size(habits.hot_read.keys_per_million, accounts, read / 2.0);
        let written = written_set(written_size, population, hubs, rng);
        let written = Hot::new(written, habits.hot_written.exponent);
        let fresh = DAYS.map(|days| written.fresh(hot, f64::from(days) * blocks_per_day));
        Self {
            windows: windows(&habits.locality, habits.hot_updates, fresh),
            written,
            read: Hot::new(
                read_set(read_size, population, rng),
                habits.hot_read.exponent,
            ),
            log: Log::new(),
        }
    }
}

/// Accounts written within a day before the start, and hubs.
fn written_set(
    size: usize,
    population: &Population,
    hubs: &Hubs,
    rng: &mut ChaCha8Rng,
) -> Vec<u64> {
    let mut taken: HashSet<u64> = HashSet::default();
    let mut keys = Vec::with_capacity(size);
    let young = population.accounts_within(1.0).max(size as u64);
    for place in 0..size {
        let drawn = (0..TRIES).find_map(|_| {
            let account = match place % HUB_EVERY == HUB_EVERY - 1 && hubs.end > 0 {
                true => Some(rng.random_range(0..hubs.end)),
                false => population.recent_account(rng.random_range(0..young)),
            };
            account.filter(|it| taken.insert(*it))
        });
        keys.extend(drawn);
    }
    keys
}

/// Accounts without slots.
fn read_set(size: usize, population: &Population, rng: &mut ChaCha8Rng) -> Vec<u64> {
    let (first, code, end) = (
        population.contracts_with_storage(),
        population.contracts(),
        population.accounts(),
    );
    let mut taken: HashSet<u64> = HashSet::default();
    let mut keys = Vec::with_capacity(size);
    for _ in 0..size {
        let drawn = (0..TRIES).find_map(|_| {
            let with_code = code > first && rng.random::<f64>() < WITH_CODE;
            let range = if with_code { first..code } else { code..end };
            (!range.is_empty())
                .then(|| rng.random_range(range))
                .filter(|it| taken.insert(*it))
        });
        keys.extend(drawn);
    }
    keys
}

impl Generator {
    /// Draws the accounts of a block, whose slots are drawn.
    pub(super) fn draw_accounts(&mut self, counts: &Counts, draft: &mut Draft) {
        let updates = counts.accounts_written - counts.accounts_created;
        let hot = part(updates, self.profile.accounts.hot_updates, &mut self.rng);
        let mut changed: Vec<(u64, bool)> = Vec::new();
        for _ in 0..hot {
            let drawn = self
                .account_habit
                .written
                .draw(draft.stamp, &mut self.rng, |_| true);
            let Some(at) = drawn else { break };
            let account = self.account_habit.written.keys[at];
            if draft.accounts_used.insert(account) {
                changed.push((account, true));
            }
        }
        for _ in hot..updates {
            if let Some(account) = self.updated_account(draft) {
                draft.accounts_used.insert(account);
                changed.push((account, false));
            }
        }
        let first = changed.len();
        self.in_copies(draft, |generator, draft| {
            let own = changed.iter().filter(|(_, hot)| !hot).count() as u64;
            for _ in 0..own * (draft.copies - 1) {
                match generator
                    .updated_account(draft)
                    .or_else(|| generator.account_left(draft))
                {
                    Some(account) => {
                        draft.accounts_used.insert(account);
                        changed.push((account, false));
                    }
                    None => generator.lacking += 1,
                }
            }
        });
        let senders = self.senders(&changed, counts.txs * draft.copies);
        let mut turns = Turns::new(counts.txs * draft.copies, senders);
        self.change_accounts(&changed[..first], &mut turns, draft, false);
        self.in_copies(draft, |generator, draft| {
            generator.change_accounts(&changed[first..], &mut turns, draft, true);
        });
        for _ in 0..counts.accounts_created {
            self.create_account(draft, false);
        }
        self.in_copies(draft, |generator, draft| {
            for _ in 0..counts.accounts_created * (draft.copies - 1) {
                generator.create_account(draft, true);
            }
        });
        self.read_accounts(counts, draft);
    }

    /// Any account without slots that is not in the block: the next one behind a place that is drawn.
    fn account_left(&mut self, draft: &Draft) -> Option<u64> {
        let (from, to) = (self.population.contracts(), self.population.accounts());
        if from >= to {
            return None;
        }
        let at = self.rng.random_range(from..to);
        (at..to)
            .chain(from..at)
            .find(|it| !draft.accounts_used.contains(it))
    }

    /// An account that was last written within a window of days.
    fn updated_account(&mut self, draft: &Draft) -> Option<u64> {
        let window = window(&self.account_habit.windows, &mut self.rng);
        let (from, to) = ends(window);
        for _ in 0..TRIES / 4 {
            let Some(clock) = self.clock_ago(from, to) else {
                break;
            };
            let drawn = self.account_habit.log.draw(clock, &mut self.rng);
            let Some(account) = drawn else { continue };
            let last = self.state.written_account(account);
            let fits = last.is_some_and(|it| it.clock == clock);
            if fits && !draft.accounts_used.contains(&account) {
                return Some(account);
            }
        }
        let run = self.days_run();
        let first = self.population.accounts_within((from - run).max(0.0));
        let others = self.population.accounts() - self.population.contracts_with_storage();
        let end = match to.is_finite() {
            true => self.population.accounts_within((to - run).max(0.0)),
            false => others,
        };
        // A window without accounts of its own takes any.
        let range = if first < end { first..end } else { 0..others };
        (0..TRIES).find_map(|_| {
            let drawn = self.rng.random_range(range.clone());
            let account = self.population.recent_account(drawn)?;
            let fits = self.state.written_account(account).is_none()
                && !draft.accounts_used.contains(&account);
            fits.then_some(account)
        })
    }

    /// How many of the accounts that change send the transactions: those without code, as far as there are any.
    fn senders(&self, changed: &[(u64, bool)], txs: u64) -> u64 {
        let contracts = self.population.contracts();
        let most = (changed.len() as f64 * SENDERS_MAX) as u64;
        let can = changed.iter().filter(|it| it.0 >= contracts).count() as u64;
        can.min(most).min(txs)
    }

    /// Sends transactions from accounts without code while there are turns; the other accounts are paid.
    fn change_accounts(
        &mut self,
        changed: &[(u64, bool)],
        turns: &mut Turns,
        draft: &mut Draft,
        copy: bool,
    ) {
        let contracts = self.population.contracts();
        for (account, hot) in changed {
            let Some(before) = self.state.account(*account, &self.population) else {
                continue;
            };
            let nonces = match *account >= contracts {
                true => turns.next(),
                false => 0,
            };
            let after = self.changed(before, nonces);
            draft.accounts.push(AccountTouch {
                account: *account,
                hot: *hot,
                copy,
                before: Some(before),
                after: Some(after),
            });
        }
    }

    /// An account that has sent so many transactions, or was paid if none.
    fn changed(&mut self, before: Account, nonces: u64) -> Account {
        let part = U256::from(self.rng.random_range(1..=1_u64 << 12));
        let moved = (before.balance.wrapping_shr(16) * part).max(U256::from(21_000));
        let balance = match nonces > 0 && before.balance > moved {
            true => before.balance - moved,
            false if nonces > 0 => before.balance,
            false => before.balance.saturating_add(moved),
        };
        Account {
            nonce: before.nonce.saturating_add(nonces),
            balance,
            ..before
        }
    }

    fn create_account(&mut self, draft: &mut Draft, copy: bool) {
        let account = self.state.next_account;
        self.state.next_account += 1;
        let is_contract = self.rng.random::<f64>() < self.profile.accounts.contracts_created;
        let bytes = &self.profile.code.deployed_bytes;
        let code = match is_contract {
            true => self.codes.deploy(bytes, &mut self.rng),
            false => None,
        };
        let after = match code {
            Some(CodeWrite { hash, .. }) => Account {
                nonce: 1,
                balance: U256::ZERO,
                code_hash: hash,
            },
            None => Account {
                nonce: 0,
                balance: U256::from(self.rng.random::<u64>()) + U256::ONE,
                code_hash: KECCAK256_EMPTY,
            },
        };
        draft.code_writes.extend(code);
        draft.touch_account(AccountTouch {
            account,
            hot: false,
            copy,
            before: None,
            after: Some(after),
        });
    }

    /// Contracts whose slots are touched, accounts that are read again and again, and a few others.
    fn read_accounts(&mut self, counts: &Counts, draft: &mut Draft) {
        let habits = &self.profile.accounts;
        let reads = counts.accounts_touched - counts.accounts_written;
        let absent = part(reads, habits.absent_reads, &mut self.rng);
        let hot = part(reads - absent, habits.hot_reads, &mut self.rng);
        let others = reads - absent - hot;
        let hubs_end = self.hubs.end;
        let contracts = core::mem::take(&mut draft.contracts);
        let (mut hubs, mut elsewhere) = (0, 0);
        for account in contracts {
            if draft.accounts_used.contains(&account) {
                continue;
            }
            let count = if account < hubs_end {
                &mut hubs
            } else {
                &mut elsewhere
            };
            *count += 1;
            self.read_account(account, draft, false);
        }
        for _ in hubs..hot {
            let used = &draft.accounts_used;
            let fits = |it: &u64| !used.contains(it);
            let drawn = self
                .account_habit
                .read
                .draw(draft.stamp, &mut self.rng, fits);
            let Some(at) = drawn else { break };
            self.read_account(self.account_habit.read.keys[at], draft, false);
        }
        let first = draft.accounts.len();
        for _ in elsewhere..others {
            let account = self.rng.random_range(0..self.population.accounts());
            self.read_account(account, draft, false);
        }
        let found = draft.accounts.len();
        for _ in 0..absent {
            let account = self.absent_account();
            self.read_account(account, draft, false);
        }
        self.in_copies(draft, |generator, draft| {
            let (found, absent) = (found - first, draft.accounts.len() - found);
            for _ in 1..draft.copies {
                generator.copy_reads(found, absent, draft);
            }
        });
    }

    /// The accounts that one more group of users reads.
    fn copy_reads(&mut self, found: usize, absent: usize, draft: &mut Draft) {
        for _ in 0..found {
            let accounts = self.population.accounts();
            let drawn = (0..TRIES).find_map(|_| {
                let account = self.rng.random_range(0..accounts);
                (!draft.accounts_used.contains(&account)).then_some(account)
            });
            match drawn.or_else(|| self.account_left(draft)) {
                Some(account) => self.read_account(account, draft, true),
                None => self.lacking += 1,
            }
        }
        for _ in 0..absent {
            let drawn = (0..TRIES).find_map(|_| {
                let account = self.absent_account();
                (!draft.accounts_used.contains(&account)).then_some(account)
            });
            match drawn {
                Some(account) => self.read_account(account, draft, true),
                None => self.lacking += 1,
            }
        }
    }

    fn absent_account(&mut self) -> u64 {
        self.population.accounts() + ABSENT + self.rng.random_range(0..ABSENT)
    }

    fn read_account(&self, account: u64, draft: &mut Draft, copy: bool) {
        let found = self.state.account(account, &self.population);
        draft.touch_account(AccountTouch {
            account,
            hot: true,
            copy,
            before: found,
            after: found,
        });
    }

    /// The codes of the accounts that the block touches, each once, as many as one group of users loads; then those of
    /// the accounts that the other groups have for themselves.
    pub(super) fn draw_code(&self, counts: &Counts, draft: &mut Draft) {
        let of_one = usize::try_from(counts.code_reads).unwrap_or(usize::MAX);
        let of_all = usize::try_from(counts.code_reads * draft.copies).unwrap_or(usize::MAX);
        let mut seen: HashSet<B256> = HashSet::default();
        for (copy, most) in [(false, of_one), (true, of_all)] {
            // Those that are read come last among the accounts, and are the contracts that were called.
            for touch in draft.accounts.iter().rev().filter(|it| it.copy == copy) {
                if draft.code_reads.len() >= most {
                    break;
                }
                let hash = touch.before.map(|it| it.code_hash);
                let code = hash.and_then(|hash| self.codes.read(hash));
                draft
                    .code_reads
                    .extend(code.filter(|it| seen.insert(it.hash)));
            }
        }
        draft.code_writes.sort_unstable_by_key(|it| it.hash);
        draft.code_writes.dedup_by_key(|it| it.hash);
    }
}
