//! Growth of live, permanent and archive bytes over months.

use super::{accounts, bytes::of_object};
use crate::report::{
    CellData, Data, Figure, RunData, Section, Table,
    format::{self, bytes},
    plot::{Axis, LineChart, Scale, Series},
};

/// Blocks in a month of 30 days, at 12 s.
const BLOCKS: f64 = 216_000.0;
/// Months that are shown.
const MONTHS: u32 = 24;

pub(super) fn section(data: &Data) -> Option<Section> {
    let size = data.sizes().last().copied()?;
    let figure = figure(data, size)?;
    Some(Section {
        id: "growth",
        title: "Growth over months".to_owned(),
        text: vec![
            "Bytes that a design has added to the state after so many months at one times mainnet's gas: what the measured blocks create and delete, times 216,000 blocks a month, times the bytes of an object as measured above. \
             Temporary entries leave the live state after one to two months, so that the live tier stops growing; from then on each month adds spent bits and archive. Each write of a temporary entry is taken for an entry of its own, which overstates them; records have their bit from the beginning. \
             These are leaf bytes with what the store adds, without merging debt: on mainnet, growth on disk is four to five times that of raw leaf bytes."
                .to_owned(),
        ],
        figures: vec![figure],
        tables: Vec::new(),
    })
}

/// What a month adds, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Month {
    /// To the permanent tier's live bytes.
    permanent_live: f64,
    /// To live entries and records, until they leave.
    cheap_live: f64,
    /// To what stays of sealed entries.
    residue: f64,
    /// To what stays of records.
    records: f64,
    /// To the archive of what is sealed, or has expired.
    archive: f64,
    /// To the archive of records.
    record_archive: f64,
}

/// Bytes after some months.
#[derive(Clone, Copy, Debug, Default)]
struct After {
    live: f64,
    residue: f64,
    archive: f64,
}

impl Month {
    fn of(run: &RunData) -> Self {
        let per_block = |metric: &str| run.mean(metric) / f64::from(run.multiple().max(1));
        let state = &run.result.state_after;
        let tier = |name: &str| state.tiers.get(name).copied().unwrap_or_default();
        let (permanent, temporary, utxo) = (tier("permanent"), tier("temporary"), tier("utxo"));
        let net = |created: &str, deleted: &str| per_block(created) - per_block(deleted);
        let leaves =
            net("accounts_created", "accounts_deleted") + net("slots_created", "slots_deleted");
        let entries = per_block("temporary_written");
        let records = per_block("records_appended");
        let [permanent_live, ..] = of_object("permanent", &permanent);
        let [.., expired_archive] = of_object("permanent", &permanent);
        let [disk, memory, sealed, sealed_archive] = of_object("temporary", &temporary);
        let [.., record, record_archive] = of_object("utxo", &utxo);
        Self {
            permanent_live: BLOCKS * leaves * permanent_live,
            cheap_live: BLOCKS * entries * (disk + memory),
            residue: BLOCKS * entries * sealed,
            records: BLOCKS * records * record,
            archive: BLOCKS
                * (entries * sealed_archive + per_block("expired_entries") * expired_archive),
            record_archive: BLOCKS * records * record_archive,
        }
    }

    fn after(&self, months: u32) -> After {
        let months = f64::from(months);
        After {
            live: months * self.permanent_live + months.min(2.0) * self.cheap_live,
            residue: (months - 2.0).max(0.0) * self.residue + months * self.records,
            archive: (months - 2.0).max(0.0) * self.archive + months * self.record_archive,
        }
    }
}

/// The run that rates are taken from: the one nearest to mainnet's gas.
fn nearest(cell: &CellData) -> Option<&RunData> {
    cell.runs.first()
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
        let month = Month::of(run);
        let points = (0..=MONTHS).map(|months| {
            let after = month.after(months);
            (f64::from(months), after.live + after.residue)
        });
        chart.series.push(Series {
            name: cell.design.name.clone(),
            style: data.style(&cell.design.name),
            points: points.collect(),
        });
        let mut row = vec![cell.design.name.clone()];
        for months in [12, MONTHS] {
            let after = month.after(months);
            row.extend([after.live, after.residue, after.archive].map(bytes));
        }
        table.row(row);
    }
    (!chart.series.is_empty()).then(|| Figure {
        caption: format!(
            "{}: live bytes and permanent residue added; the archive is in the table.",
            accounts(size)
        ),
        svg: chart.svg(),
        choice: None,
        table,
    })
}
