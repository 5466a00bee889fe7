//! Machine and settings.

use crate::report::{
    Data, Section, Table,
    format::{bytes, short},
};
use serde_json::Value;

pub(super) fn section(data: &Data) -> Option<Section> {
    let run = &data.cells.first()?.runs.first()?.result;
    let mut tables = vec![facts("Machine.", &data.machine)];
    if let Some(device) = &data.device {
        let mut table = Table::new(["device", "value"])
            .titled(format!("The device, {} ({}).", device.name, device.source));
        let mut row = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                table.row([name.to_owned(), value]);
            }
        };
        let rate = |value: Option<f64>| value.map(|it| format!("{}/s", bytes(it)));
        row("sequential reads", rate(device.read_bytes_per_second));
        row("sequential writes", rate(device.write_bytes_per_second));
        let us = |value: Option<f64>| value.map(|it| format!("{it:.0} µs"));
        row("random read of 4 KiB, alone", us(device.read_latency_us));
        row("append of 4 KiB with fdatasync", us(device.sync_latency_us));
        for (depth, iops) in &device.read_iops {
            row(
                &format!("random reads, {depth} in flight"),
                Some(format!("{}/s", short(*iops))),
            );
        }
        for (depth, iops) in &device.write_iops {
            row(
                &format!("random writes, {depth} in flight"),
                Some(format!("{}/s", short(*iops))),
            );
        }
        tables.push(table);
    }
    let mut program = Table::new(["program", "value"]).titled("Program.");
    let it = &run.program;
    program.row(["version", it.version.as_str()]);
    let commit = it.commit.clone().unwrap_or_else(|| "-".to_owned());
    let dirty = if it.dirty == Some(true) {
        ", with changes"
    } else {
        ""
    };
    program.row(["commit".to_owned(), format!("{commit}{dirty}")]);
    program.row(["compiler".to_owned(), it.rustc.clone().unwrap_or_default()]);
    program.row(["build profile", it.build_profile.as_str()]);
    program.row(["target", it.target.as_str()]);
    tables.push(program);
    tables.push(facts("Settings of the first run.", &run.config));
    if let Some(study) = &data.study {
        tables.push(facts(
            "The study.",
            &serde_json::to_value(study).unwrap_or_default(),
        ));
    }
    let mut text = Vec::new();
    if data.roots_compared > 0 {
        text.push(format!(
            "State roots of designs with the same trie were compared after {} blocks: all equal.",
            crate::report::format::count(data.roots_compared)
        ));
    }
    Some(Section {
        id: "machine",
        title: "Machine and settings".to_owned(),
        text,
        figures: Vec::new(),
        tables,
    })
}

/// A JSON object as rows; what is nested has its path as the name.
fn facts(caption: &str, of: &Value) -> Table {
    let mut table = Table::new(["name", "value"]).titled(caption);
    flatten("", of, &mut table);
    table
}

fn flatten(path: &str, value: &Value, table: &mut Table) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                flatten(&path, value, table);
            }
        }
        Value::Null => {}
        Value::String(text) => table.row([path, text]),
        other => table.row([path.to_owned(), other.to_string()]),
    }
}
