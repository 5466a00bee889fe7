//! Mainnet's numbers beside the profile's and those of generated blocks.

use super::{
    DAYS, Observer, Profile, blocks_per_day,
    population::Shape,
    targets::{Generated, targets},
    thousandfold::Thousandfold,
};
use crate::{
    generate::{GenerateError, Generator},
    load::BlockLoad,
    measure::Deviation,
    population::Population,
};
use alloy_primitives::B256;
use serde::Serialize;
use std::{collections::HashSet, sync::Arc};
use thinstate_formats::BlockNumber;

/// What is generated to be compared.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// Blocks; `None` for 30 days of the population.
    pub blocks: Option<u64>,
    /// The generator's seed.
    pub seed: u64,
}

/// All of mainnet's numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The profile.
    pub profile: String,
    /// Accounts of the population.
    pub accounts: u64,
    /// Blocks that were generated.
    pub blocks: u64,
    /// The generator's seed.
    pub seed: u64,
    /// One row for each number.
    pub rows: Vec<Row>,
}

/// One of mainnet's numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Mainnet's.
    pub mainnet: f64,
    /// What the profile says, where it says it.
    pub profile: Option<f64>,
    /// What the generated blocks have.
    pub generated: f64,
    /// Generated against mainnet's, in percent; of a target of zero the difference itself, in hundredths.
    pub deviation_percent: f64,
    /// Where mainnet's number is from.
    pub source: &'static str,
    /// Why the model is known not to meet it.
    pub exception: Option<&'static str>,
}

impl CheckOptions {
    /// Blocks to generate over a population.
    pub fn blocks(&self, population: &Population) -> u64 {
        let month = f64::from(DAYS[2]) * blocks_per_day(population.accounts());
        self.blocks.unwrap_or(month.round() as u64).max(1)
    }
}

/// Generates blocks and compares them with mainnet's numbers; two slots of 1,000 times a block's gas follow.
/// `progress` is told after each block how many there are.
pub fn check_profile(
    profile: &Profile,
    population: &Arc<Population>,
    options: &CheckOptions,
    mut progress: impl FnMut(u64),
) -> Result<Comparison, GenerateError> {
    let blocks = options.blocks(population);
    let first = BlockNumber(1);
    let mut generator = Generator::new(profile.clone(), population.clone(), options.seed, first)?;
    let mut observer = Observer::new(blocks_per_day(population.accounts()));
    let mut codes: HashSet<B256> = population.code_lengths().map(|(hash, _)| hash).collect();
    let mut code_added = 0;
    for done in 1..=blocks {
        let (load, ages) = generator.next_observed();
        observer.add(&load, &ages);
        code_added += new_code_bytes(&load, &mut codes);
        progress(done);
    }
    let generated = Generated {
        observed: observer.finish(),
        shape: Shape::of(population),
        thousandfold: Thousandfold::draw(&mut generator),
        code_added: code_added as f64 / blocks as f64,
    };
    let rows = targets().into_iter().map(|target| {
        let got = (target.generated)(&generated);
        Row {
            name: target.name,
            unit: target.unit,
            mainnet: target.mainnet,
            profile: (target.profile)(profile),
            generated: got,
            deviation_percent: deviation(target.mainnet, got),
            source: target.source,
            exception: target.exception,
        }
    });
    Ok(Comparison {
        profile: profile.name.clone(),
        accounts: population.accounts(),
        blocks,
        seed: options.seed,
        rows: rows.collect(),
    })
}

/// Bytes of the codes that a block deploys and that are not among `known`, where they are then.
fn new_code_bytes(load: &BlockLoad, known: &mut HashSet<B256>) -> u64 {
    let new = load.code_writes.iter().filter(|it| known.insert(it.hash));
    new.map(|it| u64::from(it.length)).sum()
}

fn deviation(target: f64, got: f64) -> f64 {
    let whole = if target == 0.0 { 1.0 } else { target };
    100.0 * (got - target) / whole
}

impl Comparison {
    /// The rows as a result holds them.
    pub fn deviations(&self) -> Vec<Deviation> {
        let rows = self.rows.iter().map(|row| Deviation {
            name: row.name.to_owned(),
            target: row.mainnet,
            got: row.generated,
            unit: row.unit.to_owned(),
            source: row.source.to_owned(),
        });
        rows.collect()
    }

    /// Rows that deviate by more than so many percent, and are not known to.
    pub fn beyond(&self, tolerance_percent: f64) -> impl Iterator<Item = &Row> {
        let rows = self.rows.iter();
        rows.filter(move |row| {
            row.exception.is_none() && row.deviation_percent.abs() > tolerance_percent
        })
    }
}
