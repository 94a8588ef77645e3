//! Many values, processes that are killed, and tasks that are aborted.

mod server;

use std::collections::HashSet;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use hchan_nats::{ConnectOptions, Delivery, FromStream, Nats, Postcard, ToStream};
use server::{Server, eventually, polls, resident, waiting};

/// How many values go through two processes, unless the variable `HCHAN_VALUES` says another number.
const VALUES: u64 = if cfg!(debug_assertions) {
    20_000
} else {
    100_000
};
/// How often the one that receives is killed.
const KILLED: u32 = 10;

/// What this program does when the test below starts it again: it publishes, or it receives until it is killed.
#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_process_of_its_own() {
    let (Ok(role), Ok(url)) = (env::var("HCHAN_ROLE"), env::var("HCHAN_URL")) else {
        return;
    };
    if let Ok(file) = env::var("HCHAN_CLOCK") {
        fs::write(file, now().to_string()).unwrap();
    }
    let nats = Nats::connect(&url, ConnectOptions::new()).await.unwrap();
    if role == "publisher" {
        let (tx, rx) = hchan::bounded::<u64>(64);
        let out = tokio::spawn(async move {
            let settings = ToStream::new("work.n")
                .codec(Postcard)
                .message_id(u64::to_string);
            settings.run(&nats, &rx).await
        });
        for n in 0..values() {
            tx.send(n).await.unwrap();
        }
        drop(tx);
        assert_eq!(out.await.unwrap().unwrap().confirmed, values());
        return;
    }
    let (tx, rx) = hchan::bounded::<Delivery<u64>>(64);
    let settings = FromStream::new("WORK", "counter").codec(Postcard);
    // The values of one that was killed come after this.
    let settings = settings.ack_wait(Duration::from_secs(2));
    let bridge = settings.start(&nats, tx).await.unwrap();
    for _ in 0..64 {
        let (rx, role) = (rx.clone(), role.clone());
        tokio::spawn(async move {
            let mut processed = OpenOptions::new()
                .create(true)
                .append(true)
                .open(role)
                .unwrap();
            while let Ok(value) = rx.recv().await {
                // At once, for others write to it as well.
                processed
                    .write_all(format!("{}\n", *value).as_bytes())
                    .unwrap();
                value.ack().await.ok();
            }
        });
    }
    drop(rx);
    bridge.await.unwrap();
}

fn values() -> u64 {
    env::var("HCHAN_VALUES").map_or(VALUES, |values| values.parse().unwrap())
}

/// Seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs() as i64
}

fn process(role: &str, url: &str) -> Child {
    command(role, url).spawn().unwrap()
}

fn command(role: &str, url: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "a_process_of_its_own",
            "--include-ignored",
            "--nocapture",
        ])
        .env("HCHAN_ROLE", role)
        .env("HCHAN_URL", url)
        .stdout(Stdio::null());
    command
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_process_that_is_killed_ten_times_loses_nothing() {
    let values = values();
    let server = Server::start();
    let nats = server.queue().await;
    let file = env::temp_dir().join(format!("hchan-nats-processed-{}", std::process::id()));
    fs::remove_file(&file).ok();
    let processed = || fs::read_to_string(&file).unwrap_or_default();
    let lines = || processed().lines().count() as u64;

    let mut publisher = process("publisher", &server.url());
    let mut consumer = process(file.to_str().unwrap(), &server.url());
    for time in 1..=KILLED {
        let until = values * u64::from(time) / u64::from(KILLED + 1);
        eventually("values are processed", async || lines() >= until).await;
        consumer.kill().unwrap();
        consumer.wait().unwrap();
        consumer = process(file.to_str().unwrap(), &server.url());
    }
    let status = tokio::task::spawn_blocking(move || publisher.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success());
    eventually("the stream is empty", async || {
        waiting(&nats, "WORK").await == 0
    })
    .await;
    consumer.kill().unwrap();
    consumer.wait().unwrap();

    let processed = processed();
    let all: Vec<u64> = processed
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let by_id: HashSet<u64> = all.iter().copied().collect();
    assert_eq!(by_id.len() as u64, values);
    assert_eq!(by_id.iter().sum::<u64>(), values * (values - 1) / 2);
    let again = all.len() as u64 - values;
    println!("{values} values, {KILLED} times killed: {again} were processed again");
    // At most what was taken and not acknowledged, each time.
    assert!(again <= u64::from(KILLED) * 128, "{again}");
    fs::remove_file(&file).unwrap();
}

