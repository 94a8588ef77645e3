//! What the bridges cost, beside loops over bare `async-nats`: `NATS_SERVER=… cargo run --release --example figures`.
//!
//! Each way moves the same values with the same number under way, and the server's file store is new each time.

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

async fn bridge_out(nats: &Nats, values: u64) -> Result<Times> {
    let (tx, rx) = hchan::bounded::<String>(WINDOW);
    let out = tokio::spawn({
        let nats = nats.clone();
        async move { ToStream::new("work.n").window(WINDOW).run(&nats, &rx).await }
    });
    for n in 0..values {
        tx.send(line(n)).await?;
    }
    drop(tx);
    out.await??;
    Ok(Times::new())
}

async fn bare_out(nats: &Nats, values: u64) -> Result<Times> {
    let context = async_nats::jetstream::new(nats.client());
    let mut window = VecDeque::new();
    for n in 0..values {
        if window.len() == WINDOW
            && let Some(first) = window.pop_front()
        {
            IntoFuture::into_future(first).await?;
        }
        let message = PublishMessage::build().payload(Json.encode(&line(n))?.into());
        let message = message.message_id(n.to_string());
        window.push_back(context.send_publish("work.n", message).await?);
    }
    for confirmation in window {
        IntoFuture::into_future(confirmation).await?;
    }
    Ok(Times::new())
}

async fn bridge_in(nats: &Nats, values: u64) -> Result<Times> {
    let (tx, rx) = hchan::bounded::<Delivery<String>>(WINDOW);
    let settings = FromStream::new("WORK", "counter").in_work(WINDOW);
    let bridge = settings.start(nats, tx).await?;
    let (times, all) = hchan::unbounded();
    for _ in 0..WINDOW {
        let (rx, times) = (rx.clone(), times.clone());
        tokio::spawn(async move {
            while let Ok(value) = rx.recv().await {
                let since = Instant::now();
                if value.ack().await.is_ok() {
                    times.try_send(since.elapsed()).ok();
                }
            }
        });
    }
    let times = all.take_all(values).await;
    bridge.stop().await?;
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
    let (times, all) = hchan::unbounded();
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
                    times.try_send(since.elapsed()).ok();
                }
                drop(task);
            });
        }
    });
    let times = all.take_all(values).await;
    reader.abort();
    Ok(times)
}

trait TakeAll {
    async fn take_all(&self, values: u64) -> Times;
}

impl TakeAll for hchan::Receiver<Duration> {
    async fn take_all(&self, values: u64) -> Times {
        let mut times = Times::new();
        while (times.len() as u64) < values
            && let Ok(time) = self.recv().await
        {
            times.push(time);
        }
        times.sort();
        times
    }
}

fn show(what: &str, values: u64, took: Duration, times: &Times) -> f64 {
    let rate = values as f64 / took.as_secs_f64();
    let tail = times.get(times.len().saturating_sub(times.len() / 100 + 1));
    let tail = tail.map_or(String::new(), |time| {
        format!(", acknowledged in {time:.1?} (p99)")
    });
    println!("{what:<28} {rate:>9.0} values/s{tail}");
    rate
}

#[tokio::main]
async fn main() -> Result<()> {
    let values = env::args()
        .nth(1)
        .map_or(Ok(50_000), |values| values.parse())?;
    let mut rates = [[0.0; 2]; 2];
    for bridge in [false, true] {
        let server = Server::start()?;
        let nats = server.queue().await?;
        let since = Instant::now();
        let times = if bridge {
            bridge_out(&nats, values).await?
        } else {
            bare_out(&nats, values).await?
        };
        let name = if bridge { "hchan-nats" } else { "async-nats" };
        rates[0][usize::from(bridge)] =
            show(&format!("out, {name}"), values, since.elapsed(), &times);
        let since = Instant::now();
        let times = if bridge {
            bridge_in(&nats, values).await?
        } else {
            bare_in(&nats, values).await?
        };
        rates[1][usize::from(bridge)] =
            show(&format!("in, {name}"), values, since.elapsed(), &times);
    }
    for (way, [bare, bridge]) in ["out", "in"].iter().zip(rates) {
        println!("{way}: {:.2} times as fast as bare", bridge / bare);
    }
    Ok(())
}
