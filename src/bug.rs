//! Seeded bugs, to see whether the tests would notice them: `tests/zoo.sh`.
//!
//! A bug is there where `--cfg hchan_bug="its_name"` says so, and costs nothing elsewhere. `Cargo.toml`
//! lists them all, with the channels that have or had them.

/// `bug!("name")`: whether that bug is there. `bug!("name" => what)`: does so if it is.
macro_rules! bug {
    ($name:literal) => {
        cfg!(hchan_bug = $name)
    };
    ($name:literal => $($wrong:tt)+) => {
        if cfg!(hchan_bug = $name) {
            $($wrong)+;
        }
    };
}
