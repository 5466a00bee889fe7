//! `thinstate study`: designs, state sizes, gas multiples.

use super::{
    interrupt::{INTERRUPTED, stop_on_ctrl_c},
    replay::progress,
    stdio::Out,
    store::table::{count, table},
};
use crate::{
    compare::Statistic,
    measure::{DeviceProfile, device},
    report,
    study::{self, NoiseFloor, Replayed, StudyResult, StudySpec, StudyStatus},
};
use clap::ValueHint;
use eyre::WrapErr as _;
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Options of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The study of the file is carried out in the folder of --out, cell by cell, each
run on a fresh copy of its design's filled store. What is complete is not
repeated: run the same command again after an interruption, or after adding
designs, sizes or multiples to the file. study.json, report.html and report.md are
written after the last cell. data/studies has examples.

A run ends early once it is certain that p99 of its blocks does not fit the slot;
`whole = true` among the fields of run lets it go on to its last block.

Fields of the file: name, summary, designs, accounts, multiples, bisect
(resolution, multiple-max), profile, amplify, seed, slot-s, run (blocks,
blocks-min, seconds, warm-up, whole, store, cache-bytes, threads, direct-io,
drop-caches), held-out (accounts, multiple), noise-floor, and any number of predict
(accounts, device, threads, cache-bytes).

At the end one run of the first design at the smallest size is repeated: what lies
between the two is the noise floor. noise-floor = 10 names its multiple, `false`
leaves it out; otherwise it is the least that was measured for a second.

Exit status: 0 completed, 1 an error occurred or roots differ, 130 interrupted.")]
pub(super) struct Options {
    /// The study, as TOML.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Folder of the study [default: out/study/NAME].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Folder of filled stores, to be used again by later runs.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    cache: Option<PathBuf>,
    /// What the device can do: the file that `thinstate device -o` wrote.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    device: Option<PathBuf>,
    /// Say nothing on stderr but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let path = &options.file;
    let text = fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?;
    let spec = StudySpec::parse(&text).wrap_err_with(|| path.display().to_string())?;
    spec.check_named()
        .wrap_err_with(|| path.display().to_string())?;
    let dir = match &options.out {
        Some(dir) => dir.clone(),
        None => Path::new("out/study").join(&spec.name),
    };
    let measured = options.device.as_deref().map(profile).transpose()?;
    let scenarios = spec.scenarios(measured.as_ref())?;
    fs::create_dir_all(&dir).wrap_err_with(|| dir.display().to_string())?;
    let stop = stop_on_ctrl_c()?;
    let progress = progress::for_stderr(options.quiet);
    let mut runner = Replayed {
        dir: dir.clone(),
        cache: options.cache.clone(),
        device: options.device.clone().zip(measured),
        progress: &*progress,
        stop: &stop,
    };
    let study = study::run(&spec, &dir, &scenarios, &mut runner)?;
    drop(progress);
    print(&study)?;
    if study.cells.iter().any(|cell| !cell.runs.is_empty()) {
        let meaning = write_reports(&dir)?;
        writeln!(Out, "\n{meaning}")?;
    }
    Ok(match study.status {
        StudyStatus::Completed => ExitCode::SUCCESS,
        StudyStatus::Partial | StudyStatus::Interrupted => ExitCode::from(INTERRUPTED),
    })
}

fn profile(path: &Path) -> eyre::Result<DeviceProfile> {
    Ok(device::load(&path.to_string_lossy())?)
}

fn print(study: &StudyResult) -> io::Result<()> {
    let mut rows = table(&["design", "accounts", "largest", "first unfit", "limit"]);
    for cell in &study.cells {
        let multiple = |it: Option<u32>| it.map_or("-".to_owned(), |it| format!("{it}x"));
        let limit = cell.saturation.as_ref().and_then(|it| it.first);
        rows.add_row([
            cell.design.name.clone(),
            count(cell.cell.accounts),
            multiple(cell.largest.multiple),
            multiple(cell.largest.first_unfit),
            limit.map_or("-", study::Resource::name).to_owned(),
        ]);
    }
    writeln!(Out, "{rows}")?;
    match (&study.noise_floor, &study.noise_floor_missing) {
        (Some(floor), _) => writeln!(Out, "\n{}", noise(floor)),
        (None, Some(missing)) => writeln!(Out, "\n{missing}"),
        (None, None) => Ok(()),
    }
}

/// What no difference may be smaller than, of a block's whole work.
fn noise(floor: &NoiseFloor) -> String {
    let percent = |statistic| {
        let row = floor.measured.row("total_ns", statistic);
        row.map_or("-".to_owned(), |row| {
            format!("{:.1} %", row.floor() * 100.0)
        })
    };
    let short = match floor.measured.is_short() {
        true => "; it was at work for less than a second, too little for figures of time",
        false => "",
    };
    format!(
        "noise floor ({} with {} accounts at {}x, twice): mean {}, p99 {}{short}",
        floor.cell.design,
        count(floor.cell.accounts),
        floor.multiple,
        percent(Statistic::Mean),
        percent(Statistic::P99)
    )
}

/// Writes both reports; what the study means, in three sentences.
fn write_reports(dir: &Path) -> eyre::Result<String> {
    let data = report::Data::open(&[dir.to_owned()])?;
    let sections = report::sections(&data);
    let html = report::html(&data.title, &sections);
    let markdown = report::markdown(&data.title, &sections);
    for (name, text) in [("report.html", html), ("report.md", markdown)] {
        let path = dir.join(name);
        report::write(&path, text.as_bytes())
            .wrap_err_with(|| format!("cannot write {}", path.display()))?;
        status!("{}", path.display());
    }
    let headline = sections.first().and_then(|section| section.text.first());
    Ok(headline.cloned().unwrap_or_default())
}
