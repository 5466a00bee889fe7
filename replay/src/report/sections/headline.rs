//! The largest multiple of each design.

use super::{accounts, multiple};
use crate::report::{
    CellData, Data, Figure, Section, Table,
    format::{self, seconds},
    plot::{Bar, BarChart, BarGroup, Scale},
};

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
            table: table(data),
        }],
        tables: Vec::new(),
    })
}

/// What it means, in three sentences at most: for the largest state size.
fn meaning(data: &Data) -> Vec<String> {
    let Some(size) = data.sizes().last().copied() else {
        return Vec::new();
    };
    let fitting = |cell: &&CellData| cell.largest.multiple.is_some();
    let best = data
        .of_size(size)
        .filter(fitting)
        .max_by_key(|cell| cell.largest.multiple);
    let worst = data
        .of_size(size)
        .filter(fitting)
        .min_by_key(|cell| cell.largest.multiple);
    let (Some(best), Some(worst)) = (best, worst) else {
        return vec![format!(
            "With {}, no design's state work fits a slot even at one times mainnet's gas.",
            accounts(size)
        )];
    };
    let mut text = format!(
        "With {}, {} carries the most: {} times mainnet's gas.",
        accounts(size),
        best.design.name,
        bound(best)
    );
    if best.design.name != worst.design.name {
        text.push_str(&format!(
            " {} carries the least, {} times: {} apart.",
            worst.design.name,
            bound(worst),
            ratio(best, worst)
        ));
    }
    text.push_str(&format!(
        " At its largest multiple {} is nearest to its limit in {}, and {} is its longest stage.",
        best.design.name,
        best.limit(),
        best.saturation.as_ref().map_or("-", |it| it.stage.as_str())
    ));
    vec![text]
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
            at.map_or("-".to_owned(), |run| seconds(run.p99_s())),
            at.map_or("-".to_owned(), |run| format::count(run.blocks())),
            cell.limit(),
            cell.saturation.as_ref().map_or("-".to_owned(), |it| {
                format!("{} {}", it.stage, format::percent(it.stage_share))
            }),
        ]);
    }
    table
}
