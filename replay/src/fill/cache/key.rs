//! What the bytes of a filled store follow from.

use crate::population::{POPULATION_VERSION, Population, PopulationSpec};
use alloy_primitives::B256;
use core::fmt;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The name of an entry: a hash of everything that its bytes follow from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheKey {
    parts: BTreeMap<String, Value>,
}

impl CacheKey {
    /// The key of a kind of store: who builds it, by a name and the version of how.
    pub fn new(kind: &str) -> Self {
        let mut parts = BTreeMap::new();
        parts.insert("kind".to_owned(), kind.into());
        Self { parts }
    }

    /// Adds something that the bytes follow from.
    #[must_use]
    pub fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        let value = serde_json::to_value(value);
        let value = value.expect("specs and options are made of numbers, names and lists");
        self.parts.insert(name.to_owned(), value);
        self
    }

    /// Adds a population: what it follows from, and the version of how it does.
    #[must_use]
    pub fn with_population(self, population: &Population) -> Self {
        self.with_spec(population.spec(), POPULATION_VERSION)
    }

    fn with_spec(self, spec: &PopulationSpec, version: u32) -> Self {
        self.with("population", spec)
            .with("population-version", &version)
    }

    /// A hash of all that it was made of.
    pub fn hash(&self) -> B256 {
        // Names are in order in a map, so that one key has one text.
        let text = serde_json::to_vec(&self.parts).expect("parts are values of JSON");
        B256::from(*blake3::hash(&text).as_bytes())
    }

    /// What it was made of.
    pub(crate) const fn parts(&self) -> &BTreeMap<String, Value> {
        &self.parts
    }
}

/// 32 hex digits.
impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&alloy_primitives::hex::encode(&self.hash()[..16]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_store_of_another_population_has_the_same_key() {
        let spec = PopulationSpec::of(1_000, 1);
        let key = |spec: &PopulationSpec, version| {
            let key = CacheKey::new("test").with_spec(spec, version);
            key.to_string()
        };
        let population = Population::new(spec.clone()).expect("mainnet's shape");
        let ours = CacheKey::new("test").with_population(&population);
        assert_eq!(ours.to_string(), key(&spec, POPULATION_VERSION));
        assert_ne!(key(&spec, 1), key(&spec, 2), "another version");
        let other = PopulationSpec::of(1_000, 2);
        assert_ne!(key(&spec, 2), key(&other, 2), "another seed");
    }
}
