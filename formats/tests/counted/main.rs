//! The counted tree, tested from outside: it never differs from what its specification says, and no
//! proof shows what is not so.

mod bytes;
mod forgeries;
mod forgeries_of_absence;
mod forgeries_of_many;
mod model;
mod never_differs;
mod vectors;
