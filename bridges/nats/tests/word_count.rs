//! The example `word_count` over processes that are killed.

mod server;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use server::Server;

const FILES: usize = 20;
const LINES: usize = 3000;

/// The example is built with the tests.
fn program() -> PathBuf {
    let tests = env::current_exe().unwrap();
    tests
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/word_count")
}

fn start(url: &str, words: &[&str]) -> Child {
    let mut command = Command::new(program());
    command
        .args(words)
        .env("NATS_URL", url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn write_files(folder: &Path) -> Vec<String> {
    let file = |n: usize| {
        let line = |line: usize| {
            format!(
                "the line {line} of file {n} has a word{}\n",
                (line * n) % 97
            )
        };
        let path = folder.join(format!("{n}.txt"));
        fs::write(&path, (0..LINES).map(line).collect::<String>()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (0..FILES).map(file).collect()
}

/// Once it catches it.
fn interrupt(process: &Child) {
    const INTERRUPT: u64 = 1 << 1;
    let id = process.id().to_string();
    let catches = || {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & INTERRUPT != 0
    };
    while !catches() {
        thread::sleep(Duration::from_millis(1));
    }
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
}

/// The first number that it prints.
fn printed(output: &Output) -> u64 {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let number = text
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no number in {text:?}"))
}

#[test]
#[ignore = "needs nats-server"]
fn ctrl_c_ends_each_process_and_loses_nothing() {
    let folder = env::temp_dir().join(format!("hchan-nats-interrupted-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let files = write_files(&folder);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut server = Server::start();
    let url = server.url();
    let read = || start(&url, &[&["reader"], &files[..]].concat());
    let ended = |process: Child| {
        interrupt(&process);
        let since = Instant::now();
        let output = process.wait_with_output().unwrap();
        assert!(
            since.elapsed() < Duration::from_secs(4),
            "{:?}",
            since.elapsed()
        );
        assert_eq!(output.status.code(), Some(130));
        output
    };

    // In the middle.
    let reader = read();
    thread::sleep(Duration::from_millis(60));
    let first = printed(&ended(reader));
    assert!(first < 1201, "it had ended before");
    // And while the server is away.
    let reader = read();
    thread::sleep(Duration::from_millis(50));
    server.kill();
    thread::sleep(Duration::from_millis(50));
    let second = printed(&ended(reader));
    server.start_again();
    let output = read().wait_with_output().unwrap();
    assert_eq!((output.status.code(), printed(&output)), (Some(0), 1201));

    let counter = start(&url, &["counter"]);
    thread::sleep(Duration::from_millis(300));
    let counted = printed(&ended(counter));
    assert!(counted > 0);
    let totals = folder.join("totals");
    let totals = totals.to_str().unwrap();
    let collector = start(&url, &["collector", totals]);
    thread::sleep(Duration::from_millis(300));
    ended(collector);

    let (counter, collector) = (
        start(&url, &["counter"]),
        start(&url, &["collector", totals]),
    );
    let output = collector.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    ended(counter);
    let here = start("", &[&["here"], &files[..]].concat());
    let expected = here.wait_with_output().unwrap();
    assert_eq!(output.stdout, expected.stdout);
    println!("interrupted after {first} and {second} pieces read, and {counted} counted");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[ignore = "needs nats-server"]
fn totals_are_right_though_all_are_killed() {
    let folder = env::temp_dir().join(format!("hchan-nats-words-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let files = write_files(&folder);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let here = start("", &[&["here"], &files[..]].concat())
        .wait_with_output()
        .unwrap();
    let expected = String::from_utf8(here.stdout).unwrap();
    assert!(expected.contains("words in 1200 pieces"), "{expected}");

    let server = Server::start();
    let url = server.url();
    let totals = folder.join("totals");
    let totals = totals.to_str().unwrap();
    let reader = || start(&url, &[&["reader"], &files[..]].concat());
    let counter = || start(&url, &["counter"]);
    let collector = || start(&url, &["collector", totals]);
    let (mut processes, mut killed) = ([reader(), counter(), counter(), collector()], [0; 4]);
    let since = Instant::now();
    for time in 0..12 {
        thread::sleep(Duration::from_millis(150));
        let one = time % 4;
        // One that has ended has done its work, and does it again.
        if processes[one].try_wait().unwrap().is_none() {
            killed[one] += 1;
        }
        processes[one].kill().unwrap();
        processes[one].wait().unwrap();
        processes[one] = match one {
            0 => reader(),
            3 => collector(),
            _ => counter(),
        };
    }
    let [mut reader, mut one, mut other, collector] = processes;
    assert!(reader.wait().unwrap().success());
    let output = collector.wait_with_output().unwrap();
    for counter in [&mut one, &mut other] {
        counter.kill().unwrap();
        counter.wait().unwrap();
    }
    println!("{killed:?} times killed, {:?}", since.elapsed());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(killed.iter().sum::<i32>() > 6, "{killed:?}");
    fs::remove_dir_all(&folder).unwrap();
}
