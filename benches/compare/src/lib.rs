//! hchan and its rivals, measured side by side: see `NOTES.md`.
//!
//! `main.rs` measures, and `bin/report.rs` writes what was found into the pages; `benches/cells.rs` shows single
//! cells to criterion.

pub mod alloc;
pub mod blocking;
pub mod cell;
pub mod chart;
pub mod clock;
pub mod contest;
pub mod entries;
pub mod go;
pub mod json;
pub mod machine;
pub mod options;
pub mod pages;
pub mod report;
pub mod rival;
pub mod rivals;
pub mod runtime;
pub mod scaling;
pub mod select;
pub mod shapes;
pub mod standing;
pub mod watch;
pub mod watchdog;
