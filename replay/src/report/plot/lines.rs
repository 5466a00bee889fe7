//! Lines over two axes.

use super::{Axis, STYLES, axis::Ranged, document, escape, frame::Frame, legend, marker};
use std::fmt::Write as _;

/// A drawing of lines.
#[derive(Clone, Debug)]
pub(in super::super) struct LineChart {
    /// Its name, for those who do not see it.
    pub(in super::super) name: String,
    /// The level axis.
    pub(in super::super) x: Axis,
    /// The upright axis.
    pub(in super::super) y: Axis,
    /// The lines.
    pub(in super::super) series: Vec<Series>,
    /// A level that everything is compared with.
    pub(in super::super) reference: Option<Reference>,
    /// Whether places are joined, or stand alone.
    pub(in super::super) joined: bool,
    /// Whether each place has a marker.
    pub(in super::super) markers: bool,
    /// Whether the line of equal values is drawn.
    pub(in super::super) diagonal: bool,
}

/// A line.
#[derive(Clone, Debug)]
pub(in super::super) struct Series {
    /// Its name in the legend.
    pub(in super::super) name: String,
    /// Its colour, dash and marker.
    pub(in super::super) style: usize,
    /// Its places.
    pub(in super::super) points: Vec<(f64, f64)>,
}

/// A level, with a name.
#[derive(Clone, Debug)]
pub(in super::super) struct Reference {
    /// Its name.
    pub(in super::super) name: String,
    /// Its height.
    pub(in super::super) at: f64,
}

impl LineChart {
    /// A drawing of joined lines with markers.
    pub(in super::super) fn new(name: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            name: name.into(),
            x,
            y,
            series: Vec::new(),
            reference: None,
            joined: true,
            markers: true,
            diagonal: false,
        }
    }

    /// The drawing.
    pub(in super::super) fn svg(&self) -> String {
        let entries: Vec<_> = self
            .series
            .iter()
            .map(|series| (series.style, series.name.as_str()))
            .collect();
        let (legend, height) = legend(&entries, 0.0, |style, x, y| self.swatch(style, x, y));
        let frame = self.frame(height + 8.0);
        let mut svg = legend;
        svg.push_str(&frame.upright(&self.y));
        svg.push_str(&frame.level(&self.x));
        svg.push_str(&self.levels(&frame));
        for series in &self.series {
            svg.push_str(&self.line(&frame, series));
        }
        document(frame.height(), &self.name, &svg)
    }

    fn frame(&self, top: f64) -> Frame {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let xs = points().map(|(x, _)| *x);
        let ys = points().map(|(_, y)| *y);
        let level = self.reference.iter().map(|reference| reference.at);
        if self.diagonal {
            let all = || points().flat_map(|(x, y)| [*x, *y]);
            let x = Ranged::over(self.x.scale, all());
            return Frame::new(top, x, Ranged::over(self.y.scale, all()));
        }
        let x = Ranged::over(self.x.scale, xs);
        Frame::new(top, x, Ranged::over(self.y.scale, ys.chain(level)))
    }

    fn swatch(&self, style: usize, x: f64, y: f64) -> String {
        let class = style % STYLES;
        let mut svg = String::new();
        if self.joined {
            let _ = write!(
                svg,
                r#"<line class="l c{class} d{}" x1="{x:.1}" x2="{:.1}" y1="{y:.1}" y2="{y:.1}"/>"#,
                style % 4,
                x + 22.0
            );
        }
        if self.markers {
            svg.push_str(&marker(style, x + 11.0, y));
        }
        svg
    }

    /// The reference level and the line of equal values.
    fn levels(&self, frame: &Frame) -> String {
        let mut svg = String::new();
        let (left, right) = frame.ends();
        if let Some(reference) = &self.reference
            && let Some(y) = frame.y(reference.at)
        {
            let _ = write!(
                svg,
                r#"<line class="reference" x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/><text class="tick" x="{:.1}" y="{:.1}">{}</text>"#,
                left + 6.0,
                y - 5.0,
                escape(&reference.name)
            );
        }
        if self.diagonal {
            let low = frame.floor();
            let high = frame.y(f64::MAX).unwrap_or(low);
            let _ = write!(
                svg,
                r#"<line class="reference" x1="{left}" x2="{right}" y1="{low:.1}" y2="{high:.1}"/>"#
            );
        }
        svg
    }

    fn line(&self, frame: &Frame, series: &Series) -> String {
        let places: Vec<(f64, f64)> = series
            .points
            .iter()
            .filter_map(|(x, y)| Some((frame.x(*x)?, frame.y(*y)?)))
            .collect();
        let mut svg = String::new();
        if self.joined && places.len() > 1 {
            let path = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
            let _ = write!(
                svg,
                r#"<polyline class="l c{} d{}" points="{}"/>"#,
                series.style % STYLES,
                series.style % 4,
                path.collect::<Vec<_>>().join(" ")
            );
        }
        if self.markers || places.len() == 1 {
            for (x, y) in places {
                svg.push_str(&marker(series.style, x, y));
            }
        }
        svg
    }
}
