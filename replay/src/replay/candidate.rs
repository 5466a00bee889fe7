//! A design to be run: one of the project's, or one of one's own.

use super::error::ReplayError;
use crate::design::{self, DesignError, DesignSpec, DesignStore, StateDesign};

/// Opens a design's store, which may be new and empty.
type Open<'a> = dyn Fn(&DesignStore) -> Result<Box<dyn StateDesign>, DesignError> + Sync + 'a;

/// A design that a run is carried out on.
///
/// What is in `data/designs/`, or in a file like those, becomes one with [`Self::of`]. A design of one's own,
/// such as another store behind the trait [`StateDesign`], becomes one with [`Self::own`], and is
/// run with [`run_on`](super::run_on): filled, measured, recorded and compared like the others.
pub struct Candidate<'a> {
    name: String,
    /// What a filled store in the cache is found by, beside population and block.
    key: serde_json::Value,
    open: Box<Open<'a>>,
}

impl core::fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Candidate")
            .field("name", &self.name)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl<'a> Candidate<'a> {
    /// A design of the project's.
    pub fn of(spec: DesignSpec) -> Self {
        let key = serde_json::to_value(&spec).expect("a design is strings, numbers and tables");
        Self {
            name: spec.name.clone(),
            key,
            open: Box::new(move |store| design::open(&spec, store)),
        }
    }

    /// A design of one's own: its name, what its filled store depends on (two with equal values may be
    /// exchanged for one another), and how its store is opened.
    pub fn own(
        name: impl Into<String>,
        key: serde_json::Value,
        open: impl Fn(&DesignStore) -> Result<Box<dyn StateDesign>, DesignError> + Sync + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            key,
            open: Box::new(open),
        }
    }

    /// Its name, which is also that of its folder where there are several.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn key(&self) -> &serde_json::Value {
        &self.key
    }

    pub(super) fn open(&self, store: &DesignStore) -> Result<Box<dyn StateDesign>, ReplayError> {
        (self.open)(store).map_err(ReplayError::state(&self.name))
    }
}
