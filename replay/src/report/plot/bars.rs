//! Level bars, in groups: beside each other or joined end to end.

use super::{STYLES, Scale, WIDTH, axis::Ranged, document, escape, legend, text_width};
use std::fmt::Write as _;

const BAR: f64 = 15.0;
const GAP: f64 = 3.0;
const GROUP_GAP: f64 = 12.0;
const BELOW: f64 = 44.0;

/// A drawing of bars.
#[derive(Clone, Debug)]
pub(in super::super) struct BarChart {
    /// Its name, for those who do not see it.
    pub(in super::super) name: String,
    /// What their lengths measure, with the unit.
    pub(in super::super) label: String,
    /// How values become lengths; always in proportion where bars are joined.
    pub(in super::super) scale: Scale,
    /// How a value is written.
    pub(in super::super) format: fn(f64) -> String,
    /// Whether bars of a group are joined end to end.
    pub(in super::super) stacked: bool,
    /// The groups, from above.
    pub(in super::super) groups: Vec<BarGroup>,
}

/// Bars that belong together.
#[derive(Clone, Debug)]
pub(in super::super) struct BarGroup {
    /// What they are of.
    pub(in super::super) name: String,
    /// The bars.
    pub(in super::super) bars: Vec<Bar>,
}

/// A bar.
#[derive(Clone, Debug)]
pub(in super::super) struct Bar {
    /// Its name in the legend.
    pub(in super::super) name: String,
    /// Its colour.
    pub(in super::super) style: usize,
    /// Its length.
    pub(in super::super) value: f64,
    /// What stands behind it instead of its value.
    pub(in super::super) note: Option<String>,
}

impl BarChart {
    /// The drawing.
    pub(in super::super) fn svg(&self) -> String {
        let entries = self.entries();
        let swatch = |style: usize, x: f64, y: f64| {
            format!(
                r#"<rect class="b c{}" x="{:.1}" y="{:.1}" width="14" height="12"/>"#,
                style % STYLES,
                x + 6.0,
                y - 6.0
            )
        };
        let (mut svg, height) = legend(&entries, 0.0, swatch);
        let names = self.groups.iter().map(|group| text_width(&group.name));
        let left = names.fold(40.0, f64::max).min(WIDTH / 3.0) + 14.0;
        let right = WIDTH - 96.0;
        // A bar of the least value is to be seen too.
        let least = self.lengths().filter(|it| *it > 0.0).reduce(f64::min);
        let below = least.filter(|_| self.scale == Scale::Log);
        let range = Ranged::over(self.scale, self.lengths().chain(below.map(|it| it / 5.0)));
        let x = |value: f64| left + range.place(value).unwrap_or(0.0) * (right - left);
        let mut y = height + 10.0;
        let top = y;
        let mut bars = String::new();
        for group in &self.groups {
            let high = self.group_height(group);
            let _ = write!(
                bars,
                r#"<text class="tick" text-anchor="end" x="{:.1}" y="{:.1}">{}</text>"#,
                left - 8.0,
                y + high / 2.0 + 4.0,
                escape(&group.name)
            );
            bars.push_str(&self.bars(group, left, y, &x));
            y += high + GROUP_GAP;
        }
        svg.push_str(&self.grid(&range, left, right, top, y));
        svg.push_str(&bars);
        document(y + BELOW, &self.name, &svg)
    }

    /// Names in the legend; none where all bars have the name of their group.
    fn entries(&self) -> Vec<(usize, &str)> {
        let mut entries: Vec<(usize, &str)> = Vec::new();
        for bar in self.groups.iter().flat_map(|group| &group.bars) {
            if !bar.name.is_empty() && !entries.iter().any(|(_, name)| *name == bar.name) {
                entries.push((bar.style, &bar.name));
            }
        }
        entries
    }

    fn lengths(&self) -> impl Iterator<Item = f64> + '_ {
        let sums = self
            .groups
            .iter()
            .map(|group| group.bars.iter().map(|bar| bar.value).sum());
        let single = self
            .groups
            .iter()
            .flat_map(|group| group.bars.iter().map(|bar| bar.value));
        let stacked = self.stacked;
        sums.filter(move |_| stacked)
            .chain(single.filter(move |_| !stacked))
    }

    fn group_height(&self, group: &BarGroup) -> f64 {
        let rows = match self.stacked {
            true => 1.0,
            false => group.bars.len().max(1) as f64,
        };
        rows * (BAR + GAP) - GAP
    }

    fn bars(&self, group: &BarGroup, left: f64, top: f64, x: &dyn Fn(f64) -> f64) -> String {
        let mut svg = String::new();
        let (mut y, mut sum) = (top, 0.0);
        for bar in &group.bars {
            let from = if self.stacked { x(sum) } else { left };
            sum += bar.value;
            let to = x(if self.stacked { sum } else { bar.value });
            let _ = write!(
                svg,
                r#"<rect class="b c{}" x="{from:.1}" y="{y:.1}" width="{:.1}" height="{BAR}"><title>{}</title></rect>"#,
                bar.style % STYLES,
                (to - from).max(0.5),
                escape(&format!(
                    "{} {}: {}",
                    group.name,
                    bar.name,
                    (self.format)(bar.value)
                ))
            );
            if !self.stacked {
                svg.push_str(&self.value(bar.note.as_deref(), bar.value, to, y));
                y += BAR + GAP;
            }
        }
        if self.stacked {
            svg.push_str(&self.value(None, sum, x(sum), y));
        }
        svg
    }

    fn value(&self, note: Option<&str>, value: f64, x: f64, y: f64) -> String {
        let text = note.map_or_else(|| (self.format)(value), ToOwned::to_owned);
        format!(
            r#"<text class="value" x="{:.1}" y="{:.1}">{}</text>"#,
            x + 6.0,
            y + BAR - 3.5,
            escape(&text)
        )
    }

    fn grid(&self, range: &Ranged, left: f64, right: f64, top: f64, bottom: f64) -> String {
        let mut svg = String::new();
        for tick in range.ticks(5) {
            let Some(place) = range.place(tick) else {
                continue;
            };
            let x = left + place * (right - left);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{top:.1}" y2="{bottom:.1}"/><text class="tick" text-anchor="middle" x="{x:.1}" y="{:.1}">{}</text>"#,
                bottom + 15.0,
                escape(&(self.format)(tick))
            );
        }
        let _ = write!(
            svg,
            r#"<text class="label" text-anchor="middle" x="{:.1}" y="{:.1}">{}</text>"#,
            f64::midpoint(left, right),
            bottom + 36.0,
            escape(&self.label)
        );
        svg
    }
}
