//! What there is.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::thread;
use std::time::Duration;

use futures::FutureExt;

use super::poll;

/// A thread sends, and a task receives.
mod blocking {
    use super::*;

    #[test]
    fn calls_are_on_the_same_handles() {
        let (tx, rx) = hchan::bounded(1);
        tx.send_blocking(1).unwrap();
        assert_eq!(rx.recv().now_or_never(), Some(Ok(1)));
        let (tx, rx) = async_channel::bounded(1);
        tx.send_blocking(1).unwrap();
        assert_eq!(rx.recv().now_or_never(), Some(Ok(1)));
        let (tx, rx) = flume::bounded(1);
        tx.send(1).unwrap();
        assert_eq!(rx.recv_async().now_or_never(), Some(Ok(1)));
        let (tx, rx) = loole::bounded(1);
        tx.send(1).unwrap();
        assert_eq!(rx.recv_async().now_or_never(), Some(Ok(1)));
        let (tx, mut rx) = tokio::sync::mpsc::channel(1);
        tx.blocking_send(1).unwrap();
        assert_eq!(rx.recv().now_or_never(), Some(Some(1)));
    }

    #[test]
    fn handles_of_kanal_and_crossfire_are_turned_into_others() {
        let (tx, rx) = kanal::bounded_async(1);
        tx.to_sync().send(1).unwrap();
        assert_eq!(rx.recv().now_or_never(), Some(Ok(1)));
        let (tx, rx) = crossfire::mpmc::bounded_async(1);
        tx.into_blocking().send(1).unwrap();
        assert_eq!(rx.recv().now_or_never(), Some(Ok(1)));
    }
}

mod timeout {
    use super::*;

    #[test]
    fn of_hchan_and_crossfire_is_any_future() {
        let (tx, rx) = hchan::bounded::<u8>(0);
        let late = rx.recv_until(async {}).now_or_never();
        assert_eq!(late, Some(Err(hchan::RecvTimeoutError::Timeout)));
        let late = tx.send_until(1, async {}).now_or_never();
        assert_eq!(late, Some(Err(hchan::SendTimeoutError::Timeout(1))));
        let (_tx, rx) = crossfire::mpmc::bounded_async::<u8>(1);
        let late = rx.recv_with_timer(async {}).now_or_never();
        assert_eq!(late, Some(Err(crossfire::RecvTimeoutError::Timeout)));
    }

    #[test]
    fn of_tokio_is_its_own() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(async {
            let (tx, _rx) = tokio::sync::mpsc::channel(1);
            tx.try_send(1).unwrap();
            let late = tx.send_timeout(2, Duration::ZERO).await;
            assert_eq!(late.unwrap_err().into_inner(), 2);
        });
    }
}

mod select {
    use super::*;

    #[test]
    fn of_crossfire_receives_on_threads() {
        let (tx, rx) = crossfire::mpmc::bounded_blocking(1);
        let (_other, never) = crossfire::mpmc::bounded_blocking::<u8>(1);
        tx.send(7).unwrap();
        let mut select = crossfire::select::Select::new();
        select.add(&never);
        select.add(&rx);
        let ready = select.select().unwrap();
        assert_eq!(rx.read_select(ready), Ok(7));
    }

    #[test]
    fn one_select_of_flume_sends_twice() {
        let ((a, from_a), (b, from_b)) = (flume::bounded(1), flume::bounded(1));
        a.send(0).unwrap();
        b.send(0).unwrap();
        let selecting = thread::spawn(move || {
            flume::Selector::new()
                .send(&a, 1, |_| 'a')
                .send(&b, 1, |_| 'b')
                .wait();
        });
        // Nothing shows whether it waits yet.
        thread::sleep(Duration::from_millis(300));
        let mut received = vec![from_a.recv().unwrap(), from_b.recv().unwrap()];
        received.extend(from_a.recv());
        received.extend(from_b.recv());
        selecting.join().unwrap();
        assert_eq!(received.iter().sum::<u32>(), 2, "{received:?}");
    }

    #[test]
    fn one_select_of_hchan_sends_once() {
        let ((a, from_a), (b, from_b)) = (hchan::bounded(1), hchan::bounded(1));
        a.try_send(0).unwrap();
        b.try_send(0).unwrap();
        let selecting = thread::spawn(move || {
            hchan::select_blocking! {
                send(a, 1) -> sent => sent.unwrap(),
                send(b, 1) -> sent => sent.unwrap(),
            }
        });
        while from_a.snapshot().sendq + from_b.snapshot().sendq < 2 {
            thread::yield_now();
        }
        let mut received = vec![
            from_a.recv_blocking().unwrap(),
            from_b.recv_blocking().unwrap(),
        ];
        received.extend(from_a.recv_blocking());
        received.extend(from_b.recv_blocking());
        selecting.join().unwrap();
        assert_eq!(received.iter().sum::<u32>(), 1, "{received:?}");
    }
}

mod many_at_once {
    use super::*;

    #[test]
    fn in_hchan_both_ways() {
        let (tx, rx) = hchan::bounded(2);
        let mut items = [1, 2, 3].into();
        assert!(poll(pin!(tx.send_many(&mut items))).is_pending());
        assert_eq!(items, [3]);
        let mut got = Vec::new();
        assert_eq!(rx.recv_many(&mut got, 2).now_or_never(), Some(Ok(2)));
        assert_eq!(got, [1, 2]);
    }

