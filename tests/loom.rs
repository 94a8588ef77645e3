//! The models under loom, which tries every order of their steps and every value that a read may see.
//!
//! `RUSTFLAGS="--cfg hchan_loom" cargo test --release --test loom`. Models that are too large for
//! every order keep to a number of preemptions, and to one more with `HCHAN_DEEP=1`.
#![cfg(hchan_loom)]

#[path = "models/mod.rs"]
mod models;
