//! How long a thread waits for its turn at a channel that others use without a pause.
//!
//! `cargo bench --bench turns` prints, for one and for two threads that send and receive without a pause, how long
//! the looks of another thread take that looks now and then: beside the same with a queue behind `std`'s mutex.
//! With `--check` it fails if, beside one such thread, 99.9 % of the looks take longer than 3 ms, or than
//! four times the mutex's, whichever is more. The figures need two processors that do nothing else.

use std::collections::VecDeque;
use std::env;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hchan::{Receiver, Sender, bounded};

/// For how long each case runs.
const TIME: Duration = Duration::from_millis(1500);
/// About how long the thread that looks waits between two looks.
const PAUSE: Duration = Duration::from_micros(20);
/// How often a case is tried at most.
const RUNS: usize = 3;
const MOST: Duration = Duration::from_millis(3);

/// What is looked at, and used without a pause.
trait Queue: Sync {
    fn work(&self);
    fn look(&self);
}

struct Channel(Sender<u64>, Receiver<u64>);

impl Queue for Channel {
    fn work(&self) {
        let _full = self.0.try_send(1);
        let _empty = self.1.try_recv();
    }

    fn look(&self) {
        let _empty = self.1.try_recv();
    }
}

struct Locked(Mutex<VecDeque<u64>>);

impl Locked {
    fn push(&self) {
        let mut queue = self.0.lock().expect("nothing here panics");
        if queue.len() < 16 {
            queue.push_back(1);
        }
    }

    fn pop(&self) -> Option<u64> {
        self.0.lock().expect("nothing here panics").pop_front()
    }
}

impl Queue for Locked {
    fn work(&self) {
        self.push();
        self.pop();
    }

    fn look(&self) {
        self.pop();
    }
}

/// A thread that waits on channels backs off for a shorter time.
fn block_once() {
    let (_tx, rx) = bounded::<()>(1);
    let waited = rx.recv_blocking_timeout(Duration::from_micros(1));
    assert!(waited.is_err());
}

/// The time of each look, shortest first.
fn looks(queue: &impl Queue, workers: usize, block: bool) -> Vec<Duration> {
    let (stop, begin) = (AtomicBool::new(false), Instant::now());
    let mut times = thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                if block {
                    block_once();
                }
                while !stop.load(Ordering::Relaxed) {
                    queue.work();
                }
            });
        }
        let looker = scope.spawn(|| {
            if block {
                block_once();
            }
            let mut times = Vec::with_capacity(200_000);
            while begin.elapsed() < TIME {
                let pause = Instant::now();
                while pause.elapsed() < PAUSE {
                    std::hint::spin_loop();
                }
                let look = Instant::now();
                queue.look();
                times.push(look.elapsed());
            }
            stop.store(true, Ordering::Relaxed);
            times
        });
        looker.join().expect("nothing here panics")
    });
    times.sort_unstable();
    times
}

/// Prints how long the looks took, and returns the time within which 99.9 % of them were done.
fn show(name: &str, workers: usize, block: bool, times: &[Duration]) -> Duration {
    let within = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let micros = |time: Duration| time.as_nanos() as f64 / 1000.0;
    println!(
        "    {workers} that work, {}, {name:<11}: half of the looks within {:>6.2} µs, 99 % {:>7.2}, 99.9 % {:>8.2}, all {:>9.1}",
        if block { "blocking" } else { "polling " },
        micros(within(0.5)),
        micros(within(0.99)),
        micros(within(0.999)),
        micros(within(1.0)),
    );
    within(0.999)
}

fn main() -> ExitCode {
    let check = env::args().any(|arg| arg == "--check");
    let mut is_well = true;
    for workers in [1, 2] {
        for block in [false, true] {
            // Once more, if it was other work on the machine.
            is_well &= (0..RUNS).any(|_| {
                let (tx, rx) = bounded(16);
                let ours = looks(&Channel(tx, rx), workers, block);
                let ours = show("hchan", workers, block, &ours);
                let mutex = looks(&Locked(Mutex::default()), workers, block);
                let mutex = show("std's mutex", workers, block, &mutex);
                workers > 1 || ours <= MOST.max(4 * mutex)
            });
        }
    }
    match is_well || !check {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
