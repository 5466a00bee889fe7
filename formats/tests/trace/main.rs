//! The trace's codec, tested from outside: what goes in comes out, its bytes stay what they are, and
//! no damage passes.

mod blocks;
mod corruption;
mod format_pinned;
mod roundtrip;
