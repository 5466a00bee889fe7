//! A report as Markdown, for issues and papers: text and tables, without drawings.

use super::{Section, Table};

/// The whole report.
pub fn markdown(title: &str, sections: &[Section]) -> String {
    let mut page = format!("# {title}\n");
    for section in sections {
        page.push_str(&format!("\n## {}\n", section.title));
        for paragraph in &section.text {
            page.push_str(&format!("\n{paragraph}\n"));
        }
        for figure in &section.figures {
            if !figure.table.rows.is_empty() {
                page.push_str(&format!("\n{}\n", figure.caption));
                page.push_str(&table(&figure.table));
            }
        }
        for of_section in &section.tables {
            if !of_section.rows.is_empty() && !of_section.caption.is_empty() {
                page.push_str(&format!("\n{}\n", of_section.caption));
            }
            page.push_str(&table(of_section));
        }
    }
    page
}

/// A table whose numbers stand to the right.
fn table(table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = String::from("\n");
    text.push_str(&line(&table.columns));
    let rule = (0..table.columns.len()).map(|at| if at == 0 { "---" } else { "---:" });
    text.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
    for row in &table.rows {
        text.push_str(&line(row));
    }
    text
}
