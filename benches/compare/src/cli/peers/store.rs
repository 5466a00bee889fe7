//! One workload on one store, phase by phase.

use super::{Flags, children};
use eyre::{WrapErr as _, bail};
use std::path::Path;
use tempfile::TempDir;
use thinstate_benches::Draws;
use thinstate_compare::{
    keys::Position,
    limit::Group,
    peers::{DrawsFound, Kind, Setting, StoreFound},
    phases::{self, Found, Phase, Size},
};

/// A workload on a store.
pub(super) struct OnStore<'a> {
    name: &'a str,
    flags: &'a Flags,
    setting: &'a Setting,
}

impl<'a> OnStore<'a> {
    pub(super) const fn new(name: &'a str, flags: &'a Flags, setting: &'a Setting) -> Self {
        Self {
            name,
            flags,
            setting,
        }
    }

    /// Runs all phases; what was found until one fails is in `found`.
    pub(super) fn run(&self, found: &mut StoreFound) -> eyre::Result<()> {
        match self.setting.kind {
            Kind::Keys { keys, reads } => self.keys(keys, reads, found),
            Kind::Transfers { holders } => self.transfers(holders, found),
        }
    }

    fn keys(&self, keys: u64, reads: u64, found: &mut StoreFound) -> eyre::Result<()> {
        let dir = self.folder()?;
        self.say(&format!("filling it with {keys} keys"));
        let Found::Filled(filled) = self.ask(dir.path(), Phase::Fill { keys }, None)? else {
            bail!("it answered something else");
        };
        found.fill = Some(filled);
        let mut at = Position { keys, block: 0 };
        for draws in &self.flags.draws {
            let blocks = self.blocks(dir.path(), *draws, at)?;
            at = blocks.blocks.at;
            found.draws.push(blocks);
            if reads > 0 {
                let last = found.draws.last_mut().expect("it was pushed");
                last.reads = Some(self.reads(dir.path(), *draws, at, reads)?);
            }
        }
        self.keep(dir);
        Ok(())
    }

    fn blocks(&self, dir: &Path, draws: Draws, at: Position) -> eyre::Result<DrawsFound> {
        self.say(&format!("blocks, {draws}"));
        let phase = Phase::Blocks {
            draws,
            at,
            sizes: self.setting.sizes.clone(),
            drop_caches: self.setting.memory_bytes_max.is_some(),
        };
        self.blocks_of(dir, draws, phase)
    }

    fn reads(
        &self,
        dir: &Path,
        draws: Draws,
        at: Position,
        reads: u64,
    ) -> eyre::Result<phases::ReadsFound> {
        self.say(&format!("reads, {draws}"));
        let threads = self.flags.read_threads.iter();
        let phase = Phase::Reads {
            draws,
            at,
            reads,
            threads: threads.map(|it| it.0 as usize).collect(),
        };
        let group = self.group()?;
        match self.ask(dir, phase, group.as_ref())? {
            Found::Reads(found) => Ok(found),
            _ => bail!("it answered something else"),
        }
    }

    fn transfers(&self, holders: u64, found: &mut StoreFound) -> eyre::Result<()> {
        for draws in &self.flags.draws {
            let dir = self.folder()?;
            self.say(&format!("transfers of {holders} holders, {draws}"));
            let phase = Phase::Transfers {
                draws: *draws,
                holders,
                sizes: self.setting.sizes.clone(),
            };
            let blocks = self.blocks_of(dir.path(), *draws, phase)?;
            found.draws.push(blocks);
            self.keep(dir);
        }
        Ok(())
    }

    /// Runs a phase of blocks, under the limit where there is one.
    fn blocks_of(&self, dir: &Path, draws: Draws, phase: Phase) -> eyre::Result<DrawsFound> {
        let group = self.group()?;
        let Found::Blocks(blocks) = self.ask(dir, phase, group.as_ref())? else {
            bail!("it answered something else");
        };
        Ok(DrawsFound {
            draws: draws.to_string(),
            blocks,
            group_bytes_max: group.and_then(|group| group.bytes_max()),
            reads: None,
        })
    }

    /// Has a process do it.
    fn ask(&self, dir: &Path, phase: Phase, group: Option<&Group>) -> eyre::Result<Found> {
        let task = phases::Task {
            store: self.name.to_owned(),
            dir: dir.to_owned(),
            cache_bytes: self.setting.cache_bytes,
            threads: self.setting.threads,
            entries: self.entries(),
            seed: self.setting.seed,
            phase,
        };
        let answer = children::ask(&children::Task::Phase(task), group)?;
        serde_json::from_str(&answer).wrap_err("a process gave an answer that is none")
    }

    /// A control group with the limit, where there is one.
    fn group(&self) -> eyre::Result<Option<Group>> {
        let Some(bytes) = self.setting.memory_bytes_max else {
            return Ok(None);
        };
        let parent = self.flags.cgroup.as_deref();
        let group = Group::create(bytes, parent).wrap_err("there is no limit of memory")?;
        Ok(Some(group))
    }

    /// About how many entries the store will hold in the end.
    fn entries(&self) -> u64 {
        let sizes = self.setting.sizes.iter();
        // One in ten is new: of updates, and of receivers.
        let new: u64 = sizes.map(|it: &Size| it.all_blocks() * it.block / 10).sum();
        match self.setting.kind {
            Kind::Keys { keys, .. } => keys + new * self.flags.draws.len() as u64,
            Kind::Transfers { holders } => holders + new,
        }
    }

    /// A folder for the store.
    fn folder(&self) -> eyre::Result<TempDir> {
        let out = &self.flags.out;
        let made = tempfile::Builder::new()
            .prefix(&format!("{}-", self.name))
            .tempdir_in(out);
        made.wrap_err_with(|| format!("cannot make a folder in {}", out.display()))
    }

    /// Removes the store unless it is to be kept.
    fn keep(&self, dir: TempDir) {
        if self.flags.keep_stores {
            let path = dir.keep();
            eprintln!("{}: kept in {}", self.name, path.display());
        }
    }

    fn say(&self, what: &str) {
        if !self.flags.quiet {
            eprintln!("{}: {what}", self.name);
        }
    }
}
