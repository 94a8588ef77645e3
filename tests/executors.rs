//! On every executor, on plain threads, and across them, the channel behaves the same.
#![cfg(all(feature = "std", feature = "sink"))]

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::iter::Cycle;
use std::mem::{replace, take};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;
use std::{slice, thread};

use futures::executor::{LocalPool, ThreadPool};
use futures::future::join_all;
use futures::stream;
use futures::task::{LocalSpawnExt, SpawnExt};
use futures::{FutureExt, StreamExt};
use hchan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, bounded, unbounded,
};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a task runs, and with it, how it waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Host {
    TokioThreads,
    TokioLocal,
    AsyncStd,
    Smol,
    SmolLocal,
    LocalPool,
    ThreadPool,
    /// A thread for each task, which polls it.
    Threads,
    /// A thread for each task, which calls what blocks.
    Blocking,
}

impl Host {
    const ALL: &[Self] = &[
        Self::TokioThreads,
        Self::TokioLocal,
        Self::AsyncStd,
        Self::Smol,
        Self::SmolLocal,
        Self::LocalPool,
        Self::ThreadPool,
        Self::Threads,
        Self::Blocking,
    ];

    /// Runs tasks to their end.
    fn run(self, tasks: Vec<Task>) {
        match self {
            Self::TokioThreads => on_tokio(
                tokio::runtime::Builder::new_multi_thread().worker_threads(2),
                tasks,
            ),
            Self::TokioLocal => on_tokio(&mut tokio::runtime::Builder::new_current_thread(), tasks),
            Self::AsyncStd => {
                let tasks = tasks.into_iter().map(async_std::task::spawn);
                async_std::task::block_on(join_all(tasks));
            }
            Self::Smol => {
                smol::block_on(join_all(tasks.into_iter().map(smol::spawn)));
            }
            Self::SmolLocal => {
                let executor = smol::LocalExecutor::new();
                let tasks = tasks.into_iter().map(|task| executor.spawn(task));
                smol::block_on(executor.run(join_all(tasks)));
            }
            Self::ThreadPool => {
                let pool = ThreadPool::builder().pool_size(2).create().unwrap();
                let tasks = tasks
                    .into_iter()
                    .map(|task| pool.spawn_with_handle(task).unwrap());
                futures::executor::block_on(join_all(tasks));
            }
            Self::LocalPool => {
                let mut pool = LocalPool::new();
                for task in tasks {
                    pool.spawner().spawn_local(task).unwrap();
                }
                pool.run();
            }
            Self::Threads | Self::Blocking => thread::scope(|scope| {
                for task in tasks {
                    scope.spawn(|| futures::executor::block_on(task));
                }
            }),
        }
    }

    async fn send<T>(self, tx: &Sender<T>, value: T) -> Result<(), SendError<T>> {
        match self {
            Self::Blocking => tx.send_blocking(value),
            _ => tx.send(value).await,
        }
    }

    async fn recv<T>(self, rx: &Receiver<T>) -> Result<T, RecvError> {
        match self {
            Self::Blocking => rx.recv_blocking(),
            _ => rx.recv().await,
        }
    }

    /// A send with little patience, which depends on `n`.
    async fn send_soon<T>(
        self,
        tx: &Sender<T>,
        value: T,
        n: usize,
    ) -> Result<(), SendTimeoutError<T>> {
        match self {
            Self::Blocking => tx.send_blocking_timeout(value, patience(n)),
            _ => tx.send_until(value, self.timer(n)).await,
        }
    }

    /// A receive with little patience, which depends on `n`.
    async fn recv_soon<T>(self, rx: &Receiver<T>, n: usize) -> Result<T, RecvTimeoutError> {
        match self {
            Self::Blocking => rx.recv_blocking_timeout(patience(n)),
            _ => rx.recv_until(self.timer(n)).await,
        }
    }

    /// Sometimes a timer of the host's own, mostly a shorter one.
    fn timer(self, n: usize) -> Task {
        if n % 8 > 0 {
            return step_aside(1).boxed();
        }
        let patience = patience(n);
        match self {
            Self::TokioThreads | Self::TokioLocal => tokio::time::sleep(patience).boxed(),
            Self::AsyncStd => async_std::task::sleep(patience).boxed(),
            _ => async move {
                smol::Timer::after(patience).await;
            }
            .boxed(),
        }
    }
}

