//! What the bridges cost, beside loops over bare `async-nats`: `NATS_SERVER=… cargo run --release --example figures`.
//!
//! Each way moves the same values with the same number under way, in turns, and the server and its store are new each
//! time. A second number on the command line is that of the rounds.
//!
//! `figures waiting 1000000` fills a stream with so many values, and shows what memory both processes use meanwhile.

use std::collections::VecDeque;
use std::env;
use std::error::Error;
use std::fs;
use std::future::IntoFuture;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::message::PublishMessage;
use futures_util::StreamExt;
use hchan_nats::{Codec, ConnectOptions, Delivery, FromStream, Json, Nats, Queue, ToStream};
use serde::Serialize;
use tokio::sync::Semaphore;

/// How many values are under way.
const WINDOW: usize = 64;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

struct Server(Child, PathBuf, u16);

impl Server {
    fn start() -> Result<Self> {
        let program =
            env::var_os("NATS_SERVER").ok_or("set NATS_SERVER to the path of nats-server")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder =
            env::temp_dir().join(format!("hchan-nats-figures-{}-{port}", std::process::id()));
        let child = Command::new(program)
            .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
            .arg(&folder)
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self(child, folder, port);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    async fn queue(&self) -> Result<Nats> {
        let nats = Nats::connect(
            &format!("nats://127.0.0.1:{}", self.2),
            ConnectOptions::new(),
        )
        .await?;
        nats.work_queue(Queue::new("WORK", "work.>")).await?;
        Ok(nats)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
        fs::remove_dir_all(&self.1).ok();
    }
}

/// How long each value took.
type Times = Vec<Duration>;

fn line(n: u64) -> String {
    format!("{n}: a line of text such as a program might send from one machine to another one")
}

/// A line, and since when it is under way.
#[derive(Serialize)]
#[serde(transparent)]
struct Line {
    text: String,
    #[serde(skip)]
    since: Instant,
}

impl Line {
    fn new(n: u64) -> Self {
        Self {
            text: line(n),
            since: Instant::now(),
        }
    }
}

async fn bridge_out(nats: &Nats, values: u64) -> Result<Times> {
    let (tx, rx) = hchan::bounded::<Line>(WINDOW);
    let out = tokio::spawn({
        let nats = nats.clone();
        async move {
            let mut times = Times::new();
            let settings = ToStream::new("work.n").window(WINDOW);
            let published = settings
                .run_each(&nats, &rx, |line| times.push(line.since.elapsed()))
                .await;
            published.map(|_| times)
        }
    });
    for n in 0..values {
        tx.send(Line::new(n)).await?;
    }
    drop(tx);
    Ok(out.await??)
}

/// The lines come from another task, as with the bridge.
async fn bare_out(nats: &Nats, values: u64) -> Result<Times> {
    let (tx, mut rx) = tokio::sync::mpsc::channel::<Line>(WINDOW);
    let context = async_nats::jetstream::new(nats.client());
    let out = tokio::spawn(async move {
        let (mut window, mut times) = (VecDeque::new(), Times::new());
        let mut n = 0;
        while let Some(line) = rx.recv().await {
            if window.len() == WINDOW
                && let Some((first, since)) = window.pop_front()
            {
                IntoFuture::into_future(first).await?;
                times.push(Instant::elapsed(&since));
            }
            let message = PublishMessage::build().payload(Json.encode(&line)?.into());
            let message = message.message_id(format!("run.{n}"));
            n += 1;
            window.push_back((context.send_publish("work.n", message).await?, line.since));
        }
        for (confirmation, since) in window {
            IntoFuture::into_future(confirmation).await?;
            times.push(since.elapsed());
        }
        Result::Ok(times)
    });
    for n in 0..values {
        tx.send(Line::new(n)).await?;
    }
    drop(tx);
    out.await?
}

async fn bridge_in(nats: &Nats, values: u64) -> Result<Times> {
    let (tx, rx) = hchan::bounded::<Delivery<String>>(WINDOW);
    let settings = FromStream::new("WORK", "counter").in_work(WINDOW);
    let bridge = settings.start(nats, tx).await?;
    let (times, all) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..WINDOW {
        let (rx, times) = (rx.clone(), times.clone());
        tokio::spawn(async move {
            while let Ok(value) = rx.recv().await {
                let since = Instant::now();
                if value.ack().await.is_ok() {
                    times.send(since.elapsed()).ok();
                }
            }
        });
    }
    let times = take_all(all, values).await;
    tokio::spawn(bridge.stop());
    Ok(times)
}

async fn bare_in(nats: &Nats, values: u64) -> Result<Times> {
    let context = async_nats::jetstream::new(nats.client());
    let config = pull::Config {
        durable_name: Some("counter".into()),
        max_ack_pending: 2 * WINDOW as i64,
        ..Default::default()
    };
    let consumer: PullConsumer = context.create_consumer_on_stream(config, "WORK").await?;
    let mut messages = consumer
        .stream()
        .max_messages_per_batch(WINDOW)
        .messages()
        .await?;
    let (times, all) = tokio::sync::mpsc::unbounded_channel();
    let tasks = Arc::new(Semaphore::new(WINDOW));
    let reader = tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let Ok(task) = tasks.clone().acquire_owned().await else {
                return;
            };
            let times = times.clone();
            tokio::spawn(async move {
                let value = Json.decode::<String>(&message.payload);
                let since = Instant::now();
                if value.is_ok() && message.double_ack().await.is_ok() {
                    times.send(since.elapsed()).ok();
                }
                drop(task);
            });
        }
    });
    let times = take_all(all, values).await;
    reader.abort();
    Ok(times)
}

