//! Tests of profiles.

mod files;
mod fitted;
mod observed;
mod published;
