//! What must not cost more because of others: an operation is timed beside few of them and beside many,
//! where it may take so many times as long.
//!
//! `corners --check` fails if one takes longer. Without `--check` each runs for a moment beside a hundredth
//! of the others, to see that it works. `corners CASE` runs one of them.

#![allow(unsafe_code, reason = "an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::env;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::ptr;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hchan::{Receiver, RecvFuture, Select, bounded};

/// An allocator that takes the same short time whatever was freed before, as the system's does not: by sizes
/// that are powers of two, it keeps for each thread what is free.
struct Keeping;

#[global_allocator]
static ALLOCATOR: Keeping = Keeping;

thread_local! {
    /// Of each size the block that was freed last; it says which was before it.
    static FREE: [Cell<*mut u8>; 64] = const { [const { Cell::new(ptr::null_mut()) }; 64] };
}

/// The block that serves a layout. Blocks of a size are alike.
fn block(layout: Layout) -> Layout {
    let size = layout.size().max(layout.align()).max(16);
    let size = size.next_power_of_two();
    Layout::from_size_align(size, size.min(4096)).expect("a size that was asked for")
}

// SAFETY: a block is as large as was asked for, and in use by nobody else; nothing here allocates or unwinds.
unsafe impl GlobalAlloc for Keeping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        assert!(layout.align() <= 4096);
        let block = block(layout);
        FREE.with(|free| {
            let last = &free[block.size().ilog2() as usize];
            if last.get().is_null() {
                // SAFETY: its size is not zero.
                return unsafe { System.alloc(block) };
            }
            // SAFETY: a free block is ours, and says which was freed before it.
            last.replace(unsafe { last.get().cast::<*mut u8>().read() })
        })
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        FREE.with(|free| {
            let last = &free[block(layout).size().ilog2() as usize];
            // SAFETY: it is ours again, and has room for a pointer.
            unsafe { ptr.cast::<*mut u8>().write(last.get()) };
            last.set(ptr);
        });
    }
}

struct Case {
    name: &'static str,
    others: [usize; 2],
    /// How long one operation takes beside so many, in nanoseconds: what is compared of few, and of many.
    time: [fn(usize) -> f64; 2],
    /// How many times as long it may take.
    most: f64,
}

const fn case(name: &'static str, most: f64, others: [usize; 2], time: fn(usize) -> f64) -> Case {
    Case {
        name,
        others,
        time: [time; 2],
        most,
    }
}

/// How long the lock is held: by an ordinary operation beside few, by any at all beside many.
macro_rules! hold {
    ($name:literal, $times:ident) => {
        Case {
            name: $name,
            others: [1000, 4_000_000],
            time: [|n| $times(n).ordinary(), |n| $times(n).longest()],
            most: 20.0,
        }
    };
}

// Memory that is in no cache makes most of them ten times as slow; what is quadratic is slower by far.
const CASES: [Case; 10] = [
    hold!("park", parks),
    hold!("serve", serves),
    hold!("claim", claims),
    hold!("cancel", cancels),
    case("put-back", 40.0, [1000, 300_000], put_back),
    case("select-one", 40.0, [512, 65_536], select_one),
    case("select-many", 40.0, [512, 65_536], select_many),
    case("try-recv", 3.0, [1000, 1_000_000], try_recv),
    case("try-send", 3.0, [1000, 1_000_000], try_send),
    case("reserve", 20.0, [100, 8000], reserve),
];

/// How often an operation is timed, for the shortest time counts: others use the machine as well.
const RUNS: usize = 3;

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future, which has to park.
fn park<F: Future + Unpin>(mut future: F) -> F {
    assert!(poll(&mut future).is_pending());
    future
}

fn crowd(rx: &Receiver<u64>, n: usize) -> Vec<RecvFuture<'_, u64>> {
    (0..n).map(|_| park(rx.recv())).collect()
}

/// The nanoseconds that this takes for each of `n`.
fn timed(n: usize, work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_nanos() as f64 / n as f64
}

/// The times of operations one after the other, each the shortest of several runs.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    /// `run` calls `each` once, and so does the same operations each time.
    fn of(mut run: impl FnMut(&mut Self)) -> Self {
        let mut times = Self::default();
        (0..RUNS).for_each(|_| run(&mut times));
        times
    }

    fn each(&mut self, n: usize, mut operation: impl FnMut(u64)) {
        self.0.resize(n, Duration::MAX);
        let mut begun = Instant::now();
        for (n, shortest) in (0..).zip(&mut self.0) {
            operation(n);
            let now = Instant::now();
            *shortest = (now - begun).min(*shortest);
            begun = now;
        }
    }

    fn ordinary(mut self) -> f64 {
        let middle = self.0.len() / 2;
        self.0.select_nth_unstable(middle).1.as_nanos() as f64
    }

    /// Of all but the first few, which find nothing in the caches.
    fn longest(self) -> f64 {
        self.0
            .into_iter()
            .skip(16)
            .max()
            .unwrap_or_default()
            .as_nanos() as f64
    }
}

fn parks(n: usize) -> Times {
    Times::of(|times| {
        let (_tx, rx) = bounded::<u64>(0);
        let mut parked = Vec::with_capacity(n);
        times.each(n, |_| parked.push(park(rx.recv())));
    })
}

