//! A report as one HTML file.

use super::{Figure, Section, Table, plot::escape};
use std::fmt::Write as _;

/// The page's style: colours for light, dark and print.
const STYLE: &str = include_str!("report.css");

/// One HTML file: no script, nothing from elsewhere.
pub fn html(title: &str, sections: &[Section]) -> String {
    let mut page = String::new();
    let title = escape(title);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} - thinstate</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><p class=\"brand\">thinstate</p><h1>{title}</h1></header>\n"
    );
    page.push_str("<nav aria-label=\"Sections\"><ul>");
    for section in sections {
        let _ = write!(
            page,
            "<li><a href=\"#{}\">{}</a></li>",
            section.id,
            escape(&section.title)
        );
    }
    page.push_str("</ul></nav>\n<main>\n");
    for section in sections {
        page.push_str(&section_html(section));
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn section_html(section: &Section) -> String {
    let mut html = format!(
        "<section id=\"{}\">\n<h2>{}</h2>\n",
        section.id,
        escape(&section.title)
    );
    for paragraph in &section.text {
        let _ = writeln!(html, "<p>{}</p>", escape(paragraph));
    }
    let group = |figure: &Figure| figure.choice.as_ref().map(|it| it.group.clone());
    for figures in section
        .figures
        .chunk_by(|a, b| group(a).is_some() && group(a) == group(b))
    {
        html.push_str(&choice_html(figures));
    }
    for table in &section.tables {
        html.push_str(&table_html(table));
    }
    html.push_str("</section>\n");
    html
}

/// Figures of which a reader picks one, by buttons that need no script; one alone stands as it is.
fn choice_html(figures: &[Figure]) -> String {
    let [first, _, ..] = figures else {
        return figures.iter().map(figure_html).collect();
    };
    let question = first.choice.as_ref().map_or("", |it| &it.question);
    let mut html = format!(
        "<fieldset class=\"choice\">\n<legend>{}</legend>\n",
        escape(question)
    );
    for figure in figures {
        let Some(choice) = &figure.choice else {
            continue;
        };
        let (group, answer) = (escape(&choice.group), escape(&choice.answer));
        let checked = if choice.is_first { " checked" } else { "" };
        let _ = writeln!(
            html,
            "<input type=\"radio\" name=\"{group}\" id=\"{group}-{answer}\"{checked}><label for=\"{group}-{answer}\">{answer}</label>\n\
             <div class=\"panel\">\n{}</div>",
            figure_html(figure)
        );
    }
    html.push_str("</fieldset>\n");
    html
}

fn figure_html(figure: &Figure) -> String {
    format!(
        "<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>\n{}",
        figure.svg,
        escape(&figure.caption),
        table_html(&figure.table)
    )
}

fn table_html(table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let mut html = String::from("<div class=\"scroll\"><table>\n");
    if !table.caption.is_empty() {
        let _ = writeln!(html, "<caption>{}</caption>", escape(&table.caption));
    }
    html.push_str("<thead><tr>");
    for column in &table.columns {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(column));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let cell = escape(cell);
            let _ = match at {
                0 => write!(html, "<th scope=\"row\">{cell}</th>"),
                _ => write!(html, "<td>{cell}</td>"),
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n");
    html
}