fn patience(n: usize) -> Duration {
    Duration::from_micros(n as u64 % 20)
}

fn on_tokio(builder: &mut tokio::runtime::Builder, tasks: Vec<Task>) {
    let runtime = builder.enable_time().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Lets others go first, so many times.
async fn step_aside(mut times: usize) {
    poll_fn(|cx| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Producers and consumers, each side on its hosts in turn.
struct Crew {
    producers: Cycle<slice::Iter<'static, Host>>,
    consumers: Cycle<slice::Iter<'static, Host>>,
    tasks: HashMap<Host, Vec<Task>>,
}

impl Crew {
    fn new(producers: &'static [Host], consumers: &'static [Host]) -> Self {
        Self {
            producers: producers.iter().cycle(),
            consumers: consumers.iter().cycle(),
            tasks: HashMap::new(),
        }
    }

    fn producer<F: Future<Output = ()> + Send + 'static>(&mut self, task: impl FnOnce(Host) -> F) {
        let host = *self.producers.next().unwrap();
        self.tasks.entry(host).or_default().push(task(host).boxed());
    }

    fn consumer<F: Future<Output = ()> + Send + 'static>(&mut self, task: impl FnOnce(Host) -> F) {
        let host = *self.consumers.next().unwrap();
        self.tasks.entry(host).or_default().push(task(host).boxed());
    }

    /// Runs all tasks to their end, each host on a thread of its own.
    fn run(&mut self) {
        let hosts = take(&mut self.tasks);
        let (done, end) = mpsc::channel();
        let thread = thread::spawn(move || {
            thread::scope(|scope| {
                for (host, tasks) in hosts {
                    scope.spawn(move || host.run(tasks));
                }
            });
            done.send(()).unwrap();
        });
        if end.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
            panic!("somebody waits for ever");
        }
        thread.join().unwrap();
    }
}

/// A number of one producer's.
type Value = (usize, usize);

fn channel(capacity: Option<usize>) -> (Sender<Value>, Receiver<Value>) {
    capacity.map_or_else(unbounded, bounded)
}

/// Whether one consumer has each producer's numbers in their order.
fn check_order(values: &[Value]) {
    let mut last = HashMap::new();
    for &(producer, n) in values {
        let before = last.insert(producer, n);
        assert!(before < Some(n), "{before:?} before {n}");
    }
}

/// Whether the consumers together have all numbers of all producers.
fn check_all(received: &mpsc::Receiver<Vec<Value>>, producers: usize, numbers: usize) {
    let mut received: Vec<_> = received.try_iter().flatten().collect();
    received.sort_unstable();
    let sent = (0..producers).flat_map(|producer| (0..numbers).map(move |n| (producer, n)));
    assert!(received.into_iter().eq(sent), "not what was sent");
}

fn ping_pong_keeps_step(crew: &mut Crew) {
    ping_pong(crew, 1000);
}

fn ping_pong(crew: &mut Crew, rounds: usize) {
    let (ping, pings) = bounded(0);
    let (pong, pongs) = bounded(0);
    crew.producer(|host| async move {
        for n in 0..rounds {
            host.send(&ping, n).await.unwrap();
            assert_eq!(host.recv(&pongs).await, Ok(n + 1));
        }
    });
    crew.consumer(|host| async move {
        while let Ok(n) = host.recv(&pings).await {
            host.send(&pong, n + 1).await.unwrap();
        }
    });
    crew.run();
}

fn a_pipeline_keeps_the_order(crew: &mut Crew) {
    const NUMBERS: usize = 500;
    const STAGES: usize = 4;
    let (tx, mut rx) = bounded(1);
    crew.producer(|host| async move {
        for n in 0..NUMBERS {
            host.send(&tx, n).await.unwrap();
        }
    });
    for _ in 0..STAGES {
        let (tx, next) = bounded(1);
        let rx = replace(&mut rx, next);
        crew.producer(|host| async move {
            while let Ok(n) = host.recv(&rx).await {
                host.send(&tx, n + 1).await.unwrap();
            }
        });
    }
    crew.consumer(|host| async move {
        for n in 0..NUMBERS {
            assert_eq!(host.recv(&rx).await, Ok(n + STAGES));
        }
        assert_eq!(host.recv(&rx).await, Err(RecvError));
    });
    crew.run();
}

