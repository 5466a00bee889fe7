//! `thinstate replay plan`.

use super::flags::Flags;
use crate::{
    cli::stdio::Out,
    population::{Population, PopulationSpec},
    replay::{RunConfig, Stores},
    trace::TraceReader,
};
use indicatif::HumanBytes;
use std::{io::Write as _, process::ExitCode};

/// Bytes that a leaf of an account takes in the permanent tier's store, and memory for its bucket: about
/// 100 with its key, as `benches/benches/permanent_bytes.rs` measures it.
const ACCOUNT_BYTES: u64 = 100;
/// The same of a slot.
const SLOT_BYTES: u64 = 90;

/// Options of the command.
///
/// The settings go to stdout, as a file that --config takes; what a run would do goes to stderr. Nothing
/// is written.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    flags: Flags,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let config = options.flags.resolve()?;
    let text = toml::to_string(&config)?;
    Out.write_all(text.as_bytes())?;
    for line in described(&config)? {
        status!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// What a run would do.
fn described(config: &RunConfig) -> eyre::Result<Vec<String>> {
    let amplify = config.amplify()?;
    let mut lines = vec![format!("amplification: {amplify}")];
    for name in &config.design {
        let spec = Stores::design(name)?;
        lines.push(format!("design {}: {}", spec.name, spec.summary));
    }
    let accounts = match (config.accounts, &config.trace) {
        (None, None) => RunConfig::ACCOUNTS,
        (accounts, _) => accounts.unwrap_or(0),
    };
    if accounts > 0 {
        let population = Population::new(PopulationSpec::of(accounts, config.seed))?;
        let slots = population.slots();
        let bytes = accounts * ACCOUNT_BYTES + slots * SLOT_BYTES;
        let codes = population.code_lengths();
        let (count, code_bytes) = (
            codes.len(),
            codes.map(|(_, length)| u64::from(length)).sum::<u64>(),
        );
        lines.push(format!(
            "state: {accounts} accounts, {slots} slots, about {}, and {count} codes, {}, in the permanent tier",
            HumanBytes(bytes),
            HumanBytes(code_bytes)
        ));
    }
    if let Some(path) = &config.trace {
        let trace = TraceReader::open(path)?;
        let slots = trace.len() as u64 / u64::from(amplify.blocks);
        lines.push(format!(
            "trace: {} blocks, which make {slots} slots",
            trace.len()
        ));
    }
    if let Some(slots) = config.slots() {
        let (warm_up, counted) = (config.warm_up, slots - config.warm_up);
        lines.push(format!(
            "slots: {warm_up} to warm up, {counted} that count; {} blocks' gas in all",
            slots * u64::from(amplify.multiple())
        ));
    }
    if config.open_loop {
        let interval = config.slot / config.speed_up;
        lines.push(format!("open loop: a slot each {interval:.3} s"));
    }
    Ok(lines)
}
