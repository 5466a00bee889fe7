//! The largest multiple of each design.

use super::{accounts, multiple, timed};
use crate::report::{
    CellData, Data, Figure, RunData, Section, Table,
    format::{self, seconds},
    plot::{Bar, BarChart, BarGroup, Scale},
};
use crate::study::Resource;

pub(super) fn section(data: &Data) -> Option<Section> {
    let mut text = meaning(data);
    text.push(format!(
        "The largest gas multiple whose 99th percentile of block work (reads of state, roots, durable commit, in a closed loop) fits a slot of {}. \
         \"at least\": larger ones were not tried. Block work is work on the state alone: executing transactions, networking and consensus come on top.",
        seconds(data.slot_s)
    ));
    Some(Section {
        id: "headline",
        title: "Largest gas multiple per slot".to_owned(),
        text,
        figures: vec![Figure {
            caption: "Times mainnet's gas (60 M limit, 30.3 M used a block) that one slot's state work carries; logarithmic."
                .to_owned(),
            svg: chart(data).svg(),
            choice: None,
            table: table(data),
        }],
        tables: shares(data).into_iter().collect(),
    })
}

/// What it means, in three sentences: for the largest state size.
fn meaning(data: &Data) -> Vec<String> {
    let Some(size) = data.sizes().last().copied() else {
        return Vec::new();
    };
    let mut cells: Vec<&CellData> = data.of_size(size).collect();
    let at = |cell: &CellData| cell.at_largest().map_or(f64::INFINITY, RunData::p99_s);
    let largest = |cell: &CellData| cell.largest.multiple.unwrap_or(0);
    cells.sort_by(|a, b| {
        let by_multiple = largest(b).cmp(&largest(a));
        by_multiple.then(at(a).total_cmp(&at(b)))
    });
    let (Some(best), Some(worst)) = (cells.first(), cells.last()) else {
        return Vec::new();
    };
    let mut text = match best.largest.multiple {
        None => format!(
            "With {}, no design's state work fits a slot even at one times mainnet's gas.",
            accounts(size)
        ),
        Some(_) if largest(best) == largest(worst) => format!(
            "With {}, every design carries {} times mainnet's gas: {} with the least work, p99 {}, {} with the most, {}.",
            accounts(size),
            bound(best),
            best.design.name,
            seconds(at(best)),
            worst.design.name,
            seconds(at(worst))
        ),
        Some(_) => format!(
            "With {}, {} carries the most, {} times mainnet's gas, and {} the least, {}: {} apart.",
            accounts(size),
            best.design.name,
            bound(best),
            worst.design.name,
            bound(worst),
            ratio(best, worst)
        ),
    };
    text.push_str(&format!(
        " There {} is nearest to its limit in {}, and {} is its longest stage.",
        best.design.name,
        best.limit(),
        best.saturation.as_ref().map_or("-", |it| it.stage.as_str())
    ));
    text.push_str(&today(data, size));
    vec![text]
}

/// How the default policy compares with today's state, where both were measured.
fn today(data: &Data, size: u64) -> String {
    let of = |name: &str| data.of_size(size).find(|cell| cell.design.name == name);
    let (Some(mpt), Some(layered), Some(at)) =
        (of("mpt"), of("layered"), data.common_multiple(size))
    else {
        return String::new();
    };
    let mean = |cell: &CellData, metric| cell.at(at).map_or(0.0, |run| run.mean(metric));
    let ratio = |metric| mean(layered, metric) / mean(mpt, metric).max(1.0);
    format!(
        " At {} a block's state work in the layers takes {} times that of today's trie, accounts and contracts included, and writes {} times the bytes to the device.",
        multiple(at),
        format::number(ratio("total_ns")),
        format::number(ratio("device_written_bytes"))
    )
}

fn ratio(best: &CellData, worst: &CellData) -> String {
    let of = |cell: &CellData| f64::from(cell.largest.multiple.unwrap_or(1).max(1));
    format!("a factor of {}", format::number(of(best) / of(worst)))
}

/// The largest multiple, as a bound where it is one.
fn bound(cell: &CellData) -> String {
    match (cell.largest.multiple, cell.largest.first_unfit) {
        (Some(largest), Some(_)) => format::count(largest.into()),
        (Some(largest), None) => format!("at least {}", format::count(largest.into())),
        (None, Some(unfit)) => format!("below {}", format::count(unfit.into())),
        (None, None) => "-".to_owned(),
    }
}

fn chart(data: &Data) -> BarChart {
    let sizes = data.sizes();
    let groups = data.designs().into_iter().map(|design| BarGroup {
        name: design.to_owned(),
        bars: data
            .cells
            .iter()
            .filter(|cell| cell.design.name == design)
            .map(|cell| Bar {
                name: accounts(cell.accounts),
                style: sizes
                    .iter()
                    .position(|it| *it == cell.accounts)
                    .unwrap_or(0),
                value: cell.largest.multiple.map_or(0.0, f64::from),
                note: Some(bound(cell)),
            })
            .collect(),
    });
    BarChart {
        name: "Largest gas multiple of each design".to_owned(),
        label: "gas multiple".to_owned(),
        scale: Scale::Log,
        format: format::short,
        stacked: false,
        groups: groups.collect(),
    }
}

/// What each design used of each resource at its largest multiple.
fn shares(data: &Data) -> Option<Table> {
    let mut columns = vec!["design", "accounts"];
    columns.extend(Resource::ALL.map(Resource::name));
    let mut table = Table::new(columns).titled(
        "Shares of what there is, while blocks were at work at the largest multiple. CPU: of the cores, or of the control group's quota where that is less. Hashing: time in which roots were computed. \
         fsync: the store's waits for the device, times what one takes alone. The device's limits are those that it was probed to have.",
    );
    for cell in &data.cells {
        let Some(saturation) = &cell.saturation else {
            continue;
        };
        let share = |resource| {
            let share = saturation.share(resource);
            share.map_or("not known".to_owned(), format::percent)
        };
        let mut row = vec![cell.design.name.clone(), format::count(cell.accounts)];
        row.extend(Resource::ALL.map(share));
        table.row(row);
    }
    (!table.rows.is_empty()).then_some(table)
}

fn table(data: &Data) -> Table {
    let mut table = Table::new([
        "design",
        "accounts",
        "slots in the trie",
        "largest multiple",
        "first that does not fit",
        "p99 there",
        "blocks",
        "nearest to its limit",
        "longest stage",
    ]);
    for cell in &data.cells {
        let at = cell.at_largest();
        table.row([
            cell.design.name.clone(),
            format::count(cell.accounts),
            format::count(cell.state.slots),
            bound(cell),
            cell.largest.first_unfit.map_or("-".to_owned(), multiple),
            at.map_or("-".to_owned(), |run| timed(run, seconds(run.p99_s()))),
            at.map_or("-".to_owned(), |run| run.result.blocks_text()),
            cell.limit(),
            cell.saturation.as_ref().map_or("-".to_owned(), |it| {
                format!("{} {}", it.stage, format::percent(it.stage_share))
            }),
        ]);
    }
    table
}
