//! Writing a trace, access lists, or both, of whatever the blocks come from.

use super::{
    Options,
    chain::Chain,
    files::Files,
    generated, info,
    lists::ListWriter,
    node::{self, Outcome},
    progress::Progress,
    work::{Traced, Work},
};
use crate::{
    classify::{LayoutBook, Registry, classify_block},
    cli::interrupt::{INTERRUPTED, stop_on_ctrl_c},
    inspect::datadir::{self, OpenStore},
    source::{
        access_list::ListOptions,
        input::{self, Input, InputKind},
        known::KnownState,
        rpc::FetchFolder,
    },
    trace::{TraceReader, TraceWriter, partial_path},
};
use eyre::{WrapErr as _, bail};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};
use thinstate_engine::Options as StoreOptions;
use thinstate_formats::BlockNumber;

/// Blocks that are asked for.
type Wanted = BTreeSet<BlockNumber>;

pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let stop = stop_on_ctrl_c()?;
    let store = StoreOptions {
        threads: options.threads,
        ..StoreOptions::default()
    };
    let work_dir = options.work_dir.clone().unwrap_or_else(std::env::temp_dir);
    fs::create_dir_all(&work_dir).wrap_err_with(|| work_dir.display().to_string())?;
    if options.paths.is_empty()
        && let Some(ranges) = &options.blocks
        && let Some(output) = options
            .output
            .as_deref()
            .filter(|_| options.node.rpc.is_some())
    {
        let (folder, inputs) = match node::run(&options.node, ranges, output, &stop)? {
            Outcome::All(folder, inputs) => (folder, inputs),
            Outcome::Interrupted(code) => return Ok(code),
        };
        return from_files(options, inputs, Some(&folder), None, store, work_dir, &stop);
    }
    let wanted = options.blocks.as_ref().map(|ranges| ranges.resolve(None));
    let wanted = wanted.transpose()?.map(Wanted::from_iter);
    let wanted = wanted.as_ref();
    if !options.chain.era1.is_empty() {
        let chain = Chain::open(&options.chain, &work_dir, store)?;
        return write(options, chain.work()?, wanted, &stop);
    }
    if let Some(profile) = &options.generated.generate {
        let chain_id = options.node.chain_id;
        let work = generated::work(&options.generated, profile, chain_id, wanted)?;
        return write(options, work, wanted, &stop);
    }
    if !options.extracts.parquet.is_empty() {
        return from_extracts(options, wanted, &stop);
    }
    let mut inputs = input::find(&options.paths)?;
    // Which blocks a trace holds is seen when it is read.
    inputs.retain(|input| {
        let is_trace = input.kind == InputKind::Trace;
        is_trace || wanted.is_none_or(|wanted| wanted.contains(&input.number))
    });
    from_files(options, inputs, None, wanted, store, work_dir, &stop)
}

#[cfg(feature = "parquet")]
fn from_extracts(
    options: &Options,
    wanted: Option<&Wanted>,
    stop: &AtomicBool,
) -> eyre::Result<ExitCode> {
    let work = super::extracts::work(
        &options.extracts,
        options.node.chain_id,
        options.lists_from.block_folder.clone(),
    )?;
    write(options, work, wanted, stop)
}

#[cfg(not(feature = "parquet"))]
fn from_extracts(_: &Options, _: Option<&Wanted>, _: &AtomicBool) -> eyre::Result<ExitCode> {
    bail!("this program was built without the feature `parquet`")
}

fn from_files(
    options: &Options,
    inputs: Vec<Input>,
    fetched: Option<&FetchFolder>,
    wanted: Option<&Wanted>,
    store: StoreOptions,
    work_dir: PathBuf,
    stop: &AtomicBool,
) -> eyre::Result<ExitCode> {
    let state = options.lists_from.state.as_deref();
    let state = state
        .map(|dir| state_before(dir, &inputs, &store))
        .transpose()?;
    let view = state.as_ref().map(|state| state.permanent().view());
    let files = Files {
        chain_id: options.node.chain_id,
        lists: ListOptions {
            block_folder: options.lists_from.block_folder.clone(),
            repair: options.lists_from.repair_lists,
        },
        store,
        work_dir,
        known: view
            .as_ref()
            .map_or_else(KnownState::new, |view| KnownState::on(view)),
        fetched,
    };
    write(options, files.work(inputs)?, wanted, stop)
}

