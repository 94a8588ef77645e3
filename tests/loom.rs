//! The models under loom, which tries every order of their steps and every value that a read may see.
//!
//! `RUSTFLAGS="--cfg hchan_loom" cargo test --release --test loom`. Models that are too large for
//! every order keep to a number of preemptions; with `HCHAN_DEEP` set, to one more.
#![cfg(hchan_loom)]

#[path = "models/mod.rs"]
mod models;
