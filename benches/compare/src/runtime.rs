//! What the tasks run on.

use std::future::pending;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use smol::Executor;

use crate::clock::Clock;
use crate::watch::{Report, Task};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// tokio with two workers.
    Tokio2,
    /// tokio on the current thread.
    Tokio1,
    /// smol with two threads.
    Smol2,
    /// A thread for each task, and calls that block.
    Threads,
    /// None: one task, which is polled until it is ready.
    Bare,
}

impl Runtime {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokio2 => "tokio-2",
            Self::Tokio1 => "tokio-1",
            Self::Smol2 => "smol-2",
            Self::Threads => "threads",
            Self::Bare => "bare",
        }
    }

    /// How many processors Go gets to be on a par.
    pub fn processors(self) -> Option<usize> {
        match self {
            Self::Tokio2 | Self::Smol2 => Some(2),
            Self::Tokio1 | Self::Bare => Some(1),
            Self::Threads => None,
        }
    }
}

pub struct Runtimes {
    tokio2: tokio::runtime::Runtime,
    tokio1: tokio::runtime::Runtime,
    smol2: &'static Executor<'static>,
}

impl Default for Runtimes {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtimes {
    pub fn new() -> Self {
        let smol2: &Executor<'_> = Box::leak(Box::default());
        for _ in 0..2 {
            thread::spawn(|| smol::block_on(smol2.run(pending::<()>())));
        }
        let tokio2 = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build();
        let tokio1 = tokio::runtime::Builder::new_current_thread().build();
        Self {
            tokio2: tokio2.unwrap(),
            tokio1: tokio1.unwrap(),
            smol2,
        }
    }

    /// Runs all tasks to their ends. Returns the nanoseconds that took too.
    pub fn run(&self, runtime: Runtime, tasks: Vec<Task>) -> (f64, Vec<Report>) {
        match runtime {
            Runtime::Tokio2 => self.tokio2.block_on(on_tokio(runtime, tasks)),
            Runtime::Tokio1 => self.tokio1.block_on(on_tokio(runtime, tasks)),
            Runtime::Smol2 => smol::future::block_on(async {
                let clock = Clock::start(runtime);
                let tasks: Vec<_> = tasks
                    .into_iter()
                    .map(|task| self.smol2.spawn(task))
                    .collect();
                let mut reports = Vec::with_capacity(tasks.len());
                for task in tasks {
                    reports.push(task.await);
                }
                (clock.nanos(), reports)
            }),
            Runtime::Threads => on_threads(tasks),
            Runtime::Bare => {
                let clock = Clock::start(runtime);
                let reports = tasks.into_iter().map(spin).collect();
                (clock.nanos(), reports)
            }
        }
    }
}

async fn on_tokio(runtime: Runtime, tasks: Vec<Task>) -> (f64, Vec<Report>) {
    let clock = Clock::start(runtime);
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut reports = Vec::with_capacity(tasks.len());
    for task in tasks {
        reports.push(task.await.unwrap());
    }
    (clock.nanos(), reports)
}

fn on_threads(tasks: Vec<Task>) -> (f64, Vec<Report>) {
    let barrier = &Barrier::new(tasks.len());
    thread::scope(|scope| {
        let run = |task| {
            scope.spawn(move || {
                barrier.wait();
                (Instant::now(), spin(task))
            })
        };
        let threads: Vec<_> = tasks.into_iter().map(run).collect();
        let ends = threads.into_iter().map(|thread| thread.join().unwrap());
        let (starts, reports): (Vec<_>, _) = ends.unzip();
        let time = starts.iter().min().unwrap().elapsed();
        (time.as_nanos() as f64, reports)
    })
}

/// Polls until it is ready, as by itself it is at once.
fn spin(mut task: Task) -> Report {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(report) = task.as_mut().poll(&mut cx) {
            return report;
        }
    }
    panic!("nobody wakes this task");
}