/// The state before the first list.
fn state_before(dir: &Path, inputs: &[Input], store: &StoreOptions) -> eyre::Result<OpenStore> {
    let state = datadir::open_all(dir, store.clone())?;
    let lists = inputs.iter().filter(|it| it.kind == InputKind::AccessList);
    let head = state.permanent().head().block.map(|block| block.number);
    if let (Some(first), Some(head)) = (lists.map(|it| it.number).min(), head)
        && head.0.checked_add(1) != Some(first.0)
    {
        bail!(
            "{}: the state of block {head}, expected that of the block before {first}",
            dir.display()
        );
    }
    Ok(state)
}

/// What is written, and how far it is.
struct Writing {
    trace: Option<TraceWriter>,
    lists: Option<ListWriter>,
    /// What is known of contracts' layouts, where slots are to be classified.
    book: Option<LayoutBook>,
    progress: Progress,
    written: usize,
    /// Whether the source was read to its end, or as far as blocks are wanted.
    whole: bool,
}

fn write(
    options: &Options,
    work: Work<'_>,
    wanted: Option<&Wanted>,
    stop: &AtomicBool,
) -> eyre::Result<ExitCode> {
    let output = options.output.as_deref();
    if let Some(output) = output.filter(|_| options.force) {
        remove_partial(output)?;
    }
    let start = Instant::now();
    let trace = output.map(|output| TraceWriter::create(output, work.header));
    let trace = trace.transpose().wrap_err(
        "the trace cannot be begun (--force removes what an interrupted command has left)",
    )?;
    let mut writing = Writing {
        trace,
        lists: options.lists.as_deref().map(ListWriter::new).transpose()?,
        book: (!options.unclassified).then(|| LayoutBook::new(Registry::builtin())),
        progress: Progress::new(work.blocks),
        written: 0,
        whole: false,
    };
    if let Err(error) = writing.all(work, wanted, stop) {
        drop(writing);
        output.map_or(Ok(()), remove_partial)?;
        return Err(error);
    }
    writing.finish(start, options.json)
}

impl Writing {
    fn all(
        &mut self,
        work: Work<'_>,
        wanted: Option<&Wanted>,
        stop: &AtomicBool,
    ) -> eyre::Result<()> {
        for traced in work.items {
            if stop.load(Ordering::Relaxed) {
                self.progress.finish();
                return Ok(());
            }
            let mut traced = traced?;
            let number = traced.trace.number;
            if wanted.is_some_and(|wanted| wanted.last() < Some(&number)) {
                break;
            }
            if wanted.is_none_or(|wanted| wanted.contains(&number)) {
                self.one(&mut traced)?;
            } else {
                self.progress.done(format!("block {number} passed over"));
            }
        }
        self.whole = true;
        self.progress.finish();
        Ok(())
    }

    fn one(&mut self, traced: &mut Traced) -> eyre::Result<()> {
        let number = traced.trace.number;
        if let (Some(book), Some(logs)) = (&mut self.book, &traced.logs) {
            classify_block(&mut traced.trace, logs, book);
        }
        if let Some(note) = &traced.note {
            self.progress.note(&format!("block {number}: {note}"));
        }
        let mut what = format!("block {number}");
        if let Some(trace) = &mut self.trace {
            trace.push(&traced.trace)?;
            what += &format!(", {} bytes", trace.bytes());
        }
        if let Some(lists) = &mut self.lists
            && let Some(refusal) = lists.write(traced)?
        {
            self.progress.note(&format!("block {number}: {refusal}"));
        }
        self.written += 1;
        self.progress.done(what);
        Ok(())
    }

    fn finish(self, start: Instant, json: bool) -> eyre::Result<ExitCode> {
        let seconds = start.elapsed().as_secs_f64();
        let mut code = ExitCode::SUCCESS;
        if let Some(lists) = &self.lists {
            status!("{} access lists, {} refused", lists.written, lists.refused);
            if lists.refused > 0 {
                code = ExitCode::FAILURE;
            }
        }
        let blocks = self.written;
        if let Some(trace) = self.trace {
            let path = trace.finish()?;
            status!("{}: {blocks} blocks in {seconds:.1} s", path.display());
            info::print(&TraceReader::open(&path)?.info()?, json)?;
        }
        if !self.whole {
            status!("interrupted: what is written holds the blocks before");
            code = ExitCode::from(INTERRUPTED);
        }
        Ok(code)
    }
}

fn remove_partial(output: &Path) -> eyre::Result<()> {
    let partial = partial_path(output);
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).wrap_err_with(|| partial.display().to_string())
        }
        _ => Ok(()),
    }
}
