//! Profiles: the distributions that generated blocks are drawn from, fitted to traces and checked against mainnet.
