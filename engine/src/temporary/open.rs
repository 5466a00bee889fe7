//! Opening: from the store back into memory.

use super::{
    bytes::DecodeError,
    change::ChangeList,
    checkpoint::{CHECKPOINT_KEY, Checkpoint, Checkpoints, Covered, entries_key, read_entries},
    commitment::{Hashing, incremental_root},
    error::TemporaryOpenError,
    live::Live,
    log::{BlockLog, log_key, parse_log_key},
    period::Period,
    period_table::{PeriodTable, TABLE_KEY, decode_sealed, period_key},
    seal::{
        Frozen, Header, PAGES_KEY, Pages, SEAL_KEY, Sealer, Sealing, Worker, decode_header,
        decode_pages,
    },
    tier::{Setup, TemporaryTier, expecting},
    undo::PastBlock,
};
use crate::leaf_store::{LeafRead, Table};
use alloy_primitives::B256;
use core::ops::ControlFlow;
use std::collections::VecDeque;
use thinstate_formats::{
    BlockNumber, NodeHasher, PeriodId,
    counted::Node,
    temporary::{LiveCommitment, TemporaryRules},
};

type Result<T, E = TemporaryOpenError> = core::result::Result<T, E>;

impl TemporaryTier {
    /// The tier as the block `head` left it. In a store that has nothing of it, it begins behind
    /// that block.
    ///
    /// Costs one scan of the period table and of the logs of the periods that are not sealed.
    pub(crate) fn open<R: LeafRead>(
        read: &R,
        head: Option<BlockNumber>,
        setup: Setup,
    ) -> Result<Self> {
        setup.rules.check(setup.limits.undo_blocks)?;
        let mut tier = Self::empty(setup)?;
        tier.table = read_table(read, tier.hashing.hasher)?;
        tier.head = head;
        if let Some(head) = head {
            tier.load(read, head)?;
        } else {
            tier.root = tier.initial_root();
        }
        if let Some(frozen) = &mut tier.frozen {
            frozen.start(&tier.worker, tier.limits.seal_leaves_per_block);
        }
        Ok(tier)
    }

    fn empty(setup: Setup) -> Result<Self> {
        let hasher = NodeHasher::new(setup.rules.hash);
        let with_trees = setup.rules.commitment == LiveCommitment::Incremental;
        Ok(Self {
            head: None,
            root: B256::ZERO,
            live: Live {
                zero_rule: setup.rules.zero_rule,
                current: Period::new(PeriodId(0), with_trees),
                previous: None,
            },
            frozen: None,
            table: PeriodTable::new(hasher),
            past: VecDeque::new(),
            checkpoints: Checkpoints::default(),
            pending: None,
            worker: Worker::start()?,
            hashing: Hashing {
                hasher,
                pool: setup.pool,
            },
            archive: setup.archive,
            rules: setup.rules,
            limits: setup.limits,
        })
    }

    fn load<R: LeafRead>(&mut self, read: &R, head: BlockNumber) -> Result<()> {
        let current = self.rules.period(head);
        let frozen = current.0.checked_sub(self.rules.periods_readable());
        // It is in the table; or to be sealed; or was to be, before the store began.
        let frozen = frozen.map(PeriodId);
        let ahead = |id: &PeriodId| self.rules.sealed_at(*id) > head;
        let unsealed = frozen.filter(|id| self.table.get(*id).is_none() && ahead(id));
        if let Some(missing) = self.table.next().filter(|next| !ahead(next)) {
            return Err(TemporaryOpenError::Unsealed(missing));
        }
        let header = match unsealed {
            Some(id) => read_header(read, id)?,
            None => None,
        };
        let known = header.and_then(|header| header.root);
        let oldest = match (frozen, unsealed) {
            (None, _) => PeriodId(0),
            (Some(_), Some(id)) if known.is_none() => id,
            (Some(id), _) => PeriodId(id.0 + 1),
        };
        self.live.current.id = oldest;
        self.load_checkpoint(read)?;
        let ended = self.replay(read, head)?;
        self.fill_trees(head)?;
        self.frozen = match (unsealed, known) {
            (None, _) => None,
            (Some(id), Some(root)) => Some(Frozen::known(id, root)),
            (Some(id), None) => Some(self.refreeze(read, id, ended, header)?),
        };
        Ok(())
    }

    /// Loads the entries that a checkpoint has of the periods from the current one on.
    fn load_checkpoint<R: LeafRead>(&mut self, read: &R) -> Result<()> {
        let (from, to) = ([CHECKPOINT_KEY], [CHECKPOINT_KEY + 1]);
        for checkpoint in read_periods(read, &from, &to, Checkpoint::decode)? {
            let place = if checkpoint.in_use {
                &mut self.checkpoints.in_use
            } else {
                &mut self.checkpoints.young
            };
            *place = Some(checkpoint);
        }
        let oldest = self.live.current.id;
        let Some(checkpoint) = &self.checkpoints.in_use else {
            return Ok(());
        };
        let base = checkpoint.base;
        let covered = checkpoint.periods.iter().filter(|c| c.id >= oldest);
        for covered in covered.copied().collect::<Vec<_>>() {
            if self.live.current.id < covered.id {
                // The older of the two is the previous period: it is not frozen at the base.
                self.rotate(covered.id);
            }
            load_entries(read, base, covered, &mut self.live.current)?;
        }
        self.live.mark_shadows();
        Ok(())
    }