    #[test]
    fn in_flume_kanal_and_loole_what_is_inside() {
        let (tx, rx) = flume::bounded(2);
        (1..=2).for_each(|n| tx.try_send(n).unwrap());
        assert_eq!(rx.drain().collect::<Vec<_>>(), [1, 2]);
        let (tx, rx) = loole::bounded(2);
        (1..=2).for_each(|n| tx.try_send(n).unwrap());
        assert_eq!(rx.drain().collect::<Vec<_>>(), [1, 2]);
        let (tx, rx) = kanal::bounded_async(2);
        (1..=2).for_each(|n| assert_eq!(tx.try_send(n), Ok(true)));
        let mut got = Vec::new();
        assert_eq!(rx.drain_into(&mut got), Ok(2));
        assert_eq!(got, [1, 2]);
    }

    #[test]
    fn in_tokio_receives_and_permits() {
        let (tx, mut rx) = tokio::sync::mpsc::channel(2);
        let permits = tx.reserve_many(2).now_or_never().unwrap().unwrap();
        permits.zip(1..=2).for_each(|(permit, n)| permit.send(n));
        let mut got = Vec::new();
        assert_eq!(rx.recv_many(&mut got, 8).now_or_never(), Some(2));
        assert_eq!(got, [1, 2]);
    }
}

/// Handles that do not keep the channel open.
mod weak {
    use super::*;

    #[test]
    fn handles_of_both_sides() {
        let (tx, rx) = hchan::bounded::<u8>(1);
        let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
        drop((tx, rx));
        assert!(weak_tx.upgrade().is_none() && weak_rx.upgrade().is_none());
        let (tx, rx) = async_channel::bounded::<u8>(1);
        let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
        drop((tx, rx));
        assert!(weak_tx.upgrade().is_none() && weak_rx.upgrade().is_none());
    }

    #[test]
    fn handles_of_senders() {
        let (tx, rx) = flume::bounded::<u8>(1);
        let weak = tx.downgrade();
        drop(tx);
        assert!(weak.upgrade().is_none());
        assert!(rx.is_disconnected());
        let (tx, rx) = crossfire::mpmc::bounded_async::<u8>(1);
        let weak = tx.downgrade();
        drop(tx);
        assert!(weak.upgrade::<crossfire::MAsyncTx<_>>().is_none());
        assert!(rx.is_disconnected());
        let (tx, mut rx) = tokio::sync::mpsc::channel::<u8>(1);
        let weak = tx.downgrade();
        drop(tx);
        assert!(weak.upgrade().is_none());
        assert_eq!(rx.recv().now_or_never(), Some(None));
    }
}

/// What the sources say.
mod sources {
    use super::*;

    /// The folder of a package that this one is built with.
    fn folder(package: &str) -> PathBuf {
        let rustc = Command::new("rustc").arg("-vV").output().unwrap();
        let rustc = String::from_utf8(rustc.stdout).unwrap();
        let host = rustc
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap();
        let output = Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--format-version=1",
                "--offline",
                "--filter-platform",
                host,
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let (packages, nodes) = (&metadata["packages"], &metadata["resolve"]["nodes"]);
        // Of several versions, the one that this package depends on, or else futures.
        let used = |id: &serde_json::Value| {
            nodes.as_array().unwrap().iter().any(|node| {
                let by = node["id"].as_str().unwrap();
                let by_us = by.contains("hchan-compare") || by.contains("#futures@");
                by_us && node["dependencies"].as_array().unwrap().contains(id)
            })
        };
        let found = packages
            .as_array()
            .unwrap()
            .iter()
            .find(|found| found["name"] == package && used(&found["id"]));
        let manifest = found.unwrap_or_else(|| panic!("no {package}"))["manifest_path"].as_str();
        Path::new(manifest.unwrap()).parent().unwrap().join("src")
    }

    /// All lines of code under a path, without those that are comments.
    fn code(path: &Path) -> String {
        if path.is_dir() {
            let mut entries: Vec<_> = fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            entries.sort();
            return entries.iter().map(|entry| code(entry)).collect();
        }
        let text = fs::read_to_string(path).unwrap();
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// The lines with the word `unsafe`.
    fn unsafe_lines(code: &str) -> usize {
        let has = |line: &&str| {
            let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            words.any(|word| word == "unsafe")
        };
        code.lines().filter(has).count()
    }

    #[test]
    fn of_hchan_async_channel_and_loole_forbid_unsafe_code() {
        for package in ["hchan", "async-channel", "loole"] {
            let code = code(&folder(package));
            assert!(code.contains("#![forbid(unsafe_code)]"), "{package}");
            assert_eq!(unsafe_lines(&code), 0, "{package}");
        }
        // What is beneath them has some.
        assert!(unsafe_lines(&code(&folder("spin"))) > 0);
    }

    #[test]
    fn of_others_have_unsafe_lines() {
        let lines = |package: &str, within: &[&str]| -> usize {
            let folder = folder(package);
            within
                .iter()
                .map(|part| unsafe_lines(&code(&folder.join(part))))
                .sum()
        };
        let channel = ["sync/mpsc", "sync/batch_semaphore.rs"];
        let found = [
            lines("flume", &[""]),
            lines("kanal", &[""]),
            lines("crossfire", &[""]),
            lines("tokio", &channel),
            lines("futures-channel", &["mpsc", "lock.rs"]),
        ];
        assert_eq!(found, [0, 72, 220, 67, 22]);
    }

    #[test]
    fn of_hchan_and_async_channel_do_without_std() {
        let without_std = |package: &str| code(&folder(package).join("lib.rs")).contains("no_std");
        let packages = [
            "hchan",
            "async-channel",
            "flume",
            "kanal",
            "crossfire",
            "tokio",
            "loole",
        ];
        let found = packages.map(without_std);
        assert_eq!(found, [true, true, false, false, false, false, false]);
        // Its `mpsc` is not there without `std`.
        let futures = code(&folder("futures-channel").join("lib.rs"));
        assert!(futures.contains("#[cfg(feature = \"std\")]\npub mod mpsc;"));
    }
}