fn a_crowd_loses_nothing_and_keeps_each_producers_order(crew: &mut Crew) {
    const NUMBERS: usize = 500;
    for capacity in [Some(0), Some(1), Some(16), None] {
        let (tx, rx) = channel(capacity);
        let (result, results) = mpsc::channel();
        for producer in 0..4 {
            let tx = tx.clone();
            crew.producer(|host| async move {
                for n in 0..NUMBERS {
                    host.send(&tx, (producer, n)).await.unwrap();
                }
            });
            let (rx, result) = (rx.clone(), result.clone());
            crew.consumer(|host| async move {
                let mut values = Vec::new();
                while let Ok(value) = host.recv(&rx).await {
                    values.push(value);
                }
                check_order(&values);
                result.send(values).unwrap();
            });
        }
        drop((tx, rx));
        crew.run();
        check_all(&results, 4, NUMBERS);
    }
}

/// No order: a value that a receive gave back may have been overtaken meanwhile.
fn impatience_loses_nothing(crew: &mut Crew) {
    const NUMBERS: usize = 200;
    for capacity in [Some(0), Some(1), None] {
        let (tx, rx) = channel(capacity);
        let (result, results) = mpsc::channel();
        for producer in 0..3 {
            let tx = tx.clone();
            crew.producer(|host| async move {
                for n in 0..NUMBERS {
                    step_aside(n / 8 % 5).await;
                    let mut value = (producer, n);
                    let mut tries = 0;
                    while let Err(error) = host.send_soon(&tx, value, n + tries).await {
                        assert!(error.is_timeout());
                        value = error.into_inner();
                        tries += 1;
                    }
                }
            });
            let (rx, result) = (rx.clone(), result.clone());
            crew.consumer(|host| async move {
                let mut values = Vec::new();
                let mut tries = 0;
                loop {
                    tries += 1;
                    match host.recv_soon(&rx, tries).await {
                        Ok(value) => values.push(value),
                        Err(RecvTimeoutError::Timeout) => continue,
                        Err(RecvTimeoutError::Closed) => break,
                    }
                    step_aside(values.len() / 8 % 7).await;
                }
                result.send(values).unwrap();
            });
        }
        drop((tx, rx));
        crew.run();
        check_all(&results, 3, NUMBERS);
    }
}

fn close_ends_every_wait(crew: &mut Crew) {
    const MANY: usize = 8;
    let (tx, rx) = bounded(0);
    for n in 0..MANY {
        let tx = tx.clone();
        crew.producer(|host| async move {
            assert_eq!(host.send(&tx, n).await, Err(SendError(n)));
        });
    }
    crew.consumer(|_| async move {
        while rx.snapshot().sendq < MANY {
            step_aside(1).await;
        }
        assert!(rx.close());
    });
    crew.run();

    let (tx, rx) = bounded::<()>(1);
    for _ in 0..MANY {
        let rx = rx.clone();
        crew.consumer(|host| async move {
            assert_eq!(host.recv(&rx).await, Err(RecvError));
        });
    }
    crew.producer(|_| async move {
        while tx.snapshot().recvq < MANY {
            step_aside(1).await;
        }
        assert!(tx.close());
        tx.closed().await;
    });
    crew.run();
}

fn streams_and_sinks_pass_everything_on(crew: &mut Crew) {
    const NUMBERS: usize = 300;
    for capacity in [Some(0), Some(1), Some(3), None] {
        let (tx, rx) = channel(capacity);
        let (result, results) = mpsc::channel();
        for producer in 0..3 {
            let tx = tx.clone();
            let numbers = stream::iter((0..NUMBERS).map(move |n| Ok((producer, n))));
            crew.producer(|_| numbers.forward(tx).map(Result::unwrap));
            let (rx, result) = (rx.clone(), result.clone());
            crew.consumer(|_| {
                rx.collect::<Vec<_>>().map(move |values| {
                    check_order(&values);
                    result.send(values).unwrap();
                })
            });
        }
        drop((tx, rx));
        crew.run();
        check_all(&results, 3, NUMBERS);
    }
}

