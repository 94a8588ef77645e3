//! A server of its own for each test.
#![allow(dead_code, reason = "not every file of tests uses all of it")]

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hchan_nats::{ConnectOptions, Nats, Queue};

/// A server on a free port of the loopback interface, with a folder of its own. It is stopped when it is dropped.
pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::configured("")
    }

    /// With these lines in its configuration.
    pub(crate) fn configured(lines: &str) -> Self {
        Self::written(|store| format!("jetstream {{ store_dir: {store:?} }}\n{lines}\n"))
    }

    pub(crate) fn without_jetstream() -> Self {
        Self::written(|_| String::new())
    }

    fn written(config: impl FnOnce(PathBuf) -> String) -> Self {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("hchan-nats-{}-{number}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let config = format!("listen: 127.0.0.1:{port}\n{}", config(folder.join("store")));
        fs::write(folder.join("config"), config).unwrap();
        let mut server = Self {
            port,
            folder,
            child: None,
        };
        server.start_again();
        server
    }

    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none());
        let program = env::var_os("NATS_SERVER").expect(
            "these tests need a nats-server: `ci/nats` fetches one; or set NATS_SERVER to the path of one",
        );
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .unwrap();
        let child = Command::new(program)
            .arg("-c")
            .arg(self.folder.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < until,
                "the server did not start: {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// How much memory it uses, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        resident(self.child.as_ref().unwrap().id())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn connect(&self) -> Nats {
        Nats::connect(&self.url(), ConnectOptions::new())
            .await
            .unwrap()
    }

    /// Connects, and makes a work queue `WORK` for `work.>`.
    pub(crate) async fn queue(&self) -> Nats {
        let nats = self.connect().await;
        nats.work_queue(Queue::new("WORK", "work.>")).await.unwrap();
        nats
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("the log of the server:\n{}", self.log());
        }
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// How much memory a process uses, in KiB.
pub(crate) fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// How many values the stream holds.
pub(crate) async fn waiting(nats: &Nats, stream: &str) -> u64 {
    let context = async_nats::jetstream::new(nats.client());
    let stream = context.get_stream(stream).await.unwrap();
    stream.cached_info().state.messages
}

/// How many values the consumer has delivered, and knows nothing of since.
pub(crate) async fn pending(nats: &Nats, stream: &str, consumer: &str) -> usize {
    let context = async_nats::jetstream::new(nats.client());
    let stream = context.get_stream(stream).await.unwrap();
    stream
        .consumer_info(consumer)
        .await
        .unwrap()
        .num_ack_pending
}

/// Waits until it is so, and fails if that takes too long.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(15);
    while !is_so().await {
        assert!(Instant::now() < until, "not within 15 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
