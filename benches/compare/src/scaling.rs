//! What a channel costs that nobody uses, and one that many wait for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use futures::FutureExt;

use crate::alloc::counted;
use crate::clock::Clock;
use crate::rival::{Rival, Sent};
use crate::runtime::Runtime;
use crate::standing::Times;
use crate::watchdog;

/// How many wait.
pub const LINES: [usize; 3] = [1_000, 10_000, 40_000];

/// How many of them are cancelled.
const CANCELLED: usize = 1_000;

/// What was found of a rival.
pub struct Scaling {
    pub name: &'static str,
    /// The bytes that a channel of capacity 1 has allocated.
    pub channel: i64,
    /// The bytes of the futures.
    pub send: usize,
    pub recv: usize,
    /// The bytes that one more of them allocates when it parks.
    pub parked_send: Option<f64>,
    pub parked_recv: Option<f64>,
    /// The time to cancel one of each of `LINES` and to park another.
    pub sends: [Times; LINES.len()],
    pub recvs: [Times; LINES.len()],
}

/// How to measure a rival.
pub struct Measure {
    pub name: &'static str,
    bytes: fn() -> Scaling,
    sends: fn(usize) -> Option<Line>,
    recvs: fn(usize) -> Option<Line>,
}

impl Measure {
    pub fn of<R: Rival>() -> Self {
        Self {
            name: R::NAME,
            bytes: bytes::<R>,
            sends: sends::<R>,
            recvs: recvs::<R>,
        }
    }
}

/// Measures all of them, round by round.
pub fn measure(rivals: &[Measure], rounds: usize) -> Vec<Scaling> {
    let mut found: Vec<_> = rivals.iter().map(|rival| (rival.bytes)()).collect();
    for round in 1..=rounds {
        eprintln!("scaling: round {round} of {rounds}");
        for (rival, found) in rivals.iter().zip(&mut found) {
            watchdog::runs(format!("{}, scaling", rival.name));
            for (index, many) in LINES.into_iter().enumerate() {
                let time = |line: Line| line.nanos;
                found.sends[index].extend((rival.sends)(many).map(time));
                found.recvs[index].extend((rival.recvs)(many).map(time));
            }
        }
    }
    watchdog::runs(None);
    found
}

fn bytes<R: Rival>() -> Scaling {
    let (channel, used) = counted(|| R::channel::<u64>(Some(1)));
    let (mut tx, mut rx) = channel.unwrap();
    let bytes = |line: Option<Line>| Some(line?.bytes);
    Scaling {
        name: R::NAME,
        channel: used.bytes,
        send: size_of_val(&R::send(&mut tx, 0)),
        recv: size_of_val(&R::recv(&mut rx)),
        parked_send: bytes(sends::<R>(LINES[0])),
        parked_recv: bytes(recvs::<R>(LINES[0])),
        sends: Default::default(),
        recvs: Default::default(),
    }
}

struct Line {
    bytes: f64,
    nanos: f64,
}

fn sends<R: Rival>(many: usize) -> Option<Line> {
    let (mut tx, _rx) = R::channel::<u64>(Some(1))?;
    let handles = (0..many + CANCELLED).map(|_| R::clone_tx(&tx));
    let mut handles: Vec<_> = handles.collect();
    let filled = R::send(&mut tx, 0).now_or_never();
    assert!(filled.is_some_and(|result| result.is_sent()));
    line(many, handles.iter_mut().map(|tx| R::send(tx, 0)))
}

fn recvs<R: Rival>(many: usize) -> Option<Line> {
    let (_tx, rx) = R::channel::<u64>(Some(1))?;
    let handles = (0..many + CANCELLED).map(|_| R::clone_rx(&rx));
    let mut handles = handles.collect::<Option<Vec<_>>>()?;
    line(many, handles.iter_mut().map(|rx| R::recv(rx)))
}

/// Parks `many` of the futures, then in place of one after the other, anywhere, one of the rest.
/// `None` if they do not park.
fn line<F: Future>(many: usize, mut futures: impl Iterator<Item = F>) -> Option<Line> {
    let park = |future: Pin<&mut F>| {
        let mut cx = Context::from_waker(Waker::noop());
        future.poll(&mut cx).is_pending()
    };
    let mut line: Vec<_> = futures.by_ref().take(many).map(Box::pin).collect();
    let (parked, used) = counted(|| line.iter_mut().all(|future| park(future.as_mut())));
    if !parked {
        return None;
    }
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    let clock = Clock::start(Runtime::Bare);
    let mut cancelled = 0;
    for future in futures {
        let place = &mut line[pick(&mut seed, many)];
        place.set(future);
        park(place.as_mut());
        cancelled += 1;
    }
    Some(Line {
        bytes: used.bytes as f64 / many as f64,
        nanos: clock.nanos() / f64::from(cancelled),
    })
}

/// Marsaglia's xorshift: which of many to pick.
fn pick(seed: &mut u64, many: usize) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed % many as u64) as usize
}