fn serves(n: usize) -> Times {
    Times::of(|times| {
        let (tx, rx) = bounded(0);
        let _parked = crowd(&rx, n);
        times.each(n, |n| tx.try_send(n).unwrap());
    })
}

fn claims(n: usize) -> Times {
    Times::of(|times| {
        let (tx, rx) = bounded(0);
        let mut handed = crowd(&rx, n);
        (0..).take(n).for_each(|n| tx.try_send(n).unwrap());
        times.each(n, |n| {
            assert_eq!(poll(&mut handed[n as usize]), Poll::Ready(Ok(n)));
        });
    })
}

/// First come, first gone, while a few stay.
fn cancels(n: usize) -> Times {
    Times::of(|times| {
        let (_tx, rx) = bounded(0);
        let _idle = crowd(&rx, 16);
        let mut parked = crowd(&rx, n).into_iter();
        times.each(n, |_| drop(parked.next()));
    })
}

/// Drops handed receives in random order.
fn put_back(n: usize) -> f64 {
    let (tx, rx) = bounded(0);
    let mut handed = crowd(&rx, n);
    (0..).take(n).for_each(|n| tx.try_send(n).unwrap());
    fastrand::Rng::with_seed(1).shuffle(&mut handed);
    let time = timed(n, || drop(handed));
    assert!(rx.try_iter().eq((0..).take(n)));
    time
}

/// Arms of both directions on one channel whose slot is a permit.
fn select_one(n: usize) -> f64 {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    timed(n, || {
        let mut select = Select::new();
        for _ in 0..n / 2 {
            select = select.recv(&rx, |_| true).send(&tx, 1, |_| false);
        }
        let mut select = park(select);
        assert!(poll(&mut select).is_pending());
        permit.send(2).unwrap();
        assert_eq!(poll(&mut select), Poll::Ready(true));
    })
}

/// Arms on as many channels, each with a permit out.
fn select_many(n: usize) -> f64 {
    let channels: Vec<_> = (0..n).map(|_| bounded::<u64>(1)).collect();
    let mut permits: Vec<_> = channels
        .iter()
        .map(|(tx, _)| tx.try_reserve().unwrap())
        .collect();
    timed(n, || {
        let mut select = Select::new();
        for (_, rx) in &channels {
            select = select.recv(rx, |value| value);
        }
        let mut select = park(select);
        assert!(poll(&mut select).is_pending());
        permits.swap_remove(n / 2).send(2).unwrap();
        assert_eq!(poll(&mut select), Poll::Ready(Ok(2)));
    })
}

/// The shortest of many times.
fn shortest(mut work: impl FnMut()) -> f64 {
    (0..100)
        .map(|_| timed(1, &mut work))
        .fold(f64::MAX, f64::min)
}

/// Finds nothing, and then a send, while reservations wait for the only slot.
fn try_recv(n: usize) -> f64 {
    let (tx, rx) = bounded(1);
    let _permit = tx.try_reserve().unwrap();
    let _parked: Vec<_> = (0..n).map(|_| park(tx.reserve())).collect();
    shortest(|| {
        assert!(rx.try_recv().is_err());
        let mut send = park(tx.send(1));
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(poll(&mut send).is_ready());
    })
}

/// Finds a slot, and then none, while all others are permits.
fn try_send(n: usize) -> f64 {
    let (tx, rx) = bounded(n + 1);
    let _permits: Vec<_> = (0..n).map(|_| tx.try_reserve().unwrap()).collect();
    shortest(|| {
        assert!(tx.try_send(1).is_ok());
        assert!(tx.try_send(2).is_err());
        assert_eq!(rx.try_recv(), Ok(1));
    })
}

/// Reservations come and go.
fn reserve(n: usize) -> f64 {
    let (tx, _rx) = bounded::<u64>(1);
    let _permit = tx.try_reserve().unwrap();
    timed(n, || {
        drop((0..n).map(|_| park(tx.reserve())).collect::<Vec<_>>())
    })
}

/// Runs a case beside so many times fewer others, and says whether it kept within its bound.
fn run(case: &Case, fewer: usize) -> bool {
    let [few, many] = case.others.map(|n| n / fewer);
    let [beside_few, beside_many] = case.time;
    let short = (0..100).map(|_| beside_few(few)).fold(f64::MAX, f64::min);
    let mut long = f64::MAX;
    for _ in 0..RUNS {
        long = long.min(beside_many(many));
        if long <= case.most * short {
            break;
        }
    }
    let ratio = long / short;
    println!(
        "    {:<12} {short:>4.0} ns beside {few:>4}, {long:>8.0} ns beside {many:>7}: {ratio:.1}x of {}x{}",
        case.name,
        case.most,
        if ratio <= case.most { "" } else { "  OVER" },
    );
    ratio <= case.most
}

fn main() -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    let check = args.iter().any(|arg| arg == "--check");
    let wanted = args.iter().find(|arg| !arg.starts_with("--"));
    let mut is_well = true;
    for case in CASES {
        if wanted.is_none_or(|wanted| wanted == case.name) {
            is_well &= run(&case, if check { 1 } else { 100 });
        }
    }
    match is_well || !check {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
