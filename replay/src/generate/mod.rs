//! Blocks of state accesses drawn from a profile over a population.
