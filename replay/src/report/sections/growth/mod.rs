//! Growth of live, permanent and archive bytes over months.

mod simulate;

use super::{
    accounts,
    bytes::{of_object, state},
};
use crate::{
    measure::{StateSize, TierBytes},
    report::{
        CellData, Data, Figure, RunData, Section, Table,
        format::{self, bytes},
        plot::{Axis, LineChart, Scale, Series},
    },
};
use simulate::{Mix, Rules};

/// Blocks in a month of 30 days, at 12 s.
const BLOCKS: u64 = 216_000;
/// Months that are shown.
const MONTHS: u32 = 24;

pub(super) fn section(data: &Data) -> Option<Section> {
    let size = data.sizes().last().copied()?;
    let figure = figure(data, size)?;
    Some(Section {
        id: "growth",
        title: "Growth over months".to_owned(),
        text: vec![
            "Bytes that blocks add to the state in 24 months of 30 days, 216,000 blocks each, at one times mainnet's gas. \
             Measured: how many objects a block creates, deletes and brings back, in the run nearest to mainnet's gas; and the bytes of an object, after the last run, as above. \
             Simulated, by the design's own rules: temporary entries are live until their period is sealed (its length, the periods in which they can be read, the delay of the seal), and from then on a spent bit and their place in the archive; \
             accounts and slots that expire go to the archive when they have been cold for the design's time and the sweep has been around once more; records have their bit and their place in the archive from the beginning."
                .to_owned(),
            "Assumed: rates and bytes of an object stay as they are. A temporary entry is written again in the period that it was made in and not later, and an entry of the permanent tier not after it was made; whatever is written later stays live for longer, so that live bytes are the least, and the archive of sealed and expired entries and the permanent residue of sealed ones the most. \
             What stays for ever of expired entries, their stubs, is among the bytes of live ones and not told apart. \
             What the state held at the start is left out, also where it is sealed or expires. The first block begins a period. Contract code, the log and unmerged versions of the store are left out: on mainnet, growth on disk is four to five times that of raw leaf bytes."
                .to_owned(),
        ],
        figures: vec![figure],
        tables: Vec::new(),
    })
}

/// Bytes of one object of each kind; `None` where the run had none to tell it from.
#[derive(Clone, Copy, Debug, Default)]
struct Each {
    permanent: Option<f64>,
    expired: Option<f64>,
    temporary: Option<f64>,
    sealed: Option<f64>,
    sealed_archive: Option<f64>,
    record: Option<f64>,
    record_archive: Option<f64>,
}

/// What a design's runs say of months.
struct Growth {
    /// `None` where they are not known.
    rules: Option<Rules>,
    /// Of the run that is nearest to mainnet's gas.
    mix: Mix,
    /// Entries of its permanent tier in that run.
    entries: f64,
    each: Each,
}

/// Bytes after some months; `None` where they are not known.
#[derive(Clone, Copy, Debug, Default)]
struct After {
    live: Option<f64>,
    residue: Option<f64>,
    archive: Option<f64>,
}

impl Growth {
    fn of(cell: &CellData, run: &RunData) -> Self {
        let tier = |of: &StateSize, name: &str| of.tiers.get(name).copied().unwrap_or_default();
        let last = |name: &str| tier(state(cell), name);
        Self {
            rules: Rules::of(&cell.design.parameters),
            mix: mix(run),
            entries: tier(&run.result.state_after, "permanent").live_objects as f64,
            each: Each::of(&last("permanent"), &last("temporary"), &last("utxo")),
        }
    }

    /// Whether something expires: the stubs of that are permanent, and counted as live.
    fn leaves_stubs(&self) -> bool {
        self.rules.is_some_and(|rules| rules.expiry.is_some())
    }

    fn after(&self, months: u32) -> After {
        let Some(rules) = &self.rules else {
            return After::default();
        };
        let blocks = BLOCKS * u64::from(months);
        let objects = rules.after(blocks, &self.mix, self.entries);
        let each = &self.each;
        // Of what there is nothing, there are no bytes, however many one would take.
        let bytes = |objects: f64, each: Option<f64>| match objects.abs() < 0.5 {
            true => Some(0.0),
            false => each.map(|each| objects * each),
        };
        let both = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
        let records = objects.records;
        After {
            live: both(
                bytes(objects.permanent, each.permanent),
                bytes(objects.temporary, each.temporary),
            ),
            residue: both(
                bytes(objects.sealed, each.sealed),
                bytes(records, each.record),
            ),
            archive: both(
                bytes(objects.expired, each.expired),
                both(
                    bytes(objects.sealed, each.sealed_archive),
                    bytes(records, each.record_archive),
                ),
            ),
        }
    }
}

