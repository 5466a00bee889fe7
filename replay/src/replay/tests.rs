//! Pipelines, and whole runs.
