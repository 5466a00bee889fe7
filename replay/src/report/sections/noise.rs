//! How far the same lies apart from itself.

use super::{accounts, multiple};
use crate::{
    report::{
        Data, Section, Table,
        format::{self, percent, seconds},
    },
    study::{NoiseFloor, NoiseMissing, NoiseRow},
};

pub(super) fn section(data: &Data) -> Option<Section> {
    let mut text = Vec::new();
    let mut tables = Vec::new();
    if let Some(floor) = &data.noise_floor {
        text.push(meaning(floor));
        tables.push(table(floor));
    } else if let Some(missing) = &data.noise_floor_missing {
        text.push(why(missing));
    }
    let of_runs = of_runs(data);
    if !of_runs.rows.is_empty() {
        text.push(
            "Runs that were done twice (`--self-check`): differences below these shares mean nothing.".to_owned(),
        );
        tables.push(of_runs);
    }
    if text.is_empty() {
        text.push(
            "Not measured: no run was repeated, and nothing here says how small a difference means nothing."
                .to_owned(),
        );
    }
    Some(Section {
        id: "noise",
        title: "Noise floor".to_owned(),
        text,
        figures: Vec::new(),
        tables,
    })
}

fn meaning(floor: &NoiseFloor) -> String {
    let measured = &floor.measured;
    let mut text = format!(
        "After all other runs, {} with {} at {} was run once more, with the same {} blocks; the shorter of the two was at work for {}. \
         Differences between designs below the floor mean nothing: the same design differs by as much from itself.",
        floor.cell.design,
        accounts(floor.cell.accounts),
        multiple(floor.multiple),
        format::count(measured.blocks),
        seconds(measured.work_s)
    );
    if measured.rows.iter().any(|row| row.interval.is_none()) {
        text.push_str(
            " Where there is no interval, there were too few blocks for one, and the floor is at least what is given.",
        );
    }
    text
}

fn why(missing: &NoiseMissing) -> String {
    format!(
        "Not measured: {} with {} at {} was run once more, but ended after {} of {} blocks. Nothing here says how small a difference means nothing.",
        missing.cell.design,
        accounts(missing.cell.accounts),
        multiple(missing.multiple),
        format::count(missing.blocks),
        format::count(missing.blocks_planned)
    )
}

fn table(floor: &NoiseFloor) -> Table {
    let mut table = Table::new([
        "time",
        "statistic",
        "first run",
        "once more",
        "ratio",
        "95 % interval",
        "floor",
    ])
    .titled("The same run twice.");
    let mark = |text: String| match floor.measured.is_short() {
        true => text + super::SHORT,
        false => text,
    };
    for row in &floor.measured.rows {
        table.row([
            row.metric.trim_end_matches("_ns").to_owned(),
            row.statistic.to_string(),
            mark(seconds(row.first_ns / 1e9)),
            mark(seconds(row.again_ns / 1e9)),
            format!("{:.3}", row.ratio),
            interval(row),
            percent(row.floor()),
        ]);
    }
    table
}

fn interval(row: &NoiseRow) -> String {
    let both = row
        .interval
        .map(|(low, high)| format!("{low:.3} to {high:.3}"));
    both.unwrap_or_else(|| "-".to_owned())
}

/// Floors that results of runs have themselves.
fn of_runs(data: &Data) -> Table {
    let mut table = Table::new(["design", "accounts", "multiple", "time", "floor"])
        .titled("Shares by which the two lie apart.");
    for cell in &data.cells {
        for run in &cell.runs {
            for (name, share) in &run.result.noise_floor {
                table.row([
                    cell.design.name.clone(),
                    format::count(cell.accounts),
                    multiple(run.multiple()),
                    name.replace("_ns.", " "),
                    percent(*share),
                ]);
            }
        }
    }
    table
}