    /// Replays the logs; the period that is frozen.
    fn replay<R: LeafRead>(&mut self, read: &R, head: BlockNumber) -> Result<Option<Period>> {
        let mut from = log_key(self.live.current.id, BlockNumber(0));
        let (mut former_root, mut last) = (self.initial_root(), None);
        let in_use = self.checkpoints.in_use.as_ref();
        let reaches = |c: &&Checkpoint| self.rules.period(c.base) >= self.live.current.id;
        if let Some(checkpoint) = in_use.filter(reaches) {
            from = log_key(self.live.current.id, BlockNumber(checkpoint.base.0 + 1));
            (former_root, last) = (checkpoint.root, Some(checkpoint.base));
        }
        let first_undo = in_use.map_or(0, |checkpoint| checkpoint.end.0 + 1);
        let mut replay = Replay {
            former_root,
            tier: self,
            head,
            first_undo: BlockNumber(first_undo),
            last,
            ended: None,
        };
        let mut result = Ok(());
        read.scan(Table::Temporary, &from, None, &mut |key, value| {
            result = replay.block(key, value);
            match result {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        result?;
        replay.finish()
    }

    /// Builds the trees where blocks commit to them, and checks that the head did.
    fn fill_trees(&mut self, block: BlockNumber) -> Result<()> {
        if !self.with_trees() {
            return Ok(());
        }
        self.live.current.fill_tree(&self.hashing);
        if let Some(previous) = &mut self.live.previous {
            previous.fill_tree(&self.hashing);
        }
        let got = incremental_root(&self.hashing.hasher, &self.live);
        if got == self.root {
            return Ok(());
        }
        Err(TemporaryOpenError::Root {
            block,
            expected: self.root,
            got,
        })
    }

    /// Goes on sealing where the store says that it was.
    fn refreeze<R: LeafRead>(
        &self,
        read: &R,
        id: PeriodId,
        ended: Option<Period>,
        header: Option<Header>,
    ) -> Result<Frozen> {
        let period = ended.filter(|period| period.id == id);
        let mut period = period.unwrap_or_else(|| Period::new(id, self.with_trees()));
        period.fill_tree(&self.hashing);
        let known = period.tree.as_ref().map(|tree| tree.root());
        let (Some(header), false) = (header, known.is_some() && self.archive.is_none()) else {
            return Ok(self.freeze(id, Some(period)));
        };
        let pages = read_pages(read, id, header.page_bits)?;
        let (hasher, archive) = (self.hashing.hasher, self.archive.clone());
        let sealer = Sealer::resume(id, header.page_bits, pages, hasher, archive);
        Ok(Frozen::new(period, Sealing::with(expecting(sealer, known))))
    }
}

/// Replaying logs.
struct Replay<'a> {
    tier: &'a mut TemporaryTier,
    head: BlockNumber,
    /// The first block whose changes come out as they were.
    first_undo: BlockNumber,
    last: Option<BlockNumber>,
    former_root: B256,
    /// The last period that was taken out.
    ended: Option<Period>,
}

impl Replay<'_> {
    /// One entry of the table.
    fn block(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let entry = |error| TemporaryOpenError::entry(Table::Temporary, key, error);
        let (period, block) = parse_log_key(key).ok_or_else(|| {
            entry(DecodeError {
                offset: 0,
                expected: "a key of 16 bytes",
            })
        })?;
        self.check_follows(period, block)?;
        let log = BlockLog::decode(key, value).map_err(entry)?;
        self.advance(period);
        let mut back = ChangeList::default();
        for write in log.writes() {
            let write = write.map_err(entry)?;
            let done = self.tier.live.replay(write, &mut back);
            done.map_err(|problem| misfit(block, format!("{problem:?}")))?;
        }
        let entries = self.tier.live.current.entries.len();
        if entries != log.entries {
            let problem = format!("expected {} entries, got {entries}", log.entries);
            return Err(misfit(block, problem));
        }
        let log_bytes = (key.len() + value.len()) as u64;
        self.tier.live.current.log_bytes += log_bytes;
        self.tier.checkpoints.logged += log_bytes;
        self.note(block, log, back, log_bytes);
        Ok(())
    }

    fn check_follows(&self, period: PeriodId, block: BlockNumber) -> Result<()> {
        let rules: &TemporaryRules = &self.tier.rules;
        if rules.period(block) != period {
            return Err(misfit(block, format!("it is among those of {period}")));
        }
        let expected = self.last.and_then(BlockNumber::next).unwrap_or(block);
        if block != expected || block > self.head {
            return Err(TemporaryOpenError::MissingLog {
                expected: expected.min(self.head),
                got: Some(block),
            });
        }
        Ok(())
    }

    fn advance(&mut self, to: PeriodId) {
        while self.tier.live.current.id < to {
            let next = PeriodId(self.tier.live.current.id.0 + 1);
            self.ended = self.tier.rotate(next);
        }
    }

    /// Keeps what undoing the block takes, if it can be undone.
    fn note(&mut self, block: BlockNumber, log: BlockLog, mut back: ChangeList, log_bytes: u64) {
        let tier = &mut *self.tier;
        let recent = block.0.saturating_add(tier.limits.undo_blocks) > self.head.0;
        if recent && block >= self.first_undo {
            back.shrink();
            let first = tier.rules.first_block(tier.rules.period(block));
            tier.past.push_back(PastBlock {
                block,
                former_head: block.prev(),
                former_root: self.former_root,
                back,
                rotated: first == block && block.0 > 0,
                sealed: tier.rules.seals(block).is_some(),
                resurrections: log.resurrections,
                log_bytes,
            });
        }
        self.former_root = log.root;
        self.last = Some(block);
    }

    fn finish(mut self) -> Result<Option<Period>> {
        if let Some(last) = self.last.filter(|last| *last != self.head) {
            return Err(TemporaryOpenError::MissingLog {
                expected: BlockNumber(last.0 + 1),
                got: None,
            });
        }
        self.advance(self.tier.rules.period(self.head));
        self.tier.root = self.former_root;
        Ok(self.ended)
    }
}

const fn misfit(block: BlockNumber, problem: String) -> TemporaryOpenError {
    TemporaryOpenError::Misfit { block, problem }
}

/// Reads the entries of a kind of table `periods`.
fn read_periods<R: LeafRead, T>(
    read: &R,
    from: &[u8],
    to: &[u8],
    decode: impl Fn(&[u8], &[u8]) -> Result<T, DecodeError>,
) -> Result<Vec<T>> {
    let mut entries = Vec::new();
    let mut failed = None;
    read.scan(Table::Periods, from, Some(to), &mut |key, value| {
        match decode(key, value) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                failed = Some(TemporaryOpenError::entry(Table::Periods, key, error));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    failed.map_or(Ok(entries), Err)
}

fn read_table<R: LeafRead>(read: &R, hasher: NodeHasher) -> Result<PeriodTable> {
    let mut table = PeriodTable::new(hasher);
    let entries = read_periods(read, &[TABLE_KEY], &[TABLE_KEY + 1], decode_sealed)?;
    for (got, sealed) in entries {
        if let Some(expected) = table.next().filter(|next| *next != got) {
            return Err(TemporaryOpenError::Table { expected, got });
        }
        table.push_unrooted(got, sealed);
    }
    table.update_root();
    Ok(table)
}

fn read_header<R: LeafRead>(read: &R, id: PeriodId) -> Result<Option<Header>> {
    let key = period_key(SEAL_KEY, id);
    let Some(value) = read.get(Table::Periods, &key)? else {
        return Ok(None);
    };
    let header = decode_header(&key, &value);
    let header = header.map_err(|error| TemporaryOpenError::entry(Table::Periods, &key, error))?;
    Ok(Some(header.1))
}

/// Loads what a checkpoint has of a period.
fn load_entries<R: LeafRead>(
    read: &R,
    base: BlockNumber,
    covered: Covered,
    period: &mut Period,
) -> Result<()> {
    let after = PeriodId(covered.id.0.saturating_add(1));
    let (from, to) = (
        entries_key(base, covered.id, 0),
        entries_key(base, after, 0),
    );
    let mut result = Ok(());
    read.scan(Table::Periods, &from, Some(&to), &mut |key, value| {
        result = read_entries(key, value, period)
            .map_err(|error| TemporaryOpenError::entry(Table::Periods, key, error));
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    result?;
    period.log_bytes = covered.log_bytes;
    let entries = period.entries.len();
    if entries != covered.entries {
        let problem = format!(
            "checkpoint of period {}: expected {} entries, got {entries}",
            covered.id, covered.entries
        );
        return Err(misfit(base, problem));
    }
    Ok(())
}

/// The pages that are done of a period.
fn read_pages<R: LeafRead>(read: &R, id: PeriodId, page_bits: u32) -> Result<Vec<Node>> {
    let (from, to) = (
        period_key(PAGES_KEY, id),
        period_key(PAGES_KEY, PeriodId(id.0 + 1)),
    );
    let mut done: Vec<Node> = Vec::new();
    for Pages { first, nodes, .. } in read_periods(read, &from, &to, decode_pages)? {
        if first != done.len() || first + nodes.len() > 1 << page_bits {
            let error = DecodeError {
                offset: 0,
                expected: "the page after the last one, and no more than there are",
            };
            return Err(TemporaryOpenError::entry(Table::Periods, &from, error));
        }
        done.extend(nodes);
    }
    Ok(done)
}