/// Every scenario for every crew.
macro_rules! on {
    ($($crew:ident: $producers:expr => $consumers:expr;)+) => {$(
        mod $crew {
            use super::{Crew, Host};

            on!(@test $producers => $consumers;
                ping_pong_keeps_step
                a_pipeline_keeps_the_order
                a_crowd_loses_nothing_and_keeps_each_producers_order
                impatience_loses_nothing
                close_ends_every_wait
                streams_and_sinks_pass_everything_on
            );
        }
    )+};
    (@test $producers:expr => $consumers:expr; $($scenario:ident)+) => {$(
        #[test]
        fn $scenario() {
            super::$scenario(&mut Crew::new(&$producers, &$consumers));
        }
    )+};
}

on! {
    on_tokio_with_threads: [Host::TokioThreads] => [Host::TokioThreads];
    on_tokio_with_one_thread: [Host::TokioLocal] => [Host::TokioLocal];
    on_async_std: [Host::AsyncStd] => [Host::AsyncStd];
    on_smol: [Host::Smol] => [Host::Smol];
    on_smol_with_one_thread: [Host::SmolLocal] => [Host::SmolLocal];
    on_local_pool: [Host::LocalPool] => [Host::LocalPool];
    on_thread_pool: [Host::ThreadPool] => [Host::ThreadPool];
    on_threads_that_poll: [Host::Threads] => [Host::Threads];
    on_threads_that_block: [Host::Blocking] => [Host::Blocking];
    from_tokio_to_smol_and_threads: [Host::TokioThreads] => [Host::Smol, Host::Blocking];
    from_threads_to_tasks: [Host::Blocking, Host::Threads] => [Host::AsyncStd, Host::LocalPool];
}

#[test]
fn any_two_keep_step() {
    for producer in Host::ALL {
        for consumer in Host::ALL {
            ping_pong(
                &mut Crew::new(slice::from_ref(producer), slice::from_ref(consumer)),
                50,
            );
        }
    }
}

// A wait that is given up.

/// What waits for a value for a moment, and gives up.
type GivesUp = for<'a> fn(&'a mut Receiver<usize>) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

#[test]
fn a_wait_that_loses_to_a_timer_holds_up_no_worker() {
    const MOMENT: Duration = Duration::from_millis(1);
    let waits: [GivesUp; 3] = [
        |rx| {
            Box::pin(async {
                tokio::select! {
                    _ = rx.next() => unreachable!("nobody sends"),
                    () = tokio::time::sleep(MOMENT) => {}
                }
            })
        },
        |rx| {
            Box::pin(async {
                let waited = tokio::time::timeout(MOMENT, rx.next()).await;
                assert!(waited.is_err(), "nobody sends");
            })
        },
        |rx| {
            Box::pin(async {
                futures::select! {
                    _ = rx.next() => unreachable!("nobody sends"),
                    () = Box::pin(tokio::time::sleep(MOMENT)).fuse() => {}
                }
            })
        },
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        for (wait, capacity) in waits
            .into_iter()
            .flat_map(|wait| [0, 1, 16].map(|c| (wait, c)))
        {
            let (tx, mut rx) = bounded(capacity);
            wait(&mut rx).await;
            let workers = [(); 4].map(|()| {
                let rx = rx.clone();
                tokio::spawn(async move {
                    let mut received = Vec::new();
                    while let Ok(n) = rx.recv().await {
                        received.push(n);
                    }
                    received
                })
            });
            for n in 0..10 {
                tx.send(n).await.unwrap();
            }
            drop(tx);
            let workers = tokio::time::timeout(Duration::from_secs(20), join_all(workers)).await;
            let workers = workers.expect("each worker ends");
            let mut received = workers
                .into_iter()
                .flat_map(Result::unwrap)
                .collect::<Vec<_>>();
            received.sort_unstable();
            assert!(received.into_iter().eq(0..10));
        }
    });
}
