//! What a profile's numbers have to keep.

use super::{ClassShares, HotSet, Locality, Profile, ProfileError, Spread};
use std::collections::BTreeMap;
use thinstate_formats::object::ObjectClass;

/// Largest exponent that makes sense: with 4 the first key of a set takes 92 % of it.
const EXPONENT_MAX: f64 = 4.0;
/// Rounding of sums of shares.
const ROUNDING: f64 = 1e-9;

impl Profile {
    /// Checks everything that the types do not say.
    pub fn check(&self) -> Result<(), ProfileError> {
        self.check_spreads()?;
        self.check_parts()?;
        self.check_shares()?;
        self.check_hot_sets()?;
        locality("slots.locality", &self.slots.locality)?;
        locality("accounts.locality", &self.accounts.locality)
    }

    fn check_spreads(&self) -> Result<(), ProfileError> {
        let (block, code) = (&self.block, &self.code);
        let spreads: [(&'static str, &Spread); 12] = [
            ("block.gas-used", &block.gas_used),
            ("block.txs", &block.txs),
            ("block.accounts-touched", &block.accounts_touched),
            ("block.accounts-written", &block.accounts_written),
            ("block.accounts-created", &block.accounts_created),
            ("block.slots-written", &block.slots_written),
            ("block.slots-created", &block.slots_created),
            ("block.slots-deleted", &block.slots_deleted),
            ("block.slots-read", &block.slots_read),
            ("block.code-reads", &block.code_reads),
            ("code.read-bytes", &code.read_bytes),
            ("code.deployed-bytes", &code.deployed_bytes),
        ];
        spreads
            .into_iter()
            .try_for_each(|(key, it)| it.check(key))?;
        let limit = block.gas_limit as f64;
        part(
            "block.gas-used",
            block.gas_used.mean,
            "block.gas-limit",
            limit,
        )
    }

    fn check_parts(&self) -> Result<(), ProfileError> {
        let block = &self.block;
        part(
            "block.slots-created + block.slots-deleted",
            block.slots_created.mean + block.slots_deleted.mean,
            "block.slots-written",
            block.slots_written.mean,
        )?;
        part(
            "block.accounts-created",
            block.accounts_created.mean,
            "block.accounts-written",
            block.accounts_written.mean,
        )?;
        part(
            "block.accounts-written",
            block.accounts_written.mean,
            "block.accounts-touched",
            block.accounts_touched.mean,
        )
    }

    fn check_shares(&self) -> Result<(), ProfileError> {
        let (slots, accounts) = (&self.slots, &self.accounts);
        for (key, got) in [
            ("block.alike", self.block.alike),
            ("classes.minted", self.classes.minted),
            ("contracts.elsewhere", self.contracts.elsewhere),
            ("slots.absent-reads", slots.absent_reads),
            ("slots.hot-updates", slots.hot_updates),
            ("slots.hot-cycles", slots.hot_cycles),
            ("slots.young-deletes", slots.young_deletes),
            ("slots.hot-reads", slots.hot_reads),
            ("slots.young-reads", slots.young_reads),
            ("slots.hot-absent-reads", slots.hot_absent_reads),
            ("accounts.absent-reads", accounts.absent_reads),
            ("accounts.hot-updates", accounts.hot_updates),
            ("accounts.hot-reads", accounts.hot_reads),
            ("accounts.contracts-created", accounts.contracts_created),
        ] {
            share(key, got)?;
        }
        share(
            "accounts.hot-reads + accounts.absent-reads",
            accounts.hot_reads + accounts.absent_reads,
        )?;
        classes("classes.written", &self.classes.written)?;
        classes("classes.read", &self.classes.read)
    }

    fn check_hot_sets(&self) -> Result<(), ProfileError> {
        let (slots, accounts) = (&self.slots, &self.accounts);
        let sets: [(&'static str, &HotSet); 6] = [
            ("contracts.hubs", &self.contracts.hubs),
            ("slots.hot-written", &slots.hot_written),
            ("slots.hot-read", &slots.hot_read),
            ("slots.hot-absent", &slots.hot_absent),
            ("accounts.hot-written", &accounts.hot_written),
            ("accounts.hot-read", &accounts.hot_read),
        ];
        for (key, set) in sets {
            range(key, set.keys_per_million, 0.0, 1e6)?;
            range(key, set.exponent, 0.0, EXPONENT_MAX)?;
        }
        Ok(())
    }
}

fn classes(key: &'static str, shares: &BTreeMap<ObjectClass, f64>) -> Result<(), ProfileError> {
    shares.values().try_for_each(|it| share(key, *it))?;
    share(key, shares.values().sum())?;
    // Blocks that nobody has classified are nothing to draw from.
    share(key, ClassShares::share(shares, ObjectClass::PlainSlot))
}

fn locality(key: &'static str, locality: &Locality) -> Result<(), ProfileError> {
    locality.0.iter().try_for_each(|it| share(key, *it))?;
    match locality.0.windows(2).find(|pair| pair[0] > pair[1]) {
        None => Ok(()),
        Some(pair) => Err(ProfileError::Descending {
            key,
            previous: pair[0],
            got: pair[1],
        }),
    }
}

fn share(key: &'static str, got: f64) -> Result<(), ProfileError> {
    match (-ROUNDING..=1.0 + ROUNDING).contains(&got) {
        true => Ok(()),
        false => Err(ProfileError::Share { key, got }),
    }
}

fn range(key: &'static str, got: f64, min: f64, max: f64) -> Result<(), ProfileError> {
    match (min..=max).contains(&got) {
        true => Ok(()),
        false => Err(ProfileError::Range { key, got, min, max }),
    }
}

fn part(part: &'static str, got: f64, whole: &'static str, limit: f64) -> Result<(), ProfileError> {
    match got <= limit * (1.0 + ROUNDING) {
        true => Ok(()),
        false => Err(ProfileError::Part {
            part,
            got,
            whole,
            limit,
        }),
    }
}
