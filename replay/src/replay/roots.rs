//! Roots that have to agree.

use super::error::ReplayError;
use crate::measure::{DesignInfo, RecordedRun};
use alloy_primitives::{B256, map::HashMap};
use std::path::Path;
use thinstate_formats::BlockNumber;

/// State roots of a run, by block, for designs with the same trie.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Whose they are, for messages.
    pub name: String,
    /// What the trie holds; see [`DesignInfo::trie`].
    pub trie: String,
    roots: HashMap<BlockNumber, B256>,
}

/// Everything that a run's roots are compared with.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    references: Vec<Reference>,
}

/// Settings that may differ between two runs whose roots are compared: they say how fast, on which design and
/// where to, not what.
const FREE: &[&str] = &[
    "design",
    "blocks",
    "without-code",
    "warm-up",
    "threads",
    "store",
    "cache-size",
    "direct-io",
    "drop-caches",
    "no-overlap",
    "plan-ahead",
    "open-loop",
    "speed-up",
    "slot",
    "end-when-unfit",
    "out",
    "keep-store",
    "device",
    "cache",
    "checkpoint",
    "check-roots",
    "self-check",
    "label",
];

impl Reference {
    /// The roots of a design that is running now.
    pub fn new(name: impl Into<String>, trie: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            trie: trie.into(),
            roots: HashMap::default(),
        }
    }

    /// The roots that an earlier run left, which must be of the same workload as `config`.
    pub fn of_run(path: &Path, config: &serde_json::Value) -> Result<Self, ReplayError> {
        let run = RecordedRun::open(path)?;
        let refused = |reason: String| ReplayError::Reference {
            path: path.to_owned(),
            reason,
        };
        let design = &run.result.design;
        let Some(trie) = &design.trie else {
            return Err(refused(format!("design {} has no trie", design.name)));
        };
        if let Some(name) = super::config::difference(&run.result.config, config, FREE) {
            return Err(refused(format!("another workload ({name} differs)")));
        }
        let mut reference = Self::new(
            format!("design {} in {}", design.name, path.display()),
            trie,
        );
        let blocks = run.blocks()?;
        for (number, root) in blocks.numbers.into_iter().zip(blocks.state_roots) {
            reference.roots.extend(root.map(|root| (number, root)));
        }
        Ok(reference)
    }

    /// Adds a block.
    pub fn add(&mut self, number: BlockNumber, root: B256) {
        self.roots.insert(number, root);
    }
}

impl Roots {
    /// Compares with these from now on.
    pub fn add(&mut self, reference: Reference) {
        self.references.push(reference);
    }

    /// Whether anything is known of a design with this trie.
    pub fn know(&self, trie: &str) -> bool {
        self.references.iter().any(|it| it.trie == trie)
    }

    /// Compares a block's root with all that are known of its trie.
    pub fn check(
        &self,
        design: &DesignInfo,
        number: BlockNumber,
        got: B256,
    ) -> Result<(), ReplayError> {
        let same = |it: &&Reference| Some(&it.trie) == design.trie.as_ref();
        for reference in self.references.iter().filter(same) {
            match reference.roots.get(&number) {
                Some(expected) if *expected != got => {
                    return Err(ReplayError::Root {
                        number,
                        design: design.name.clone(),
                        got,
                        expected: *expected,
                        reference: reference.name.clone(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
