//! `thinstate-compare peers`: key-value workloads and transfers on every store.

mod flags;
mod store;

pub(super) use flags::Flags;

use super::children;
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use eyre::WrapErr as _;
use flags::Workload;
use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};
use store::OnStore;
use thinstate_compare::{
    Facts, peer,
    peers::{Kind, PeersResult, Setting, StoreFound, disagreements, document, tables, versions},
    phases,
};
use thinstate_replay::measure::{Machine, Program};

impl Flags {
    /// Runs the workloads, one after the other.
    pub(super) fn run(&self, stop: &AtomicBool) -> eyre::Result<ExitCode> {
        self.check()?;
        fs::create_dir_all(&self.out)
            .wrap_err_with(|| format!("cannot make the folder {}", self.out.display()))?;
        let mut last = ExitCode::SUCCESS;
        for workload in &self.workload {
            if stop.load(SeqCst) {
                break;
            }
            let status = self.compare(*workload, stop)?;
            if status != ExitCode::SUCCESS {
                last = status;
            }
        }
        Ok(last)
    }

    /// Runs a workload on all stores, and writes what was found.
    fn compare(&self, workload: Workload, stop: &AtomicBool) -> eyre::Result<ExitCode> {
        let setting = self.setting(workload);
        let mut stores: Vec<StoreFound> = Vec::new();
        let chosen = self.chosen(workload);
        let status = children::each(chosen.iter().map(|facts| facts.name), stop, |name| {
            let facts = chosen.iter().find(|facts| facts.name == *name);
            let mut found = StoreFound::new(facts.expect("it is one of them"));
            let on = OnStore::new(name, self, &setting);
            let done = on.run(&mut found);
            found.failed = done.as_ref().err().map(|error| format!("{error:#}"));
            stores.push(found);
            done
        });
        let wrong = disagreements(&stores);
        let result = PeersResult {
            schema: PeersResult::SCHEMA.to_owned(),
            command: command(std::env::args()),
            machine: Machine::detect(&self.out),
            program: Program::this(),
            versions: versions::of_stores(),
            setting,
            stores,
        };
        self.write(&result, stop.load(SeqCst))?;
        for sentence in &wrong {
            eprintln!("{sentence}");
        }
        Ok(match wrong.is_empty() {
            true => status,
            false => ExitCode::FAILURE,
        })
    }

    /// What is run, resolved.
    fn setting(&self, workload: Workload) -> Setting {
        let kind = match workload {
            Workload::Keys => Kind::Keys {
                keys: self.keys.0,
                reads: self.reads,
            },
            Workload::Transfers => Kind::Transfers {
                holders: self.holders.0,
            },
        };
        Setting {
            kind,
            sizes: self.sizes(workload),
            cache_bytes: self.cache_size.0,
            threads: self.threads(),
            seed: self.seed,
            memory_bytes_max: self.memory.map(|limit| limit.0),
        }
    }

    /// The stores of a workload that were asked for.
    fn chosen(&self, workload: Workload) -> Vec<Facts> {
        let states: &[phases::StateEntry] = match workload {
            Workload::Keys => &[],
            Workload::Transfers => phases::STATES,
        };
        let peers = peer::ALL.iter().map(|it| it.facts);
        let all = states.iter().map(|it| it.facts).chain(peers);
        all.filter(|facts| {
            self.store.is_empty() || self.store.iter().any(|name| name == facts.name)
        })
        .collect()
    }

    /// Prints the tables and writes the files; the one for people only if there is something to show, and the last store has
    /// not been interrupted.
    fn write(&self, result: &PeersResult, interrupted: bool) -> eyre::Result<()> {
        let place = tables::place(&result.setting);
        let path = self.out.join(file_name(&place));
        let json = serde_json::to_vec_pretty(result)?;
        write_whole(&path, &json).wrap_err_with(|| format!("cannot write {}", path.display()))?;
        let text = tables::of(result);
        io::stdout().write_all(text.as_bytes())?;
        let empty = result.stores.iter().all(|store| store.draws.is_empty());
        match &self.docs {
            Some(docs) if empty || interrupted => {
                eprintln!("{} stays as it is", docs.display());
                Ok(())
            }
            Some(docs) => Ok(document::put(docs, &place, &text)?),
            None => Ok(()),
        }
    }
}

/// The name of the file for programs: that of the place for people, in one word.
fn file_name(place: &str) -> String {
    let word = place.replace(',', "").replace(' ', "-");
    format!("{word}.json")
}

/// The command line without the folder of the program.
fn command(mut words: impl Iterator<Item = String>) -> String {
    words.next();
    let quoted = words.map(|word| match word.contains(char::is_whitespace) {
        true => format!("'{word}'"),
        false => word,
    });
    let words: Vec<_> = ["thinstate-compare".to_owned()]
        .into_iter()
        .chain(quoted)
        .collect();
    words.join(" ")
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("json.new");
    fs::write(&aside, bytes)?;
    fs::File::open(&aside)?.sync_all()?;
    fs::rename(&aside, path)
}
