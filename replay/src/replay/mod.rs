//! The replay: a pipeline that carries a workload out on a design, and measures it.
