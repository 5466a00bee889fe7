//! Drawings, as SVG that takes its colours from the page.
//!
//! Series are numbered; number `n` has the class `c{n}`, to which the page's style gives a colour for light,
//! dark and print. Dashes and markers go by the same number, so that a drawing is read without colour too.

mod axis;
mod bars;
mod frame;
mod lines;

pub(super) use axis::{Axis, Scale};
pub(super) use bars::{Bar, BarChart, BarGroup};
pub(super) use lines::{LineChart, Reference, Series};

use std::fmt::Write as _;

/// Width of a drawing, in its own units.
pub(super) const WIDTH: f64 = 720.0;
/// Colours that the page's style has.
pub(super) const STYLES: usize = 8;

/// Text with what XML reserves escaped.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A legend as rows of entries, and how high it is.
fn legend(
    entries: &[(usize, &str)],
    top: f64,
    marker: impl Fn(usize, f64, f64) -> String,
) -> (String, f64) {
    const ROW: f64 = 20.0;
    let mut svg = String::new();
    let (mut x, mut y) = (8.0, top + 12.0);
    for (style, name) in entries {
        let width = 34.0 + text_width(name);
        if x + width > WIDTH && x > 8.0 {
            (x, y) = (8.0, y + ROW);
        }
        svg.push_str(&marker(*style, x, y));
        let _ = write!(
            svg,
            r#"<text x="{:.1}" y="{:.1}">{}</text>"#,
            x + 26.0,
            y + 4.0,
            escape(name)
        );
        x += width + 8.0;
    }
    let height = if entries.is_empty() {
        0.0
    } else {
        y - top + ROW / 2.0
    };
    (svg, height)
}

/// About how wide a text is at the size of drawings.
fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 7.0
}

/// An SVG of this height around its content, with a name for those who do not see it.
fn document(height: f64, name: &str, content: &str) -> String {
    let name = escape(name);
    format!(
        r#"<svg viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{name}" xmlns="http://www.w3.org/2000/svg">{content}</svg>"#
    )
}

/// The marker of a series: six shapes.
fn marker(style: usize, x: f64, y: f64) -> String {
    let class = style % STYLES;
    let path = match style % 6 {
        0 => return format!(r#"<circle class="m c{class}" cx="{x:.1}" cy="{y:.1}" r="3.5"/>"#),
        1 => square(x, y),
        2 => polygon(x, y, &[(0.0, -4.5), (4.2, 3.0), (-4.2, 3.0)]),
        3 => polygon(x, y, &[(0.0, -4.8), (4.8, 0.0), (0.0, 4.8), (-4.8, 0.0)]),
        4 => polygon(x, y, &[(0.0, 4.5), (4.2, -3.0), (-4.2, -3.0)]),
        _ => polygon(
            x,
            y,
            &[
                (-4.0, 0.0),
                (-2.0, -3.6),
                (2.0, -3.6),
                (4.0, 0.0),
                (2.0, 3.6),
                (-2.0, 3.6),
            ],
        ),
    };
    format!(r#"<polygon class="m c{class}" points="{path}"/>"#)
}

fn square(x: f64, y: f64) -> String {
    polygon(x, y, &[(-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)])
}

fn polygon(x: f64, y: f64, corners: &[(f64, f64)]) -> String {
    let corners = corners
        .iter()
        .map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy));
    corners.collect::<Vec<_>>().join(" ")
}
