//! Trace files, tested from outside: any block can be read, no damage passes, and what a killed writer
//! leaves is kept up to where it is whole.

mod blocks;
mod corruption;
mod reading;
mod recovery;
