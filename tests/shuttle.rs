//! The models under shuttle, which tries many orders of their steps at random.
//!
//! `RUSTFLAGS="--cfg hchan_shuttle" cargo test --release --test shuttle`. `HCHAN_SCHEDULES` says how
//! many orders of each model; a failure prints the one to replay.
#![cfg(hchan_shuttle)]

#[path = "models/mod.rs"]
mod models;