impl Each {
    fn of(permanent: &TierBytes, temporary: &TierBytes, utxo: &TierBytes) -> Self {
        let known = |objects: u64, each: f64| (objects > 0).then_some(each);
        let [permanent_live, _, _, expired] = of_object("permanent", permanent);
        let [disk, memory, sealed, sealed_archive] = of_object("temporary", temporary);
        let [.., record, record_archive] = of_object("utxo", utxo);
        let records = utxo.live_objects + utxo.dead_objects;
        Self {
            permanent: known(permanent.live_objects, permanent_live),
            expired: known(permanent.dead_objects, expired),
            temporary: known(temporary.live_objects, disk + memory),
            sealed: known(temporary.dead_objects, sealed),
            sealed_archive: known(temporary.dead_objects, sealed_archive),
            record: known(records, record),
            record_archive: known(records, record_archive),
        }
    }
}

/// What a block of a run adds for one times mainnet's gas.
fn mix(run: &RunData) -> Mix {
    let per_block = |metric: &str| run.mean(metric) / f64::from(run.multiple().max(1));
    let net = |created: &str, deleted: &str| per_block(created) - per_block(deleted);
    Mix {
        permanent: net("accounts_created", "accounts_deleted")
            + net("slots_created", "slots_deleted"),
        // What is brought back and deleted at once counts as both.
        temporary: net("temporary_created", "temporary_deleted")
            + per_block("temporary_resurrected"),
        records: per_block("records_appended"),
    }
}

/// The run that rates are taken from: the one nearest to mainnet's gas.
fn nearest(cell: &CellData) -> Option<&RunData> {
    cell.runs.first()
}

/// Live bytes, permanent residue and archive after some months, as the table has them.
fn cells(growth: &Growth, months: u32) -> [String; 3] {
    let After {
        live,
        residue,
        archive,
    } = growth.after(months);
    let known = |it: Option<f64>| it.map_or("not known".to_owned(), bytes);
    let residue = match residue {
        Some(none) if growth.leaves_stubs() && none < 0.5 => "among live".to_owned(),
        Some(some) if growth.leaves_stubs() => format!("{}, stubs among live", bytes(some)),
        residue => known(residue),
    };
    [known(live), residue, known(archive)]
}

fn figure(data: &Data, size: u64) -> Option<Figure> {
    let mut chart = LineChart::new(
        format!("State added by months, {}", accounts(size)),
        Axis {
            label: "months".to_owned(),
            scale: Scale::Linear,
            format: format::number,
        },
        Axis {
            label: "live and permanent bytes added".to_owned(),
            scale: Scale::Linear,
            format: bytes,
        },
    );
    chart.markers = false;
    let mut table = Table::new([
        "design",
        "live after 12 months",
        "permanent residue",
        "archive",
        "live after 24 months",
        "permanent residue",
        "archive",
    ]);
    for cell in data.of_size(size) {
        let Some(run) = nearest(cell) else { continue };
        let growth = Growth::of(cell, run);
        let point = |months: u32| {
            let after = growth.after(months);
            Some((f64::from(months), after.live? + after.residue?))
        };
        let points: Vec<_> = (0..=MONTHS).map_while(point).collect();
        // One point is no line, and what is not known has one: nothing is added in no time.
        if points.len() > 1 {
            chart.series.push(Series {
                name: cell.design.name.clone(),
                style: data.style(&cell.design.name),
                points,
            });
        }
        let mut row = vec![cell.design.name.clone()];
        for months in [12, MONTHS] {
            row.extend(cells(&growth, months));
        }
        table.row(row);
    }
    (!chart.series.is_empty()).then(|| Figure {
        caption: format!(
            "{}: live bytes and permanent residue added; the archive is in the table. Not known: the runs had no such object to take its bytes from, or the design's rules are another version's.",
            accounts(size)
        ),
        svg: chart.svg(),
        choice: None,
        table,
    })
}
