//! The models under shuttle, which tries many orders of their steps at random.
//!
//! `RUSTFLAGS="--cfg hchan_shuttle" cargo test --release --test shuttle`. It runs 20 000 orders of each
//! model, with `HCHAN_DEEP` set 500 000, and as many again of those that a few well-placed switches
//! make; `HCHAN_SCHEDULES` says how many instead. A failure prints the one to replay.
#![cfg(hchan_shuttle)]

#[path = "models/mod.rs"]
mod models;
