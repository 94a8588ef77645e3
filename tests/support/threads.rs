//! Threads that play many short games, each at once; and wakers that take their time.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use std::env;
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::thread;

/// A number from the environment.
pub fn env_or(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(count) => count.parse().expect("a number"),
        Err(_) => default,
    }
}

/// The same threads play one game after the other, and begin each together. Returns, for each game,
/// what each thread has made of it.
pub fn play_all<'g, G: Sync, P: Send + 'g>(
    games: &'g [G],
    threads: usize,
    play: impl Fn(&'g G, usize) -> P + Sync,
) -> Vec<Vec<P>> {
    let gate = Gate {
        threads,
        arrived: AtomicUsize::new(0),
    };
    let play_each = |thread: usize| {
        let _guard = LetOthersPass(&gate);
        let rounds = (1..).zip(games).map(|(round, game)| {
            gate.pass(round);
            play(game, thread)
        });
        rounds.collect::<Vec<_>>()
    };
    let mut played: Vec<_> = thread::scope(|scope| {
        let play_each = &play_each;
        let handles: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || play_each(thread)))
            .collect();
        let joined = handles.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .map(|played| played.expect("no panic").into_iter())
            .collect()
    });
    let of_game = |_| played.iter_mut().filter_map(Iterator::next).collect();
    games.iter().map(of_game).collect()
}

/// Where threads wait for each other.
struct Gate {
    threads: usize,
    arrived: AtomicUsize,
}

impl Gate {
    fn pass(&self, round: usize) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let mut spins = 0;
        while self.arrived.load(Ordering::SeqCst) < round * self.threads {
            match spins {
                0..50 => hint::spin_loop(),
                _ => thread::yield_now(),
            }
            spins += 1;
        }
    }
}

/// A thread that panics keeps nobody waiting.
struct LetOthersPass<'a>(&'a Gate);

impl Drop for LetOthersPass<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.arrived.store(usize::MAX / 2, Ordering::SeqCst);
        }
    }
}

/// Loses some time, or the processor, or nothing.
pub fn dawdle() {
    match fastrand::u8(..) {
        0..24 => thread::yield_now(),
        24..120 => (0..fastrand::u32(..100)).for_each(|_| hint::spin_loop()),
        _ => {}
    }
}

/// Counts how often it is woken, and takes its time over that, in the middle of the waking call.
#[derive(Default)]
pub struct Bell(AtomicUsize);

impl Bell {
    pub fn rings(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        dawdle();
        self.0.fetch_add(1, Ordering::SeqCst);
        dawdle();
    }
}
