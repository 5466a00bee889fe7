//! The study: designs, state sizes and gas multiples, and the largest multiple that fits a slot.
