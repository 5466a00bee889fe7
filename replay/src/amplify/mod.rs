//! Blocks multiplied to a gas multiple: merged, cloned, or both.