async fn take_all(mut all: tokio::sync::mpsc::UnboundedReceiver<Duration>, values: u64) -> Times {
    let mut times = Times::new();
    while (times.len() as u64) < values
        && let Some(time) = all.recv().await
    {
        times.push(time);
    }
    times
}

/// Values in a second, and the time that 99 of 100 values do not exceed.
type Figures = (f64, Duration);

fn figures(
    what: &str,
    since: Instant,
    used: [f64; 2],
    mut times: Times,
    server: &Server,
) -> Figures {
    let took = since.elapsed();
    times.sort();
    let rate = times.len() as f64 / took.as_secs_f64();
    let tail = times[times.len() - times.len() / 100 - 1];
    let each = |now: f64, before: f64| (now - before) * 1e6 / times.len() as f64;
    println!(
        "{what:<16} {rate:>8.0} values/s, p99 {tail:>7.2?}; processor time for each value: {:.1} µs here, {:.1} µs at the server",
        each(processor_time(std::process::id()), used[0]),
        each(processor_time(server.0.id()), used[1]),
    );
    (rate, tail)
}

/// How many seconds of processor time a process has used.
fn processor_time(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = |at| {
        after
            .split(' ')
            .nth(at)
            .and_then(|ticks| ticks.parse::<f64>().ok())
    };
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

/// How much memory a process uses, in MB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn median<T: PartialOrd + Copy>(mut all: Vec<T>) -> T {
    all.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    all[all.len() / 2]
}

async fn compare(values: u64, rounds: usize) -> Result<()> {
    let mut all: [[Vec<Figures>; 2]; 2] = Default::default();
    for round in 0..2 * rounds {
        let bridge = round % 2 == 1;
        let server = Server::start()?;
        let nats = server.queue().await?;
        let used = || {
            [
                processor_time(std::process::id()),
                processor_time(server.0.id()),
            ]
        };
        let (since, before) = (Instant::now(), used());
        let (name, times) = if bridge {
            ("hchan-nats", bridge_out(&nats, values).await?)
        } else {
            ("async-nats", bare_out(&nats, values).await?)
        };
        let out = figures(&format!("out, {name}"), since, before, times, &server);
        all[0][usize::from(bridge)].push(out);
        let (since, before) = (Instant::now(), used());
        let times = if bridge {
            bridge_in(&nats, values).await?
        } else {
            bare_in(&nats, values).await?
        };
        let came = figures(&format!("in, {name}"), since, before, times, &server);
        all[1][usize::from(bridge)].push(came);
    }
    for (way, both) in ["out", "in"].into_iter().zip(all) {
        let [bare, bridge] = both.map(|figures| {
            let (rates, tails): (Vec<_>, Vec<_>) = figures.into_iter().unzip();
            (median(rates), median(tails))
        });
        println!(
            "{way}: {:.2} times as many values/s as bare ({:.0}, {:.0}), p99 {:.2?} (bare {:.2?})",
            bridge.0 / bare.0,
            bridge.0,
            bare.0,
            bridge.1,
            bare.1
        );
    }
    Ok(())
}

/// Memory while values wait, and while they are received.
async fn waiting(values: u64) -> Result<()> {
    let server = Server::start()?;
    let nats = server.queue().await?;
    let show = |what: &str, n: u64| {
        println!(
            "{n:>9} {what}: {} MB here, {} MB at the server",
            memory(std::process::id()),
            memory(server.0.id())
        );
    };
    let each = (values / 5).max(1);
    let (tx, rx) = hchan::bounded::<String>(WINDOW);
    let out = tokio::spawn({
        let nats = nats.clone();
        async move { ToStream::new("work.n").run(&nats, &rx).await }
    });
    for n in 0..values {
        if n % each == 0 {
            show("were sent", n);
        }
        tx.send(line(n)).await?;
    }
    drop(tx);
    out.await??;
    show("wait at the server", values);
    let (tx, rx) = hchan::bounded::<Delivery<String>>(WINDOW);
    let bridge = FromStream::new("WORK", "counter").start(&nats, tx).await?;
    let received = (values / 10).min(50_000);
    for _ in 0..received {
        let value = rx.recv().await?;
        tokio::spawn(value.ack());
    }
    show("of these were received", received);
    bridge.stop().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| words.get(at).map_or(Ok(otherwise), |n| n.parse());
    if words.first().is_some_and(|word| word == "waiting") {
        return waiting(number(1, 1_000_000)?).await;
    }
    compare(number(0, 50_000)?, number(1, 5)? as usize).await
}
