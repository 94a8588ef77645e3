//! A server of its own for each test.
#![allow(dead_code, reason = "not every file of tests uses all of it")]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use hchan_nats::{ConnectOptions, Nats, Queue};

/// A server on a free port of the loopback interface, with a folder of its own. It is stopped when it is dropped.
pub(crate) struct Server {
    address: String,
    port: u16,
    /// If it has a network of its own.
    network: Option<Network>,
    folder: PathBuf,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::configured("")
    }

    /// With these lines in its configuration.
    pub(crate) fn configured(lines: &str) -> Self {
        Self::written(None, |store| {
            format!("jetstream {{ store_dir: {store:?} }}\n{lines}\n")
        })
    }

    /// Behind a network that carries so many bytes a second each way. It takes root's rights, and `ip` and `tc`.
    pub(crate) fn behind(bytes_a_second: u64) -> Self {
        Self::written(Some(Network::new(bytes_a_second)), |store| {
            format!("jetstream {{ store_dir: {store:?} }}\n")
        })
    }

    pub(crate) fn without_jetstream() -> Self {
        Self::written(None, |_| String::new())
    }

    fn written(network: Option<Network>, config: impl FnOnce(PathBuf) -> String) -> Self {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("hchan-nats-{}-{number}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let address = network
            .as_ref()
            .map_or("127.0.0.1".into(), Network::far_address);
        let config = format!("listen: {address}:{port}\n{}", config(folder.join("store")));
        fs::write(folder.join("config"), config).unwrap();
        let mut server = Self {
            address,
            port,
            network,
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
        let mut command = match &self.network {
            Some(network) => network.command(program),
            None => Command::new(program),
        };
        let child = command
            .arg("-c")
            .arg(self.folder.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((self.address.as_str(), self.port)).is_err() {
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

    /// It reads and answers nothing from now on.
    pub(crate) fn freeze(&self) {
        let id = self.child.as_ref().unwrap().id();
        run(&format!("kill -STOP {id}"));
        // A thread that runs goes on for a moment.
        let stopped = |thread: io::Result<fs::DirEntry>| {
            let stat = fs::read_to_string(thread.unwrap().path().join("stat")).unwrap();
            stat.rsplit(") ").next().unwrap().starts_with('T')
        };
        while !fs::read_dir(format!("/proc/{id}/task"))
            .unwrap()
            .all(stopped)
        {
            thread::sleep(Duration::from_millis(1));
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
        format!("nats://{}:{}", self.address, self.port)
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

/// A network namespace with a cable to it, which carries a limited number of bytes a second.
struct Network {
    name: String,
    number: u32,
}

impl Network {
    fn new(bytes_a_second: u64) -> Self {
        let number = std::process::id();
        let network = Self {
            name: format!("hchan{number}"),
            number,
        };
        let (name, here) = (&network.name, format!("hc{number}"));
        let (near, far) = (network.address(1), network.far_address());
        let rate = format!("{}bit", 8 * bytes_a_second);
        let limit = |device: &str| {
            format!("tc qdisc add dev {device} root tbf rate {rate} burst 32kb latency 200ms")
        };
        run(&format!("ip netns add {name}"));
        run(&format!(
            "ip link add {here} type veth peer name far netns {name}"
        ));
        run(&format!("ip address add {near}/30 dev {here}"));
        run(&format!("ip link set {here} up"));
        run(&format!(
            "ip netns exec {name} ip address add {far}/30 dev far"
        ));
        run(&format!("ip netns exec {name} ip link set far up"));
        run(&limit(&here));
        run(&format!("ip netns exec {name} {}", limit("far")));
        network
    }

    /// In 198.18.0.0/15, which is for measuring networks.
    fn address(&self, end: u32) -> String {
        let block = 4 * (self.number % 16_384) + end;
        format!("198.18.{}.{}", block / 256, block % 256)
    }

    fn far_address(&self) -> String {
        self.address(2)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Its end of the cable goes with it, and so does the other.
        Command::new("ip")
            .args(["netns", "delete", &self.name])
            .status()
            .ok();
    }
}

fn run(command: &str) {
    let mut words = command.split(' ');
    let status = Command::new(words.next().unwrap()).args(words).status();
    assert!(status.unwrap().success(), "{command}");
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

/// A port that no test has used. It is below those that the system gives to clients: one of those may be taken when a
/// server starts, by another client, or by this one, which then connects to itself.
pub(crate) fn free_port() -> u16 {
    static PORTS: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 12_000;
    const MANY: u32 = 20_000;

    (0..MANY)
        .map(|_| {
            let number = std::process::id() * 100 + PORTS.fetch_add(1, Ordering::Relaxed);
            (FIRST + number % MANY) as u16
        })
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a free port")
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

/// Polls a future as often as this, and drops it.
pub(crate) async fn polls<F: Future>(future: F, mut times: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if times == 0 {
            return Poll::Ready(None);
        }
        times -= 1;
        match future.as_mut().poll(cx) {
            Poll::Pending if times == 0 => Poll::Ready(None),
            polled => polled.map(Some),
        }
    })
    .await
}
