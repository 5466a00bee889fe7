//! A profile from what a trace shows.

use super::{Ages, DAYS, MAINNET_BLOCKS_PER_DAY, Observed, Observer, Profile, ProfileError};
use crate::load::BlockLoad;
use std::collections::BTreeMap;
use thinstate_formats::{BlockNumber, object::ObjectClass};

/// A profile, and what of it the blocks did not show.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The profile.
    pub profile: Profile,
    /// Blocks that it was fitted to.
    pub blocks: u64,
    /// Keys that are the base's, and why.
    pub from_base: Vec<(&'static str, &'static str)>,
}

/// A profile of the blocks; what they cannot show is `base`'s.
///
/// Counts per block, classes, shares of absence and code come from any blocks. Locality needs blocks that
/// follow one another for twice the shortest window; popularity needs a whole window of 30 days, and is the
/// base's. `blocks_per_day` is mainnet's unless the state is a smaller one.
pub fn fit(
    blocks: impl IntoIterator<Item = BlockLoad>,
    base: &Profile,
    blocks_per_day: Option<f64>,
) -> Result<Fitted, ProfileError> {
    let per_day = blocks_per_day.unwrap_or(MAINNET_BLOCKS_PER_DAY as f64);
    let mut observer = Observer::new(per_day);
    let mut numbers: Option<(BlockNumber, BlockNumber)> = None;
    let mut gapless = true;
    for block in blocks {
        gapless &= numbers.is_none_or(|(_, last)| last.0 + 1 == block.number.0);
        let first = numbers.map_or(block.number, |(first, _)| first);
        numbers = Some((first, block.number));
        observer.add(&block, &Ages::default());
    }
    let Some((first, last)) = numbers else {
        return Err(ProfileError::NoBlocks);
    };
    let observed = observer.finish();
    let mut fitted = Fitted {
        blocks: observed.blocks,
        profile: base.clone(),
        from_base: Vec::new(),
    };
    fitted.profile.name = format!("{first}-{last}");
    fitted.profile.source = format!(
        "fitted to {} blocks, {first} to {last}; what they do not show is {}'s",
        observed.blocks, base.name
    );
    fitted.take_counts(&observed);
    fitted.take_classes(&observed);
    fitted.take_locality(&observed, gapless);
    fitted.take_code(&observed);
    fitted.left(
        "contracts",
        "a window of 30 days is needed to see popularity",
    );
    fitted.left(
        "slots.hot-*",
        "a window of 30 days is needed to see popularity",
    );
    fitted.left(
        "accounts.hot-*",
        "a window of 30 days is needed to see popularity",
    );
    fitted.profile.check()?;
    Ok(fitted)
}

impl Fitted {
    fn left(&mut self, key: &'static str, why: &'static str) {
        self.from_base.push((key, why));
    }

    fn take_counts(&mut self, observed: &Observed) {
        let base = &self.profile.block;
        let (gas_limit, alike) = (base.gas_limit, base.alike);
        let mut block = observed.block.clone();
        block.gas_limit =
            gas_limit.max(block.gas_used.quantiles.last().map_or(0, |it| it[1] as u64));
        block.alike = alike;
        self.profile.block = block;
        self.profile.slots.absent_reads = observed.slots_read_zero;
        let accounts = &mut self.profile.accounts;
        accounts.absent_reads = observed.accounts_read_absent;
        accounts.hot_reads = accounts.hot_reads.min(1.0 - accounts.absent_reads);
        accounts.contracts_created = observed.contracts_created;
        self.left("block.gas-limit", "loads do not hold it");
        match observed.alike {
            Some(alike) => self.profile.block.alike = alike,
            None => self.left("block.alike", "some more blocks are needed"),
        }
        self.left("slots.young-*", "a window of 30 days is needed to see it");
    }

    /// Classes are taken only where somebody has looked.
    fn take_classes(&mut self, observed: &Observed) {
        let looked = |shares: &BTreeMap<ObjectClass, f64>| {
            let unknown = shares.get(&ObjectClass::Unclassified);
            unknown.copied().unwrap_or_default() < 0.5
        };
        if observed.written.is_empty() || !looked(&observed.written) || !looked(&observed.read) {
            self.left("classes", "the trace is not classified");
            return;
        }
        let named = |shares: &BTreeMap<ObjectClass, f64>| {
            let plain = [ObjectClass::Unclassified, ObjectClass::PlainSlot];
            let named = shares.iter().filter(|(class, _)| !plain.contains(class));
            named.map(|(class, share)| (*class, *share)).collect()
        };
        self.profile.classes.written = named(&observed.written);
        self.profile.classes.read = named(&observed.read);
        self.left("classes.minted", "not fitted");
    }

    fn take_locality(&mut self, observed: &Observed, gapless: bool) {
        let days = observed.blocks as f64 / observed.blocks_per_day;
        if !gapless || days < 2.0 * f64::from(DAYS[0]) {
            self.left("*.locality", "blocks must follow one another for two days");
            return;
        }
        let slots = &mut self.profile.slots.locality.0;
        *slots = covered(*slots, observed.slot_locality, days);
        let accounts = &mut self.profile.accounts.locality.0;
        *accounts = covered(*accounts, observed.account_locality, days);
        if days < 2.0 * f64::from(DAYS[DAYS.len() - 1]) {
            let why = "the trace is shorter than twice the window";
            self.left("*.locality of longer windows", why);
        }
    }

    fn take_code(&mut self, observed: &Observed) {
        if observed.block.code_reads.mean > 0.0 {
            self.profile.code.read_bytes = observed.code_read_bytes.clone();
        } else {
            self.left("code.read-bytes", "no code was loaded");
        }
        if observed.code_deployed_bytes.mean > 0.0 {
            self.profile.code.deployed_bytes = observed.code_deployed_bytes.clone();
        } else {
            self.left("code.deployed-bytes", "no code was deployed");
        }
    }
}

/// Windows that the blocks cover twice are observed, the others the base's, but never below those before.
fn covered(base: [f64; 5], observed: [f64; 5], days: f64) -> [f64; 5] {
    let mut least = 0.0_f64;
    core::array::from_fn(|at| {
        let is_covered = days >= 2.0 * f64::from(DAYS[at]);
        least = least.max(if is_covered { observed[at] } else { base[at] });
        least
    })
}
