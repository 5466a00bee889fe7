//! Blocks in files: witnesses, access lists, pre-states, traces.

use super::work::{Traced, Work};
use crate::{
    classify::BlockLogs,
    exec::ChainSpec,
    source::{
        access_list::{self, ListOptions},
        input::{Input, InputKind},
        known::KnownState,
        prestate,
        rpc::FetchFolder,
        witness,
    },
    trace::{RootCheck, TraceReader, record_witness},
};
use eyre::{WrapErr as _, bail, ensure};
use std::path::{Path, PathBuf};
use thinstate_engine::Options as StoreOptions;
use thinstate_formats::{BlockNumber, trace::TraceHeader};

/// How files are read.
pub(super) struct Files<'a> {
    pub(super) chain_id: u64,
    pub(super) lists: ListOptions,
    pub(super) store: StoreOptions,
    pub(super) work_dir: PathBuf,
    /// What was there before the lists.
    pub(super) known: KnownState<'a>,
    /// The folder that the files were fetched into.
    pub(super) fetched: Option<&'a FetchFolder>,
}

impl<'a> Files<'a> {
    /// The blocks of some files, which ascend.
    pub(super) fn work(mut self, inputs: Vec<Input>) -> eyre::Result<Work<'a>> {
        let mut values_assumed = false;
        let mut chain_id = None;
        let mut blocks = 0;
        for input in &inputs {
            let of_input = match input.kind {
                InputKind::Trace => {
                    let reader = TraceReader::open(&input.path)?;
                    values_assumed |= reader.header().values_assumed;
                    blocks += reader.len();
                    reader.header().chain_id
                }
                InputKind::AccessList => {
                    values_assumed |= self.known.assumes();
                    blocks += 1;
                    self.chain_id
                }
                InputKind::Witness | InputKind::Prestate => {
                    blocks += 1;
                    self.chain_id
                }
            };
            let known = *chain_id.get_or_insert(of_input);
            ensure!(
                known == of_input,
                "{}: chain {of_input}, expected {known} as of the blocks before",
                input.path.display()
            );
        }
        let header = TraceHeader::new(chain_id.unwrap_or(self.chain_id));
        let items = inputs.into_iter().flat_map(move |input| self.read(&input));
        Ok(Work {
            header: header.with_values_assumed(values_assumed),
            blocks,
            items: Box::new(items),
        })
    }

    fn read(&mut self, input: &Input) -> Box<dyn Iterator<Item = eyre::Result<Traced>>> {
        let path = &input.path;
        let one = match input.kind {
            InputKind::Trace => return traces(path),
            InputKind::Witness => self.witness(input),
            InputKind::AccessList => self.access_list(path),
            InputKind::Prestate => prestate_of(path),
        };
        let at = || format!("block {} ({})", input.number, path.display());
        let one = match (one, self.fetched) {
            (Err(error), Some(folder)) => Err(forgotten(folder, input.number, error)),
            (one, _) => one,
        };
        Box::new(std::iter::once(one.wrap_err_with(at)))
    }

    /// Records a block in a store that is gone afterwards.
    fn witness(&self, input: &Input) -> eyre::Result<Traced> {
        let witness = witness::read(&input.path)?;
        let got = witness.number();
        ensure!(got == input.number, "it holds block {got}");
        let spec = ChainSpec::mainnet();
        if spec.chain_id() != self.chain_id {
            bail!(
                "witnesses are executed by mainnet's rules, chain {} has others",
                self.chain_id
            );
        }
        let dir = tempfile::Builder::new()
            .prefix("thinstate-trace-")
            .tempdir_in(&self.work_dir)?;
        let recorded = record_witness(dir.path(), &witness, &spec, self.store.clone())?;
        dir.close()?;
        let note = match &recorded.root {
            RootCheck::Holds => None,
            RootCheck::Unknown(node) => Some(format!(
                "execution holds, but its state root cannot be computed: {node}"
            )),
        };
        Ok(Traced {
            logs: Some(BlockLogs::from_receipts(&recorded.outcome.receipts)),
            code: recorded.outcome.changes.code,
            trace: recorded.trace,
            note,
        })
    }

    fn access_list(&mut self, path: &Path) -> eyre::Result<Traced> {
        let file = access_list::read(path, &self.lists)?;
        let listed = access_list::to_trace(&file.list, &file.figures, &mut self.known)?;
        let mut notes = Vec::new();
        if file.dropped > 0 {
            let dropped = file.dropped;
            notes.push(format!(
                "{dropped} items dropped to bring the list into order"
            ));
        }
        if listed.no_changes > 0 {
            notes.push(format!(
                "{} changes store what the lists before have left: they are reads in the trace",
                listed.no_changes
            ));
        }
        Ok(Traced {
            code: access_list::codes(&file.list),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            ..listed.trace.into()
        })
    }
}

/// A fetched block that does not hold is to be fetched anew: the chain may have changed between two calls.
fn forgotten(folder: &FetchFolder, number: BlockNumber, error: eyre::Report) -> eyre::Report {
    match folder.forget(number) {
        Ok(()) => error.wrap_err("what was fetched is removed, the same command fetches it anew"),
        Err(other) => error.wrap_err(other),
    }
}

fn prestate_of(path: &Path) -> eyre::Result<Traced> {
    let (state, figures) = prestate::read(path)?;
    Ok(prestate::to_trace(&state, &figures)?.into())
}

fn traces(path: &Path) -> Box<dyn Iterator<Item = eyre::Result<Traced>>> {
    let reader = match TraceReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return Box::new(std::iter::once(Err(error.into()))),
    };
    let numbers: Vec<BlockNumber> = reader.numbers().collect();
    let block = move |number| match reader.block(number) {
        Ok(Some(trace)) => Ok(trace.into()),
        Ok(None) => unreachable!("the number is from the trace's index"),
        Err(error) => Err(error.into()),
    };
    Box::new(numbers.into_iter().map(block))
}
