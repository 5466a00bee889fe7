//! Two runs beside each other: ratios with confidence intervals.
