//! What the measuring was done on, and with which versions.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

const RIVALS: [&str; 11] = [
    "async-channel",
    "crossfire",
    "flume",
    "futures-channel",
    "kanal",
    "loole",
    "postage",
    "smol",
    "tachyonix",
    "thingbuf",
    "tokio",
];

/// How this program was built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    Release,
    Lto,
}

impl Profile {
    pub const ALL: [Self; 2] = [Self::Release, Self::Lto];

    pub fn name(self) -> &'static str {
        match self {
            Self::Release => "without LTO",
            Self::Lto => "with LTO",
        }
    }

    /// Where its results are.
    pub fn results(self) -> PathBuf {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        match self {
            Self::Release => results,
            Self::Lto => results.join("lto"),
        }
    }
}

/// Cargo has a folder for each profile.
pub fn profile() -> Profile {
    let program = env::current_exe().unwrap_or_default();
    match program.parent().and_then(Path::file_name) {
        Some(folder) if folder == "lto" => Profile::Lto,
        _ => Profile::Release,
    }
}

/// Names and what they stand for.
pub fn machine() -> Vec<(String, String)> {
    let cores = available_parallelism().map_or(0, Into::into);
    let facts = [
        ("processor", format!("{}, {cores} cores", processor())),
        ("system", says("uname", &["-sr"])),
        ("compiler", says("rustc", &["--version"])),
        ("build", profile().name().into()),
        ("hchan", says("git", &["describe", "--always", "--dirty"])),
        ("rivals", rivals()),
        ("load before", load()),
    ];
    facts.map(|(what, value)| (what.to_owned(), value)).into()
}

/// How many programs wanted to run, in the last 1, 5 and 15 minutes.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or_else(String::new, |name| {
        name.trim_matches([' ', '\t', ':']).into()
    })
}

/// The versions in the lock file.
fn rivals() -> String {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");
    let lock = fs::read_to_string(lock).unwrap_or_default();
    let version = |name: &&str| {
        let (_, after) = lock.rsplit_once(&format!("name = \"{name}\"\nversion = \""))?;
        Some(format!("{name} {}", after.split_once('"')?.0))
    };
    RIVALS
        .iter()
        .filter_map(version)
        .collect::<Vec<_>>()
        .join(", ")
}

fn says(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    output.map_or_else(
        |_| "unknown".into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().into(),
    )
}
