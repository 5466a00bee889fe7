//! Stores filled with a population, in bulk, and kept for later runs.
