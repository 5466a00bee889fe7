//! Writing a trace of witness files.

use super::{Options, files, info, progress::Progress};
use crate::{
    exec::ChainSpec,
    source::witness::BlockWitness,
    trace::{Recorded, RootCheck, TraceReader, TraceWriter, partial_path, record_witness},
};
use eyre::WrapErr as _;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use thinstate_engine::Options as StoreOptions;
use thinstate_formats::{BlockNumber, trace::TraceHeader};

/// Exit status after an interruption.
const INTERRUPTED: u8 = 130;

pub(super) fn run(options: &Options, output: &Path) -> eyre::Result<ExitCode> {
    let files = files::ordered(&options.paths)?;
    let job = Job::new(options)?;
    if options.force {
        remove_partial(output)?;
    }
    let start = Instant::now();
    let header = TraceHeader {
        chain_id: job.spec.chain_id(),
    };
    let mut writer = TraceWriter::create(output, header).wrap_err(
        "the trace cannot be begun (--force removes what an interrupted command has left)",
    )?;
    let interrupted = on_interrupt()?;
    if let Err(error) = job.write_all(&files, &mut writer, &interrupted) {
        drop(writer);
        remove_partial(output)?;
        return Err(error);
    }
    let blocks = writer.blocks();
    let path = writer.finish()?;
    eprintln!(
        "{}: {blocks} of {} blocks in {:.1} s",
        path.display(),
        files.len(),
        start.elapsed().as_secs_f64()
    );
    let info = TraceReader::open(&path)?.info()?;
    info::print(&info, options.json)?;
    if blocks < files.len() {
        eprintln!("interrupted: the trace holds the blocks before");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is the same for every block.
struct Job {
    spec: ChainSpec,
    store: StoreOptions,
    work_dir: PathBuf,
}

impl Job {
    fn new(options: &Options) -> eyre::Result<Self> {
        let work_dir = options.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&work_dir).wrap_err_with(|| work_dir.display().to_string())?;
        Ok(Self {
            spec: ChainSpec::mainnet(),
            store: StoreOptions {
                threads: options.threads,
                ..StoreOptions::default()
            },
            work_dir,
        })
    }

    fn write_all(
        &self,
        files: &[(BlockNumber, PathBuf)],
        writer: &mut TraceWriter,
        interrupted: &AtomicBool,
    ) -> eyre::Result<()> {
        let mut progress = Progress::new(files.len());
        for (number, path) in files {
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            let witness = files::read(*number, path)?;
            let recorded = self
                .record(&witness)
                .wrap_err_with(|| format!("block {number} ({})", path.display()))?;
            if let RootCheck::Unknown(node) = &recorded.root {
                progress.note(&format!(
                    "block {number}: execution holds, but its state root cannot be computed: {node}"
                ));
            }
            writer.push(&recorded.trace)?;
            progress.done(format!("block {number}, {} bytes", writer.bytes()));
        }
        progress.finish();
        Ok(())
    }

    /// Records a block in a store that is gone afterwards.
    fn record(&self, witness: &BlockWitness) -> eyre::Result<Recorded> {
        let dir = tempfile::Builder::new()
            .prefix("thinstate-trace-")
            .tempdir_in(&self.work_dir)?;
        let recorded = record_witness(dir.path(), witness, &self.spec, self.store.clone())?;
        dir.close()?;
        Ok(recorded)
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

/// A flag that the first interruption sets; the second ends the program.
fn on_interrupt() -> eyre::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })?;
    Ok(flag)
}
