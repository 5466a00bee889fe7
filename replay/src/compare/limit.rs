//! How much worse is too much.

use super::{
    P99_BLOCKS_MIN,
    comparison::{Compared, Comparison},
    series::{STATISTICS, Statistic},
};
use crate::measure::METRICS;
use core::{fmt, str::FromStr};
use serde::Serialize;

/// The metric that a bare statistic is of.
const TOTAL: &str = "total_ns";

/// `[METRIC.]STATISTIC=PERCENT%` or `METRIC=PERCENT%`: `p99=5%`, `commit_ns.p90=3%`, `device_reads=1%`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// The metric; of a bare statistic `total_ns`.
    pub metric: &'static str,
    /// The statistic; of a bare metric the mean.
    pub statistic: Statistic,
    /// How much more B may have, as a fraction of A's.
    pub growth_max: f64,
}

/// A limit that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Not of that form.
    #[error("expected NAME=PERCENT%, such as p99=5%, got {0:?}")]
    Form(String),
    /// No such metric or statistic. `docs/results.md` lists them.
    #[error("no metric and no statistic is called {0:?} (statistics: mean, p50, p90, p99)")]
    Name(String),
    /// Not a percentage that makes sense.
    #[error("expected a percentage of 0 or more, got {0:?}")]
    Percentage(String),
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let form = || LimitError::Form(text.to_owned());
        let (name, percentage) = text.split_once('=').ok_or_else(form)?;
        let number = percentage.strip_suffix('%').ok_or_else(form)?;
        let percent: Option<f64> = number.trim().parse().ok();
        let percent = percent
            .filter(|it| it.is_finite() && *it >= 0.0)
            .ok_or_else(|| LimitError::Percentage(percentage.to_owned()))?;
        let (metric, statistic) = target(name.trim())?;
        Ok(Self {
            metric,
            statistic,
            growth_max: percent / 100.0,
        })
    }
}

fn target(name: &str) -> Result<(&'static str, Statistic), LimitError> {
    let unknown = || LimitError::Name(name.to_owned());
    let statistic = |name: &str| STATISTICS.into_iter().find(|it| it.name() == name);
    let metric = |name: &str| METRICS.iter().find(|it| it.name == name);
    if let Some(statistic) = statistic(name) {
        return Ok((TOTAL, statistic));
    }
    let (of, what) = name.split_once('.').unwrap_or((name, "mean"));
    let metric = metric(of).ok_or_else(unknown)?;
    Ok((metric.name, statistic(what).ok_or_else(unknown)?))
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.growth_max * 100.0;
        write!(f, "{}.{}={percent}%", self.metric, self.statistic)
    }
}

/// What a comparison says of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// B is within it.
    Holds,
    /// B is beyond it, but no more than chance or noise may have done.
    Uncertain,
    /// B is beyond it.
    Regression,
    /// There is no figure: too few blocks for a p99, or a metric that one of the runs does not have.
    NoVerdict,
}

impl Verdict {
    /// Whether a gate lets it pass. What cannot be judged does not pass.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Holds | Self::Uncertain)
    }
}

/// Judges a comparison by a limit: a regression is a ratio beyond the limit and an interval wholly beyond the noise floor.
pub fn judge(comparison: &Comparison, limit: &Limit) -> (Verdict, String) {
    let Some(row) = comparison.row(limit.metric, limit.statistic) else {
        let why = if limit.statistic == Statistic::P99 && !comparison.has_p99() {
            let got = comparison.a.blocks.min(comparison.b.blocks);
            format!("no verdict: a p99 needs {P99_BLOCKS_MIN} blocks, there are {got}")
        } else {
            "no verdict: a run does not have this metric".to_owned()
        };
        return (Verdict::NoVerdict, why);
    };
    let verdict = judge_row(row, limit.growth_max);
    let grown = (row.ratio - 1.0) * 100.0;
    let why = match verdict {
        Verdict::Holds => format!("{grown:+.2} %: holds"),
        Verdict::Uncertain => format!("{grown:+.2} %: beyond the limit, within chance or noise"),
        Verdict::Regression | Verdict::NoVerdict => format!("{grown:+.2} %: regression"),
    };
    (verdict, why)
}

fn judge_row(row: &Compared, growth_max: f64) -> Verdict {
    if row.ratio <= 1.0 + growth_max {
        return Verdict::Holds;
    }
    let noise = row.noise_floor.unwrap_or_default();
    let certain = row.interval.low > 1.0 + noise && row.ratio > 1.0 + noise;
    if certain {
        Verdict::Regression
    } else {
        Verdict::Uncertain
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn no_limit_is_misread() {
        let table = [
            ("p99=5%", "total_ns.p99=5%"),
            ("device_reads=1%", "device_reads.mean=1%"),
            ("commit_ns.p90=2.5%", "commit_ns.p90=2.5%"),
        ];
        for (text, meaning) in table {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), meaning);
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        let parse = |text: &str| text.parse::<Limit>().unwrap_err();
        assert!(matches!(parse("p99"), LimitError::Form(_)));
        assert!(matches!(parse("p99=5"), LimitError::Form(_)));
        assert!(matches!(parse("p98=5%"), LimitError::Name(_)));
        assert!(matches!(parse("commit_ns.max=5%"), LimitError::Name(_)));
        assert!(matches!(parse("p99=-1%"), LimitError::Percentage(_)));
        assert!(matches!(parse("p99=NaN%"), LimitError::Percentage(_)));
    }
}
