//! The example `word_count` over processes that are killed.

mod server;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
