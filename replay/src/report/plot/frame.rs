//! The frame of a drawing with two axes: grid, ticks, labels.

use super::{Axis, WIDTH, axis::Ranged, escape};
use std::fmt::Write as _;

/// Room for the labels of the upright axis.
const LEFT: f64 = 78.0;
/// Room for half of the last tick's label.
const RIGHT: f64 = 28.0;
/// Height of the area in which values stand.
const AREA: f64 = 280.0;
/// Room for ticks and label of the level axis.
const BELOW: f64 = 46.0;

/// Where values stand.
pub(super) struct Frame {
    top: f64,
    x: Ranged,
    y: Ranged,
}

impl Frame {
    pub(super) const fn new(top: f64, x: Ranged, y: Ranged) -> Self {
        Self { top, x, y }
    }

    /// Height of the whole drawing.
    pub(super) const fn height(&self) -> f64 {
        self.top + AREA + BELOW
    }

    /// The place of a value on the level axis.
    pub(super) fn x(&self, value: f64) -> Option<f64> {
        self.x
            .place(value)
            .map(|place| LEFT + place * (WIDTH - LEFT - RIGHT))
    }

    /// The place of a value on the upright axis.
    pub(super) fn y(&self, value: f64) -> Option<f64> {
        self.y
            .place(value)
            .map(|place| self.top + AREA * (1.0 - place))
    }

    /// The lowest place of the upright axis.
    pub(super) const fn floor(&self) -> f64 {
        self.top + AREA
    }

    /// Ends of the level axis.
    pub(super) const fn ends(&self) -> (f64, f64) {
        (LEFT, WIDTH - RIGHT)
    }

    /// The upright axis: grid, ticks, label.
    pub(super) fn upright(&self, axis: &Axis) -> String {
        let mut svg = String::new();
        let (left, right) = self.ends();
        for tick in self.y.ticks(6) {
            let Some(y) = self.y(tick) else { continue };
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/><text class="tick" text-anchor="end" x="{:.1}" y="{:.1}">{}</text>"#,
                left - 8.0,
                y + 4.0,
                escape(&(axis.format)(tick))
            );
        }
        let middle = self.top + AREA / 2.0;
        let _ = write!(
            svg,
            r#"<text class="label" text-anchor="middle" transform="translate(14 {middle:.1}) rotate(-90)">{}</text>"#,
            escape(&axis.label)
        );
        svg
    }

    /// The level axis: ticks, label.
    pub(super) fn level(&self, axis: &Axis) -> String {
        let mut svg = self.base();
        for tick in self.x.ticks(7) {
            let Some(x) = self.x(tick) else { continue };
            let _ = write!(
                svg,
                r#"<line class="axis" x1="{x:.1}" x2="{x:.1}" y1="{:.1}" y2="{:.1}"/><text class="tick" text-anchor="middle" x="{x:.1}" y="{:.1}">{}</text>"#,
                self.floor(),
                self.floor() + 5.0,
                self.floor() + 19.0,
                escape(&(axis.format)(tick))
            );
        }
        svg.push_str(&self.level_label(&axis.label));
        svg
    }

    /// The line that values stand on.
    pub(super) fn base(&self) -> String {
        let (left, right) = self.ends();
        let y = self.floor();
        format!(r#"<line class="axis" x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#)
    }

    /// The label below.
    pub(super) fn level_label(&self, label: &str) -> String {
        let (left, right) = self.ends();
        format!(
            r#"<text class="label" text-anchor="middle" x="{:.1}" y="{:.1}">{}</text>"#,
            f64::midpoint(left, right),
            self.floor() + 39.0,
            escape(label)
        )
    }
}
