//! Loads of a trace's blocks.

use super::{
    Amplify, Bridged, Census, Cloner, Continuity, Gaps, LoadSource, Merged, Objects, Origins,
    SourceError, census::Counting,
};
use crate::{
    load::BlockLoad,
    trace::{TraceFileError, TraceReader},
};
use std::sync::Arc;
use thinstate_formats::BlockNumber;

/// Loads of the blocks of a trace, amplified.
///
/// Blocks at the end that do not fill a slot are left out. A pass over the whole trace beforehand decides which
/// objects live in slots and, for copies, who is a user; it also remembers where slots come from: about 250
/// bytes for each slot with known preimages.
#[derive(Debug)]
pub struct TraceSource {
    trace: Arc<TraceReader>,
    amplify: Amplify,
    gaps: Gaps,
    survey: Arc<Survey>,
    continuity: Continuity,
    /// Blocks before this one are left out.
    start: BlockNumber,
    /// The first block that has not been read.
    next: BlockNumber,
    /// Blocks from it on.
    left: u64,
}

/// What is decided once for the whole trace.
#[derive(Debug, Default)]
struct Survey {
    objects: Objects,
    /// Of copies.
    census: Census,
    origins: Origins,
}

impl TraceSource {
    /// The blocks of `trace` from the first.
    pub fn new(
        trace: Arc<TraceReader>,
        amplify: Amplify,
        gaps: Gaps,
    ) -> Result<Self, TraceFileError> {
        let survey = survey(&trace, amplify.copies > 1)?;
        let start = BlockNumber(0);
        Ok(Self::at_start(
            trace,
            amplify,
            gaps,
            Arc::new(survey),
            start,
        ))
    }

    /// The same loads without those of the blocks before `start`.
    pub fn starting_at(self, start: BlockNumber) -> Self {
        Self::at_start(self.trace, self.amplify, self.gaps, self.survey, start)
    }

    /// The same loads once more, from the first.
    pub fn again(&self) -> Self {
        let (trace, survey) = (Arc::clone(&self.trace), Arc::clone(&self.survey));
        Self::at_start(trace, self.amplify, self.gaps, survey, self.start)
    }

    /// The first block's number.
    pub fn first(&self) -> Option<BlockNumber> {
        self.trace.numbers().find(|number| *number >= self.start)
    }

    /// Whether values before are partly assumed, since the trace's source did not tell them.
    pub fn values_assumed(&self) -> bool {
        self.trace.header().values_assumed
    }

    /// Accesses so far that did not fit what the blocks before had left.
    pub const fn bridged(&self) -> Bridged {
        self.continuity.bridged()
    }

    /// Who is a user; empty where no copies are made.
    pub fn census(&self) -> &Census {
        &self.survey.census
    }

    fn at_start(
        trace: Arc<TraceReader>,
        amplify: Amplify,
        gaps: Gaps,
        survey: Arc<Survey>,
        start: BlockNumber,
    ) -> Self {
        let left = trace.numbers().filter(|number| *number >= start).count();
        Self {
            start,
            next: start,
            left: left as u64,
            trace,
            amplify,
            gaps,
            survey,
            continuity: Continuity::new(gaps),
        }
    }

    /// The load of the next block of the trace.
    fn next_block(&mut self) -> Result<Option<BlockLoad>, SourceError> {
        let Some(block) = self.trace.blocks_from(self.next).next().transpose()? else {
            return Ok(None);
        };
        self.next = BlockNumber(block.number.0.saturating_add(1));
        self.left = self.left.saturating_sub(1);
        let mut load = BlockLoad::collapse(&block)?;
        self.survey.objects.settle(&mut load);
        self.continuity.follow(&mut load)?;
        Ok(Some(load))
    }
}

fn survey(trace: &TraceReader, copies: bool) -> Result<Survey, TraceFileError> {
    let mut objects = Objects::default();
    let mut counting = Counting::default();
    let mut origins = Origins::default();
    for block in trace.blocks() {
        let block = block?;
        objects.add(&block);
        if copies {
            counting.add(&block);
            origins.add(&block);
        }
    }
    Ok(Survey {
        objects,
        census: counting.finish(),
        origins,
    })
}

impl LoadSource for TraceSource {
    fn next(&mut self) -> Result<Option<BlockLoad>, SourceError> {
        if self.left < u64::from(self.amplify.blocks) {
            return Ok(None);
        }
        let mut merged = Merged::default();
        self.continuity.begin();
        for _ in 0..self.amplify.blocks {
            match self.next_block()? {
                Some(load) => merged.push(&load)?,
                None => return Ok(None),
            }
        }
        let mut load = merged.finish();
        self.continuity.found(&mut load);
        let cloner = Cloner {
            census: &self.survey.census,
            origins: &self.survey.origins,
        };
        Ok(Some(cloner.copies(load, self.amplify.copies)?))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.left / u64::from(self.amplify.blocks))
    }
}
