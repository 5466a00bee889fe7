//! How far off a model is, where it can be compared.

use super::{DesignModel, HashCosts, Measured, Point, Prediction, Scenario};
use crate::measure::DeviceProfile;
use serde::{Deserialize, Serialize};

/// A model beside every run of its design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// The design.
    pub design: String,
    /// Each run.
    pub points: Vec<PointError>,
    /// The largest error of a run that the model was fitted to.
    pub fitted_max: f64,
    /// The largest error where each run was left out of its own fit.
    pub left_out_max: Option<f64>,
    /// The error at the run that no fit has seen.
    pub held_out: Option<f64>,
    /// The same of its p99.
    pub held_out_p99: Option<f64>,
}

/// A measured run beside its prediction. Errors are predicted / measured - 1, of mean block work; p99 has its own, and of
/// few blocks it is their maximum, which no model of means can hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointError {
    /// Accounts.
    pub accounts: u64,
    /// The gas multiple.
    pub multiple: u32,
    /// Mean block work as it was measured, in seconds.
    pub measured_s: f64,
    /// As the model has it.
    pub predicted_s: f64,
    /// Error of the model.
    pub error: f64,
    /// p99 block work as it was measured, in seconds.
    pub measured_p99_s: f64,
    /// As the model has it.
    pub predicted_p99_s: f64,
    /// Error of the model, of p99.
    pub p99_error: f64,
    /// Error of a model fitted without this run; `None` where too few others are left.
    pub left_out_error: Option<f64>,
    /// Whether the model has not seen this run.
    pub held_out: bool,
}

/// Which run no fit sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Accounts.
    pub accounts: u64,
    /// The gas multiple.
    pub multiple: u32,
}

impl Accuracy {
    /// Fits a design's model to all its runs but the one held out, and compares it with each.
    pub fn of(
        design: &str,
        points: &[Point],
        measured: Measured<'_>,
        held_out: Option<HeldOut>,
    ) -> Result<(DesignModel, Self), super::ModelError> {
        let points: Vec<Point> = points
            .iter()
            .filter(|it| it.design == design)
            .cloned()
            .collect();
        let is_held_out = |point: &Point| {
            held_out
                .is_some_and(|it| it.accounts == point.accounts && it.multiple == point.multiple)
        };
        let seen: Vec<Point> = points
            .iter()
            .filter(|it| !is_held_out(it))
            .cloned()
            .collect();
        let device = measured.device;
        let model = DesignModel::fit(design, &seen, measured)?;
        let errors: Vec<_> = points
            .iter()
            .map(|point| {
                let predicted = at(&model, point, device);
                let others: Vec<_> = seen.iter().filter(|it| *it != point).cloned().collect();
                let without = DesignModel::fit(design, &others, measured).ok();
                PointError {
                    accounts: point.accounts,
                    multiple: point.multiple,
                    measured_s: point.mean_s,
                    predicted_s: predicted.mean_s,
                    error: predicted.mean_s / point.mean_s - 1.0,
                    measured_p99_s: point.p99_s,
                    predicted_p99_s: predicted.p99_s,
                    p99_error: predicted.p99_s / point.p99_s - 1.0,
                    left_out_error: without
                        .map(|model| at(&model, point, device).mean_s / point.mean_s - 1.0),
                    held_out: is_held_out(point),
                }
            })
            .collect();
        let largest = |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).reduce(f64::max);
        let accuracy = Self {
            design: design.to_owned(),
            fitted_max: largest(&mut errors.iter().filter(|it| !it.held_out).map(|it| it.error))
                .unwrap_or_default(),
            left_out_max: largest(&mut errors.iter().filter_map(|it| it.left_out_error)),
            held_out: errors.iter().find(|it| it.held_out).map(|it| it.error),
            held_out_p99: errors.iter().find(|it| it.held_out).map(|it| it.p99_error),
            points: errors,
        };
        Ok((model, accuracy))
    }
}

/// What the model says of a measured run: its state, its threads, its device, and the share of blocks that its
/// caches held.
fn at(model: &DesignModel, point: &Point, device: Option<&DeviceProfile>) -> Prediction {
    let missed = match point.block_reads > 0.0 {
        true => (point.device_reads / point.block_reads).clamp(0.0, 1.0),
        false => 0.0,
    };
    let scenario = Scenario {
        accounts: point.accounts,
        threads: point.threads,
        cache_bytes: model.state_bytes_per_account * point.accounts as f64 * (1.0 - missed),
        device: device.cloned().unwrap_or_else(unknown),
        hash_costs: HashCosts::default(),
    };
    model.predict(&scenario, f64::from(point.multiple))
}

/// A device of which nothing is known, and which therefore explains nothing.
fn unknown() -> DeviceProfile {
    DeviceProfile {
        name: "unknown".to_owned(),
        source: "not probed".to_owned(),
        ..DeviceProfile::default()
    }
}
