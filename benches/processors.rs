//! What the lock of a channel would do on more processors than this machine has: computed, not measured.
//!
//! `cargo bench --bench processors` prints, for 2 to 64 processors that all use one channel, how many operations a
//! microsecond would serve, and the time of the slowest of a thousand operations over the fair share, which is what
//! each would take if all were served in turn. It follows single accesses to the cache line that the lock lies on.
//! They are served one after the other; one takes a nanosecond where the line is, and `FAR` if it is on another
//! processor. The waits are those of `src/lock.rs`, once with room for who asks, and once without.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Nanoseconds that a line takes from one processor to another: near, and far apart.
const FAR: [u64; 2] = [45, 200];
/// For how long the lock is held, and how long a pause takes.
const HELD: u64 = 15;
const PAUSE: u64 = 33;
/// The pauses of an executor's thread, before it asks for room and then; after them it yields a few times, and then
/// it sleeps.
const BACKOFF: [u64; 5] = [96, 256, 128, 256, 512];
const ASKS: usize = 2;
const YIELDING: usize = 8;
const YIELD: u64 = 500;
const SLEEP: u64 = 50_000;
/// For how long the machine is followed.
const TIME: u64 = 30_000_000;

/// What a processor does when its time comes.
#[derive(Clone, Copy)]
enum Next {
    /// Takes the lock at once, and tries twice.
    Begin {
        tries: u32,
    },
    /// Looks again, in this round of waiting and for the first or second time.
    Look {
        round: usize,
        again: bool,
    },
    Unlock,
}

struct Machine {
    far: u64,
    /// Whether a processor that has waited for long asks for room.
    room: bool,
    /// Where the line is, and until when it serves an earlier access.
    owner: usize,
    busy: u64,
    locked: bool,
    asked: bool,
}

impl Machine {
    /// The time at which an access that begins now is over.
    fn access(&mut self, now: u64, processor: usize) -> u64 {
        let cost = if self.owner == processor { 1 } else { self.far };
        self.owner = processor;
        self.busy = now.max(self.busy) + cost;
        self.busy
    }

    /// How long a thread stays away in this round.
    fn wait(round: usize) -> u64 {
        match BACKOFF.get(round) {
            Some(pauses) => pauses * PAUSE,
            None if round < BACKOFF.len() + YIELDING => YIELD,
            None => SLEEP,
        }
    }

    /// One step of a processor: when its next is due, and which that is. `None`: it has the lock.
    fn step(&mut self, now: u64, processor: usize, next: Next) -> (u64, Option<Next>) {
        let then = self.access(now, processor);
        match next {
            Next::Begin { tries } => match self.locked || (self.room && self.asked) {
                false => self.lock(then),
                true if tries == 1 => (then, Some(Next::Begin { tries: 2 })),
                true => (
                    then + Self::wait(0),
                    Some(Next::Look {
                        round: 1,
                        again: false,
                    }),
                ),
            },
            Next::Look { round, again } => {
                let asks = self.room && round >= ASKS;
                if !self.locked && (asks || !(self.room && self.asked)) {
                    self.asked = false;
                    return self.lock(then);
                }
                self.asked |= asks;
                match again {
                    false => (then + PAUSE, Some(Next::Look { round, again: true })),
                    true => {
                        let look = Next::Look {
                            round: round + 1,
                            again: false,
                        };
                        (then + Self::wait(round), Some(look))
                    }
                }
            }
            Next::Unlock => {
                self.locked = false;
                (then, None)
            }
        }
    }

    fn lock(&mut self, then: u64) -> (u64, Option<Next>) {
        self.locked = true;
        (then + HELD, Some(Next::Unlock))
    }
}

/// Operations in a microsecond, and the slowest of a thousand over the fair share.
fn run(processors: usize, far: u64, pause: u64, room: bool) -> (f64, f64) {
    let mut machine = Machine {
        far,
        room,
        owner: 0,
        busy: 0,
        locked: false,
        asked: false,
    };
    let mut random = fastrand::Rng::with_seed(7);
    let mut due: BinaryHeap<_> = (0..processors)
        .map(|processor| Reverse((random.u64(..1000), processor)))
        .collect();
    let mut next = vec![Next::Begin { tries: 1 }; processors];
    let mut begun = vec![None; processors];
    let mut times = Vec::new();
    while let Some(Reverse((now, processor))) = due.pop() {
        if now > TIME {
            break;
        }
        let since = *begun[processor].get_or_insert(now);
        let then = match machine.step(now, processor, next[processor]) {
            (then, Some(step)) => {
                next[processor] = step;
                then
            }
            (then, None) => {
                times.push(then - since);
                next[processor] = Next::Begin { tries: 1 };
                begun[processor] = None;
                // No two operations are quite alike.
                then + pause + random.u64(..20)
            }
        };
        due.push(Reverse((then, processor)));
    }
    times.sort_unstable();
    let slow = times[(times.len() - 1) * 999 / 1000] as f64;
    let fair = (TIME * processors as u64) as f64 / times.len() as f64;
    (times.len() as f64 * 1000.0 / TIME as f64, slow / fair)
}

fn main() {
    for far in FAR {
        for pause in [0, 200] {
            println!(
                "    {far} ns from one processor to another, {pause} ns between two operations"
            );
            for processors in [2, 4, 8, 16, 64] {
                let (with, slow) = run(processors, far, pause, true);
                let (without, slow_without) = run(processors, far, pause, false);
                println!(
                    "    {processors:>6} processors: {with:>6.2} operations in a µs, one of a thousand takes {slow:>6.1} fair shares; without room {without:>6.2}, {slow_without:>7.1}"
                );
            }
        }
    }
}
