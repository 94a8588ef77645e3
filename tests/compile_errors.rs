//! What the compiler says about a wrong select: in words of the macro, not of its inside.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A program that does not compile, by its name, the wrong select in it, and what the compiler has to say.
struct Wrong {
    name: &'static str,
    select: &'static str,
    says: &'static [&'static str],
}

const PATTERN: &str =
    "an arm's pattern must match whatever the arm gets, `Ok` and `Err`: write `msg` instead of";

const WRONG: [Wrong; 11] = [
    Wrong {
        name: "ok-of-a-recv",
        select: "select! { recv(rx) -> Ok(value) => drop(value) }",
        says: &[PATTERN, "`Ok(value)`, and a `match` in the body"],
    },
    Wrong {
        name: "ok-of-a-send-with-a-condition",
        select: "select! { default => (), send(tx, 1) -> Ok(()), if true => () }",
        says: &[PATTERN, "`Ok(())`, and a `match` in the body"],
    },
    Wrong {
        name: "ok-of-a-send-from-on-a-thread",
        select: "select_blocking! { send_from(tx, &mut slot) -> Ok(_) => () }",
        says: &[PATTERN, "`Ok(_)`, and a `match` in the body"],
    },
    Wrong {
        name: "err-of-a-recv",
        select: "select! { recv(rx) -> Err(error) => drop(error) }",
        says: &["E0005", "Err(error)"],
    },
    Wrong {
        name: "some-of-a-future",
        select: "select! { recv(rx) -> _ => (), future(async { slot }) -> Some(byte) => drop(byte) }",
        says: &["E0005", "Some(byte)"],
    },
    Wrong {
        name: "default-with-a-timeout",
        select: "select! { recv(rx) -> _ => (), default(TIMEOUT) => () }",
        says: &[
            "`default` has no timeout: write `recv(hchan::after(duration)) -> _ => body`",
            "`future(sleep(duration)) -> () => body` with the timer of your runtime",
            "on a thread, `Select::wait_timeout`",
        ],
    },
    Wrong {
        name: "else",
        select: "select! { recv(rx) -> _, if false => (), else => () }",
        says: &["a select has no `else`: switch arms off with `, if condition` before `=>`"],
    },
    Wrong {
        name: "two-defaults",
        select: "select! { default => (), default => () }",
        says: &["a select has one `default => body` at most"],
    },
    Wrong {
        name: "no-arm",
        select: "select! { receive(rx) -> _ => () }",
        says: &[
            "an arm is one of `recv(rx) -> result => body`",
            "found: receive(rx) -> _ => ()",
        ],
    },
    Wrong {
        name: "no-pattern",
        select: "select! { recv(rx) => () }",
        says: &[
            "an arm is one of `recv(rx) -> result => body`",
            "found: recv(rx) => ()",
        ],
    },
    Wrong {
        name: "a-future-on-a-thread",
        select: "select_blocking! { future(async {}) -> () => () }",
        says: &["`select_blocking!` has no `future` arms: a thread cannot poll them"],
    },
];

/// What is right in the same place.
const RIGHT: &str = "select! { biased;
    recv(rx) -> Ok(_) | Err(_) => (),
    recv(quit) -> Err(_) => (),
    future(async { slot }) -> (Some(_) | None) => (),
    future(async { (1, 2) }) -> (one, _), if true => assert_eq!(one, 1),
    default => (),
}";

fn program(select: &str) -> String {
    format!(
        "#![allow(unused, reason = \"it may have no use for all that there is\")]
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(1);

async fn wrong(
    tx: hchan::Sender<u8>,
    rx: hchan::Receiver<u8>,
    quit: hchan::Receiver<std::convert::Infallible>,
    mut slot: Option<u8>,
) {{
    hchan::{select}
}}

fn main() {{}}
"
    )
}

/// A package that depends on the crate, with a program for each wrong select and one for the right one.
fn make_package() -> PathBuf {
    let this = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile-errors");
    let programs = package.join("src/bin");
    fs::create_dir_all(&programs).unwrap();
    let manifest = format!(
        "[package]
name = \"compile-errors\"
version = \"0.0.0\"
edition = \"2024\"

[dependencies]
hchan = {{ path = {this:?} }}

[workspace]
"
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    // The versions that are at hand.
    if let Ok(lock) = fs::read(this.join("Cargo.lock")) {
        fs::write(package.join("Cargo.lock"), lock).unwrap();
    }
    let right = [("right", RIGHT)];
    for (name, select) in WRONG
        .map(|wrong| (wrong.name, wrong.select))
        .into_iter()
        .chain(right)
    {
        fs::write(programs.join(name).with_extension("rs"), program(select)).unwrap();
    }
    package
}

/// What the compiler says about one of the programs, and whether that is right.
fn check(package: &Path, name: &str) -> (bool, String) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsStr::new("cargo").to_owned());
    let mut check = Command::new(cargo);
    check
        .args([
            "check",
            "--offline",
            "--quiet",
            "--color=never",
            "--bin",
            name,
        ])
        .current_dir(package)
        .env("CARGO_TARGET_DIR", package.join("target"));
    // What this test itself is built with is not for what it builds.
    for flags in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        check.env_remove(flags);
    }
    let output = check.output().unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn the_compiler_says_what_is_wrong_with_an_arm_in_words_of_the_macro() {
    let package = make_package();
    let (compiles, errors) = check(&package, "right");
    assert!(compiles && errors.is_empty(), "{errors}");
    for Wrong { name, says, .. } in WRONG {
        let (compiles, errors) = check(&package, name);
        assert!(!compiles, "{name} compiles");
        for says in says {
            assert!(
                errors.contains(says),
                "{name}: not a word of {says:?} in\n{errors}"
            );
        }
        for inside in ["Either", "__support", "non-exhaustive"] {
            assert!(!errors.contains(inside), "{name}: {inside} in\n{errors}");
        }
    }
}