/// The variable `FAKETIME_LIBRARY` is the path of `libfaketime.so.1`.
#[tokio::test]
#[ignore = "needs nats-server and libfaketime"]
async fn clocks_that_differ_lose_nothing() {
    const EACH: u64 = 2000;
    let library = env::var_os("FAKETIME_LIBRARY")
        .expect("this test needs libfaketime: set FAKETIME_LIBRARY, or run `ci/nats`");
    let server = Server::start();
    let nats = server.queue().await;
    let folder = env::temp_dir().join(format!("hchan-nats-clocks-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let shifted = |role: &str, days: i64, clock: &str| {
        command(role, &server.url())
            .env("LD_PRELOAD", &library)
            .env("FAKETIME", format!("{days:+}d"))
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("HCHAN_CLOCK", file(clock))
            .env("HCHAN_VALUES", EACH.to_string())
            .spawn()
            .unwrap()
    };
    // One lives in next year, the other in the last one.
    let mut consumer = shifted(&file("processed"), -400, "past");
    let mut publisher = shifted("publisher", 400, "future");
    let processed = || fs::read_to_string(file("processed")).unwrap_or_default();
    eventually("all are processed", async || {
        processed().lines().count() as u64 >= EACH
    })
    .await;
    eventually("the stream is empty", async || {
        waiting(&nats, "WORK").await == 0
    })
    .await;
    assert!(publisher.wait().unwrap().success());
    consumer.kill().unwrap();
    consumer.wait().unwrap();
    for (clock, days) in [("past", -400), ("future", 400)] {
        let shown: i64 = fs::read_to_string(file(clock)).unwrap().parse().unwrap();
        let off = shown - now() - days * 86_400;
        assert!(off.abs() < 60, "the clock {clock} is off by {off} s");
    }
    // None was delivered twice, though all clocks disagree on how old a value is.
    let lines = processed();
    let by_id: HashSet<&str> = lines.lines().collect();
    assert_eq!(
        (by_id.len() as u64, lines.lines().count() as u64),
        (EACH, EACH)
    );
    fs::remove_dir_all(&folder).unwrap();
}

/// A megabyte a second, each way.
#[tokio::test]
#[ignore = "needs nats-server and a network namespace"]
async fn a_slow_network_loses_nothing_and_repeats_nothing() {
    const SIZE: usize = 50_000;
    const VALUES: u64 = 60;
    let server = Server::behind(1_000_000);
    let nats = server.queue().await;
    let (lines, out) = hchan::bounded::<String>(4);
    let sender = tokio::spawn({
        let nats = nats.clone();
        async move {
            let settings = ToStream::new("work.s");
            settings.run(&nats, &out).await
        }
    });
    let (tx, rx) = hchan::bounded::<Delivery<String>>(4);
    let settings = FromStream::new("WORK", "counter").ack_wait(Duration::from_secs(5));
    let bridge = settings.start(&nats, tx).await.unwrap();
    let since = Instant::now();
    let publishing = tokio::spawn(async move {
        for n in 0..VALUES {
            lines.send(format!("{n:0SIZE$}")).await.unwrap();
        }
    });
    for n in 0..VALUES {
        let line = rx.recv().await.unwrap();
        assert_eq!((line.len(), line.parse::<u64>().unwrap()), (SIZE, n));
        line.ack().await.unwrap();
    }
    let took = since.elapsed();
    publishing.await.unwrap();
    let published = sender.await.unwrap().unwrap();
    assert_eq!(
        (
            published.confirmed,
            published.duplicates,
            published.repeated
        ),
        (VALUES, 0, 0)
    );
    let since = Instant::now();
    let counts = bridge.stop().await.unwrap();
    assert_eq!((counts.taken, counts.again), (VALUES, 0));
    assert!(since.elapsed() < Duration::from_secs(1));
    let least = VALUES as f64 * SIZE as f64 / 1_000_000.0;
    println!("{VALUES} values of {SIZE} bytes took {took:?} at 1 MB/s");
    assert!(took.as_secs_f64() > least * 0.9, "the network was not slow");
    // Acknowledgements go the same way as the values, and wait behind a window of them: so it is once out, and once in.
    assert!(took.as_secs_f64() < least * 3.0, "{took:?}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn nothing_is_lost_when_the_way_out_is_aborted_at_any_await() {
    const EACH: u64 = 12;
    let server = Server::start();
    let nats = server.queue().await;
    for (window, in_order) in [(1, false), (4, false), (4, true)] {
        let (mut aborted, mut in_stream) = (0, waiting(&nats, "WORK").await);
        let mut settings = ToStream::new("work.n").window(window);
        if in_order {
            settings = settings.in_order();
        }
        for times in 0.. {
            let id = move |n: &u64| format!("{window} {in_order} {times} {n}");
            let settings = settings.clone().message_id(id);
            let (tx, rx) = hchan::unbounded();
            for n in 0..EACH {
                tx.try_send(n).unwrap();
            }
            drop(tx);
            let done = polls(settings.run(&nats, &rx), times).await;
            // What is left is the end of what there was.
            let left: Vec<u64> = std::iter::from_fn(|| rx.try_recv().ok()).collect();
            let confirmed = EACH - left.len() as u64;
            assert_eq!(
                left,
                (confirmed..EACH).collect::<Vec<_>>(),
                "aborted after {times} polls"
            );
            if let Some(done) = done {
                assert_eq!(done.unwrap().confirmed, EACH);
                break;
            }
            aborted += 1;
            // The rest, by another bridge. What is there already is the same.
            let (tx, rx) = hchan::unbounded();
            for n in left {
                tx.try_send(n).unwrap();
            }
            drop(tx);
            let rest = settings.run(&nats, &rx).await.unwrap();
            assert_eq!(rest.confirmed, EACH - confirmed);
            in_stream += EACH;
            assert_eq!(
                waiting(&nats, "WORK").await,
                in_stream,
                "aborted after {times} polls"
            );
        }
        println!("window {window}: aborted at {aborted} awaits");
        assert!(aborted > 3, "{aborted}");
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn nothing_is_lost_when_the_way_out_is_aborted_while_the_server_is_away() {
    const EACH: u64 = 40;
    let mut server = Server::start();
    let nats = server.queue().await;
    let (tx, rx) = hchan::bounded(EACH as usize);
    let settings = ToStream::new("work.n").window(4).message_id(u64::to_string);
    for round in 0..4 {
        for n in 0..EACH {
            tx.send(round * EACH + n).await.unwrap();
        }
        let aborted = tokio::spawn({
            let (settings, nats, rx) = (settings.clone(), nats.clone(), rx.clone());
            async move { settings.run(&nats, &rx).await }
        });
        tokio::time::sleep(Duration::from_micros(500 * round)).await;
        server.kill();
        tokio::time::sleep(Duration::from_millis(150 * round)).await;
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        let left: Vec<u64> = std::iter::from_fn(|| rx.try_recv().ok()).collect();
        assert!(left.is_sorted(), "{left:?}");
        assert!(
            left.last()
                .is_none_or(|last| *last == (round + 1) * EACH - 1),
            "{left:?}"
        );
        server.start_again();
        let (again, rest) = hchan::unbounded();
        for n in left {
            again.try_send(n).unwrap();
        }
        drop(again);
        settings.run(&nats, &rest).await.unwrap();
        assert_eq!(waiting(&nats, "WORK").await, (round + 1) * EACH);
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn memory_is_flat_with_a_fast_sender_and_a_slow_receiver() {
    const SIZE: usize = 100_000;
    const VALUES: usize = 1500;
    let server = Server::start();
    let nats = server.queue().await;
    let (tx, rx) = hchan::bounded::<Delivery<String>>(8);
    let bridge = FromStream::new("WORK", "counter")
        .in_work(1)
        .start(&nats, tx)
        .await
        .unwrap();
    let (lines, out) = hchan::bounded::<String>(8);
    let sender = tokio::spawn({
        let nats = nats.clone();
        async move { ToStream::new("work.s").window(8).run(&nats, &out).await }
    });
    let slow = tokio::spawn(async move {
        let mut received = 0;
        while let Ok(value) = rx.recv().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
            value.ack().await.unwrap();
            received += 1;
        }
        received
    });
    let (since, mut before, mut most) = (Instant::now(), 0, 0);
    for n in 0..VALUES {
        lines.send("x".repeat(SIZE)).await.unwrap();
        let now = resident(std::process::id());
        if n == 100 {
            before = now;
        }
        most = most.max(now);
    }
    drop(lines);
    sender.await.unwrap().unwrap();
    let waits = waiting(&nats, "WORK").await;
    println!(
        "{waits} of {VALUES} values of {SIZE} bytes wait after {:?}: {before} KiB, at most {most}",
        since.elapsed()
    );
    assert!(waits > 500, "the receiver was not slow");
    assert!(most < before + 40_000, "{before} KiB, then {most} KiB");
    assert!(bridge.counts().taken - bridge.counts().acknowledged <= 9);
    bridge.stop().await.unwrap();
    assert!(slow.await.unwrap() < 1000);
}
