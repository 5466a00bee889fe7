//! Carrying the command out: learn from the trace, classify it, count.

use super::{
    Options,
    eras::Eras,
    logs::{self, Logs},
};
use crate::{
    classify::{
        self, BlockFindings, BlockLogs, Comparison, LayoutBook, Registry, Report, apply_book,
        classify_block, forget, learn_block,
    },
    trace::{TraceReader, TraceWriter, partial_path},
};
use eyre::WrapErr as _;
use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};
use thinstate_formats::{BlockNumber, trace::BlockTrace};

/// What the command finds out.
#[derive(Default)]
pub(super) struct Figures {
    /// All blocks.
    pub(super) all: Report,
    /// By years.
    pub(super) eras: Vec<(String, Report)>,
    /// Each block, with its time, where asked for.
    pub(super) blocks: Vec<(BlockNumber, u64, Report)>,
    /// Blocks whose logs are known.
    pub(super) with_logs: usize,
    /// Search against preimages, where asked for.
    pub(super) search: Option<Comparison>,
    /// Contracts of the registry.
    pub(super) known: usize,
    /// Contracts of which more was learned.
    pub(super) learned: usize,
}

pub(super) fn run(options: &Options) -> eyre::Result<Figures> {
    let reader = TraceReader::open(&options.trace)?;
    let registry = registry(options)?;
    let logs = logs::of_trace(&reader, &options.blocks)?;
    let job = Job {
        options,
        reader,
        logs,
        none: BlockLogs::default(),
    };
    let mut figures = Figures {
        known: registry.contracts(),
        with_logs: job.logs.len(),
        ..Figures::default()
    };
    let mut book = LayoutBook::new(registry.clone());
    if !options.forward {
        job.learn(&mut book, options.forget_preimages)?;
    }
    job.classify(&mut book, &mut figures)?;
    figures.learned = book.learned();
    if options.compare_search {
        figures.search = Some(job.compare(&book, LayoutBook::new(registry))?);
    }
    if let Some(path) = &options.save_layouts {
        save(path, &book.to_toml(options.min_entries))?;
    }
    Ok(figures)
}

fn registry(options: &Options) -> eyre::Result<Registry> {
    if options.no_registry {
        return Ok(Registry::default());
    }
    match &options.registry {
        Some(path) => Registry::read(path).wrap_err_with(|| path.display().to_string()),
        None => Ok(Registry::builtin()),
    }
}

struct Job<'a> {
    options: &'a Options,
    reader: TraceReader,
    logs: Logs,
    none: BlockLogs,
}

impl Job<'_> {
    fn logs(&self, number: BlockNumber) -> &BlockLogs {
        self.logs.get(&number).unwrap_or(&self.none)
    }

    fn blocks(&self, forgotten: bool) -> impl Iterator<Item = eyre::Result<BlockTrace>> {
        let forget_classes = self.options.forget_classes;
        self.reader.blocks().map(move |block| {
            let mut block = block?;
            if forgotten {
                forget(&mut block);
            } else if forget_classes {
                classify::forget_classes(&mut block);
            }
            Ok(block)
        })
    }

    fn learn(&self, book: &mut LayoutBook, forgotten: bool) -> eyre::Result<()> {
        for block in self.blocks(forgotten) {
            let block = block?;
            learn_block(&block, self.logs(block.number), book);
        }
        Ok(())
    }

    fn classify(&self, book: &mut LayoutBook, figures: &mut Figures) -> eyre::Result<()> {
        let Some(output) = &self.options.output else {
            return self.classify_into(None, book, figures);
        };
        let mut writer = TraceWriter::create(output, self.reader.header()).wrap_err(
            "the trace cannot be begun (remove what an interrupted command has left, FILE.partial)",
        )?;
        if let Err(error) = self.classify_into(Some(&mut writer), book, figures) {
            drop(writer);
            // Half a trace is of no use: the whole one can be made again from the source.
            fs::remove_file(partial_path(output))?;
            return Err(error);
        }
        let path = writer.finish()?;
        status!("{}: written", path.display());
        Ok(())
    }

    fn classify_into(
        &self,
        mut writer: Option<&mut TraceWriter>,
        book: &mut LayoutBook,
        figures: &mut Figures,
    ) -> eyre::Result<()> {
        let eras = &self.options.eras;
        figures.eras = eras
            .iter()
            .map(|era| (era.to_string(), Report::default()))
            .collect();
        for block in self.blocks(self.options.forget_preimages) {
            let mut block = block?;
            let logs = self.logs(block.number);
            let findings = match self.options.forward {
                true => classify_block(&mut block, logs, book),
                false => apply_book(&mut block, logs, book),
            };
            figures.add(&findings, eras, self.options.per_block);
            if let Some(writer) = &mut writer {
                writer.push(&block)?;
            }
        }
        Ok(())
    }

    /// The search, with what it learns by itself, against the preimages.
    fn compare(&self, by_preimages: &LayoutBook, mut book: LayoutBook) -> eyre::Result<Comparison> {
        self.learn(&mut book, true)?;
        let mut comparison = Comparison::default();
        for block in self.blocks(false) {
            let mut block = block?;
            let logs = self.logs(block.number);
            let reference = apply_book(&mut block.clone(), logs, by_preimages);
            forget(&mut block);
            comparison.add(&reference, &apply_book(&mut block, logs, &book));
        }
        Ok(comparison)
    }
}

impl Figures {
    fn add(&mut self, block: &BlockFindings, eras: &[Eras], per_block: bool) {
        self.all.add(block);
        for (era, (_, report)) in eras.iter().zip(&mut self.eras) {
            if era.contains(block.timestamp) {
                report.add(block);
            }
        }
        if per_block {
            let mut report = Report::default();
            report.add(block);
            self.blocks.push((block.number, block.timestamp, report));
        }
    }
}

/// Writes a text whole or not at all.
fn save(path: &Path, text: &str) -> eyre::Result<()> {
    let partial = partial_path(path);
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().wrap_err_with(|| path.display().to_string())
}
