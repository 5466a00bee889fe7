//! The model of each design in a study: its errors, and what it predicts.

use super::{CellResult, StudySpec};
use crate::model::{Accuracy, Assumption, DesignModel, Measured, Point, Prediction, Scenario};
use serde::{Deserialize, Serialize};

/// A design's model, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// The design.
    pub design: String,
    /// The model; `None` where the runs do not determine one.
    pub model: Option<DesignModel>,
    /// Why there is none.
    pub missing: Option<String>,
    /// How far off it is.
    pub accuracy: Option<Accuracy>,
    /// What it predicts.
    pub predicted: Vec<Predicted>,
}

/// A prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// For which state, machine and device.
    pub scenario: Scenario,
    /// The largest multiple whose p99 block work fits the slot; `None` if not even one does.
    pub largest: Option<u32>,
    /// What a block costs at that multiple, or at one.
    pub at_largest: Prediction,
    /// What is assumed of the device, as its profile does not say it.
    pub assumed: Vec<Assumption>,
}

impl ModelReport {
    /// Models of all designs in the cells.
    pub(super) fn all(
        spec: &StudySpec,
        cells: &[CellResult],
        measured: Measured<'_>,
        scenarios: &[Scenario],
    ) -> Vec<Self> {
        let points: Vec<Point> = cells
            .iter()
            .flat_map(|cell| cell.runs.iter().map(|run| run.point.clone()))
            .collect();
        let mut designs: Vec<&str> = Vec::new();
        for cell in cells {
            if !designs.contains(&cell.design.name.as_str()) {
                designs.push(&cell.design.name);
            }
        }
        let report = |design: &str| match Accuracy::of(design, &points, measured, spec.held_out) {
            Ok((model, accuracy)) => Self {
                design: design.to_owned(),
                predicted: scenarios
                    .iter()
                    .map(|scenario| predict(&model, scenario, spec.slot_s))
                    .collect(),
                model: Some(model),
                missing: None,
                accuracy: Some(accuracy),
            },
            Err(error) => Self {
                design: design.to_owned(),
                model: None,
                missing: Some(error.to_string()),
                accuracy: None,
                predicted: Vec::new(),
            },
        };
        designs.into_iter().map(report).collect()
    }
}

fn predict(model: &DesignModel, scenario: &Scenario, slot_s: f64) -> Predicted {
    let largest = model.largest_multiple(scenario, slot_s);
    Predicted {
        scenario: scenario.clone(),
        largest,
        at_largest: model.predict(scenario, f64::from(largest.unwrap_or(1))),
        assumed: model.assumptions(scenario),
    }
}
