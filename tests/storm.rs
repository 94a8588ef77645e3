//! A storm of cancellations: futures that wait, or were served already, are dropped all the time, and
//! still nothing is lost, comes twice, is stuck or overtaken.
//!
//! Four threads start sends, receives, bursts, selects and waits on handles, borrowed and owned, lease values and
//! hold slots, poll all that by hand, and drop it, or use the handles for something else, at random moments.
//! Every so often all stop, and then
//!
//! - each future that was woken is ready, and no other one is: nobody is stranded, nobody is woken without cause;
//! - every operation that still waits cannot proceed;
//! - each value that was ever made has met its one fate: it was received, came back from `cancel` or
//!   from a channel that was closed, or was dropped with its own send. A value that is dropped anywhere
//!   else is lost;
//! - a value whose send was said to be done was received, however often it was leased before;
//! - nothing is received after anybody was told that the channel is closed;
//! - one that receives alone, cancelling or not, gets each sender's values in their order; several who
//!   never cancel do, too.
//!
//! In another storm one thread leases what three send, and drops most leases, in any order.
//!
//! `HCHAN_CANCELS` says how many cancellations there are, `HCHAN_LEASES` how many leases are dropped in the other
//! storm, and `HCHAN_SEED` which game comes first.
#![cfg(feature = "std")]

#[path = "support/threads.rs"]
mod threads;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::ops::AddAssign;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::thread;

use fastrand::Rng;
use hchan::{
    Lease, LeaseFuture, OwnedPermit, Receiver, RecvError, RecvFuture, RecvOwnedFuture, RecvSet,
    Select, SendError, SendFuture, SendOwnedFuture, Sender, TryRecvError, TrySendError,
};

use self::threads::{Bell, dawdle, env_or, play_all};

// Values and their fates.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Fate {
    Unmade,
    /// Somewhere between its maker and its receiver.
    OnItsWay,
    Received,
    /// Came back from a cancelled or refused send.
    CameBack,
    /// Dropped with its send.
    Cancelled,
    Lost,
}

const FATES: [Fate; 6] = [
    Fate::Unmade,
    Fate::OnItsWay,
    Fate::Received,
    Fate::CameBack,
    Fate::Cancelled,
    Fate::Lost,
];

/// The fate of each value.
struct Ledger(Vec<AtomicU8>);

impl Ledger {
    fn new(values: usize) -> Self {
        Self((0..values).map(|_| AtomicU8::new(0)).collect())
    }

    fn fate(&self, id: usize) -> Fate {
        FATES[usize::from(self.0[id].load(Ordering::SeqCst))]
    }

    /// Each value meets each of its two turns once.
    fn turn(&self, id: usize, from: Fate, to: Fate) {
        let was = self.0[id].swap(to as u8, Ordering::SeqCst);
        assert_eq!(
            FATES[usize::from(was)],
            from,
            "value {id} comes to {to:?} twice"
        );
    }
}

/// A value, which notes its fate when it is dropped.
struct Value {
    id: usize,
    fate: Fate,
    ledger: Arc<Ledger>,
}

impl Value {
    fn new(id: usize, ledger: &Arc<Ledger>) -> Self {
        ledger.turn(id, Fate::Unmade, Fate::OnItsWay);
        Self {
            id,
            fate: Fate::Lost,
            ledger: ledger.clone(),
        }
    }

    fn meets(mut self, fate: Fate) -> usize {
        self.fate = fate;
        self.id
    }
}

thread_local! {
    /// The values that may be dropped by what this thread does now.
    static MAY_DROP: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Value {
    fn drop(&mut self) {
        let is_cancelled = || MAY_DROP.with_borrow(|may_drop| may_drop.contains(&self.id));
        let fate = match self.fate {
            Fate::Lost if is_cancelled() => Fate::Cancelled,
            fate => fate,
        };
        self.ledger.turn(self.id, Fate::OnItsWay, fate);
    }
}

// Who does what.

/// The parts of the four threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    /// All do everything, and have several futures at once.
    Free,
    /// Three send and one receives, each with one future at a time.
    OneReceives,
    /// Two send, and two receive and never cancel, each with one future at a time.
    SendersCancel,
}

const THREADS: usize = 4;

/// How many steps a thread takes in one game.
const STEPS: usize = 200;

/// How many values a thread makes in one game at most: one for each arm of a select.
const VALUES: usize = 2 * STEPS;

/// How many futures a thread of a free cast has at most.
const AT_ONCE: usize = 6;

type Handles = (Sender<Value>, Receiver<Value>);

struct Game {
    cast: Cast,
    /// Plain operations are on the first channel, selects on both.
    chans: [Handles; 2],
    selects: bool,
    /// Whether somebody closes the first channel.
    closes: bool,
    /// Which channels somebody was told are closed for good.
    over: [AtomicBool; 2],
    ledger: Arc<Ledger>,
    seed: u64,
}

impl Game {
    fn new(cast: Cast, capacity: Option<usize>, selects: bool, seed: u64) -> Self {
        let chan = || capacity.map_or_else(hchan::unbounded, hchan::bounded);
        Self {
            cast,
            chans: [chan(), chan()],
            selects,
            closes: cast == Cast::Free && seed % 4 == 0,
            over: Default::default(),
            ledger: Arc::new(Ledger::new(THREADS * VALUES)),
            seed,
        }
    }

    /// Which channels nothing may come from any more.
    fn over(&self) -> [bool; 2] {
        self.over.each_ref().map(|over| over.load(Ordering::SeqCst))
    }

    /// The thread that made a value.
    fn maker(id: usize) -> usize {
        id / VALUES
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Send,
    Recv,
    Burst,
    Handle,
    Select,
    Owned,
    Lease,
    Slot,
    Any,
}

const KINDS: [Kind; 9] = [
    Kind::Send,
    Kind::Recv,
    Kind::Burst,
    Kind::Handle,
    Kind::Select,
    Kind::Owned,
    Kind::Lease,
    Kind::Slot,
    Kind::Any,
];

enum Subject<'g> {
    Send(SendFuture<'g, Value>),
    Recv(RecvFuture<'g, Value>),
    /// `send_many` or `recv_many`.
    Burst(Pin<Box<dyn Future<Output = Done> + Send + 'g>>),
    /// A receiver that stands in line itself.
    Handle(Receiver<Value>),
    Select(Select<'g, Done>),
    SendOwned(SendOwnedFuture<Value>),
    RecvOwned(RecvOwnedFuture<Value>),
    /// Has the lease, once it is ready, and at the next poll takes the value.
    Lease(LeaseFuture<'g, Value>, Option<Lease<'g, Value>>),
    /// A sender that waits for a slot itself, and sends at the next poll.
    Slot {
        handle: Sender<Value>,
        permit: Option<OwnedPermit<Value>>,
        value: Option<Value>,
    },
    /// `recv_any`, or a set of receivers.
    Any(Pin<Box<dyn Future<Output = Done> + Send + 'g>>),
}

/// On which channel something took place, and what.
type Done = (usize, Outcome);

enum Outcome {
    Sent,
    /// What was not sent.
    Refused(Vec<Value>),
    Received(Vec<Value>),
    Over,
}

fn sent(said: Result<(), SendError<Value>>) -> Outcome {
    match said {
        Ok(()) => Outcome::Sent,
        Err(SendError(value)) => Outcome::Refused(vec![value]),
    }
}

fn received(said: Result<Value, RecvError>) -> Outcome {
    match said {
        Ok(value) => Outcome::Received(vec![value]),
        Err(RecvError) => Outcome::Over,
    }
}

async fn send_many(tx: &Sender<Value>, mut values: VecDeque<Value>) -> Done {
    match tx.send_many(&mut values).await {
        Ok(()) => (0, Outcome::Sent),
        Err(SendError(())) => (0, Outcome::Refused(values.into())),
    }
}

async fn recv_many(rx: &Receiver<Value>) -> Done {
    let mut values = Vec::new();
    match rx.recv_many(&mut values, 3).await {
        Ok(_) => (0, Outcome::Received(values)),
        Err(RecvError) => (0, Outcome::Over),
    }
}

async fn recv_any(rxs: [&Receiver<Value>; 2]) -> Done {
    let (c, said) = hchan::recv_any(rxs).await;
    (c, received(said))
}

async fn recv_from_set(mut set: RecvSet<Value>) -> Done {
    let (c, said) = set.next().await;
    (c, received(said))
}

/// A future that was polled and had to wait, or what it has got and must still use.
struct Live<'g> {
    subject: Subject<'g>,
    bell: Arc<Bell>,
    /// The values that it is to send, each with its channel.
    sends: Vec<(usize, usize)>,
}

impl Live<'_> {
    fn poll(&mut self) -> Poll<Done> {
        let waker = Waker::from(self.bell.clone());
        let cx = &mut Context::from_waker(&waker);
        match &mut self.subject {
            Subject::Send(future) => Pin::new(future).poll(cx).map(|said| (0, sent(said))),
            Subject::Recv(future) => Pin::new(future).poll(cx).map(|said| (0, received(said))),
            Subject::Burst(future) => future.as_mut().poll(cx),
            Subject::Handle(handle) => handle.poll_recv(cx).map(|said| (0, received(said))),
            Subject::Select(future) => Pin::new(future).poll(cx),
            Subject::SendOwned(future) => Pin::new(future).poll(cx).map(|said| (0, sent(said))),
            Subject::RecvOwned(future) => Pin::new(future).poll(cx).map(|said| (0, received(said))),
            Subject::Lease(future, lease) => {
                if let Some(lease) = lease.take() {
                    return Poll::Ready((0, Outcome::Received(vec![lease.take()])));
                }
                match ready!(Pin::new(future).poll(cx)) {
                    Ok(leased) => *lease = Some(leased),
                    Err(RecvError) => return Poll::Ready((0, Outcome::Over)),
                }
                Poll::Pending
            }
            Subject::Slot {
                handle,
                permit,
                value,
            } => {
                if let Some(permit) = permit.take() {
                    let said = value.take().map(|value| permit.send(value).map(drop));
                    return Poll::Ready((0, said.map_or(Outcome::Sent, sent)));
                }
                match ready!(handle.poll_reserve(cx)) {
                    Ok(reserved) => *permit = Some(reserved),
                    Err(SendError(())) => {
                        return Poll::Ready((0, Outcome::Refused(Vec::from_iter(value.take()))));
                    }
                }
                Poll::Pending
            }
            Subject::Any(future) => future.as_mut().poll(cx),
        }
    }

    fn kind(&self) -> Kind {
        match self.subject {
            Subject::Send(_) => Kind::Send,
            Subject::Recv(_) => Kind::Recv,
            Subject::Burst(_) => Kind::Burst,
            Subject::Handle(_) => Kind::Handle,
            Subject::Select(_) => Kind::Select,
            Subject::SendOwned(_) | Subject::RecvOwned(_) => Kind::Owned,
            Subject::Lease(..) => Kind::Lease,
            Subject::Slot { .. } => Kind::Slot,
            Subject::Any(_) => Kind::Any,
        }
    }

    /// Whether it has a lease or a slot.
    fn holds(&self) -> bool {
        matches!(
            self.subject,
            Subject::Lease(_, Some(_))
                | Subject::Slot {
                    permit: Some(_),
                    ..
                }
        )
    }

    /// Whether it may have to wait again for its next value.
    fn goes_on(&self) -> bool {
        self.kind() == Kind::Burst && self.sends.len() > 1
    }

    /// Whether it was woken, or has what others may wait for.
    fn was_served(&self) -> bool {
        self.bell.rings() > 0 || self.holds()
    }
}

/// One thread in one game, and what it has seen.
struct Player<'g> {
    game: &'g Game,
    thread: usize,
    rng: Rng,
    live: Vec<Live<'g>>,
    made: usize,
    /// The channel and number of each value that it received.
    received: Vec<(usize, usize)>,
    /// The values that were said to be sent.
    sent: Vec<usize>,
    /// Of each future that it cancelled: what it was, and what tells whether it had been served.
    cancelled: Vec<(Kind, Arc<Bell>)>,
    /// How many leases it dropped.
    leases: usize,
}

impl<'g> Player<'g> {
    fn new(game: &'g Game, thread: usize) -> Self {
        Self {
            game,
            thread,
            rng: Rng::with_seed(game.seed * 8 + thread as u64),
            live: Vec::new(),
            made: 0,
            received: Vec::new(),
            sent: Vec::new(),
            cancelled: Vec::new(),
            leases: 0,
        }
    }

    fn play(mut self) -> Self {
        for step in 0..STEPS {
            dawdle();
            if self.game.closes && self.thread == 0 && step == STEPS / 2 {
                self.game.chans[0].0.close();
            }
            self.step();
        }
        self
    }

    fn step(&mut self) {
        let at_once = match self.game.cast {
            Cast::Free => AT_ONCE,
            Cast::OneReceives | Cast::SendersCancel => 1,
        };
        if self.live.len() < at_once && (self.live.is_empty() || self.rng.bool()) {
            self.start();
            return;
        }
        let k = self.rng.usize(..self.live.len());
        match self.rng.bool() && self.may_cancel() {
            true => self.cancel(k),
            false => self.poll(k),
        }
    }

    fn may_cancel(&self) -> bool {
        self.game.cast != Cast::SendersCancel || self.sends()
    }

    /// Whether it sends now.
    fn sends(&self) -> bool {
        match self.game.cast {
            // On a channel without a limit only receivers wait, and only while they are more.
            Cast::Free => fastrand::u8(..8) < 3,
            Cast::OneReceives => self.thread > 0,
            Cast::SendersCancel => self.thread > 1,
        }
    }

    fn value(&mut self) -> Value {
        self.made += 1;
        Value::new(self.thread * VALUES + self.made - 1, &self.game.ledger)
    }

    /// Makes a future and polls it.
    fn start(&mut self) {
        let [(tx, rx), (_, other)] = &self.game.chans;
        let mut sends = Vec::new();
        let is_select = self.game.selects && self.rng.u8(..3) > 0;
        let subject = match (is_select, self.sends(), self.rng.u8(..8)) {
            (true, false, 0 | 1) => Subject::Any(Box::pin(recv_any([rx, other]))),
            (true, false, 2) => {
                let set = RecvSet::from_iter([rx.clone(), other.clone()]);
                Subject::Any(Box::pin(recv_from_set(set)))
            }
            (true, ..) => Subject::Select(self.select(&mut sends)),
            (_, true, 0 | 1) => {
                let values: VecDeque<_> = [(); 2].map(|()| self.value()).into();
                sends.extend(values.iter().map(|value| (0, value.id)));
                Subject::Burst(Box::pin(send_many(tx, values)))
            }
            (_, true, number) => {
                let value = self.value();
                sends.push((0, value.id));
                match number {
                    2 | 3 => Subject::SendOwned(tx.clone().send_owned(value)),
                    4 | 5 if tx.capacity() != Some(0) => Subject::Slot {
                        handle: tx.clone(),
                        permit: None,
                        value: Some(value),
                    },
                    _ => Subject::Send(tx.send(value)),
                }
            }
            (_, false, 0) => Subject::Burst(Box::pin(recv_many(rx))),
            (_, false, 1 | 2) => Subject::Handle(rx.clone()),
            (_, false, 3) => Subject::RecvOwned(rx.clone().recv_owned()),
            (_, false, 4) => Subject::Recv(rx.recv()),
            (_, false, 5) => Subject::Lease(rx.lease(), rx.try_lease().ok()),
            (_, false, _) => Subject::Lease(rx.lease(), None),
        };
        self.live.push(Live {
            subject,
            bell: Arc::default(),
            sends,
        });
        if !self.live.last().is_some_and(Live::holds) {
            self.poll(self.live.len() - 1);
        }
    }

    /// One arm on each channel.
    fn select(&mut self, sends: &mut Vec<(usize, usize)>) -> Select<'g, Done> {
        let mut select = Select::new();
        for (c, (tx, rx)) in self.game.chans.iter().enumerate() {
            if self.sends() {
                let value = self.value();
                sends.push((c, value.id));
                select = select.send(tx, value, move |said| (c, sent(said)));
            } else {
                select = select.recv(rx, move |said| (c, received(said)));
            }
        }
        select
    }

    fn poll(&mut self, k: usize) {
        let over = self.game.over();
        let live = &mut self.live[k];
        if live.was_served() && live.goes_on() {
            live.bell = Arc::default();
        }
        if let Poll::Ready((c, outcome)) = may_drop(&live.sends.clone(), || live.poll()) {
            let Live { sends, .. } = self.live.remove(k);
            let mut sent: Vec<_> = sends.into_iter().filter(|&(on, _)| on == c).collect();
            match outcome {
                Outcome::Sent => {}
                Outcome::Refused(values) => {
                    for value in values {
                        sent.retain(|&(_, id)| id != value.id);
                        value.meets(Fate::CameBack);
                    }
                }
                Outcome::Received(values) => {
                    assert!(!over[c], "closed is final");
                    sent.clear();
                    values.into_iter().for_each(|value| self.receive(c, value));
                }
                Outcome::Over => {
                    sent.clear();
                    self.game.over[c].store(true, Ordering::SeqCst);
                }
            }
            self.sent.extend(sent.into_iter().map(|(_, id)| id));
        }
    }

    fn receive(&mut self, c: usize, value: Value) {
        self.received.push((c, value.meets(Fate::Received)));
    }

    /// Drops a future and what it has got, or takes its value back first; a handle may be used for something else
    /// before.
    fn cancel(&mut self, k: usize) {
        let over = self.game.over();
        let mut live = self.live.swap_remove(k);
        match (live.kind(), live.holds()) {
            (Kind::Lease, true) => self.leases += 1,
            (kind, _) => self.cancelled.push((kind, live.bell.clone())),
        }
        if self.rng.bool() {
            match &mut live.subject {
                Subject::Send(send) => self.unsent(send.cancel(), live.sends[0].1),
                Subject::SendOwned(send) => self.unsent(send.cancel(), live.sends[0].1),
                Subject::Recv(recv) => self.got(recv.cancel().ok_or(TryRecvError::Empty), over),
                Subject::RecvOwned(recv) => {
                    self.got(recv.cancel().ok_or(TryRecvError::Empty), over);
                }
                Subject::Handle(handle) => self.got(handle.try_recv(), over),
                Subject::Slot { handle, value, .. } => {
                    let sent = value.take().map(|value| handle.try_send(value));
                    let unsent = sent.and_then(Result::err).map(TrySendError::into_inner);
                    self.unsent(unsent, live.sends[0].1);
                }
                _ => {}
            }
        }
        may_drop(&live.sends, || drop(live.subject));
    }

    /// A send that was given up has left this.
    fn unsent(&mut self, value: Option<Value>, id: usize) {
        match value {
            Some(value) => drop(value.meets(Fate::CameBack)),
            None => self.sent.push(id),
        }
    }

    /// A receive that was given up, or made at once, has got this.
    fn got(&mut self, said: Result<Value, TryRecvError>, over: [bool; 2]) {
        match said {
            Ok(value) => {
                assert!(!over[0], "closed is final");
                self.receive(0, value);
            }
            Err(TryRecvError::Closed) => self.game.over[0].store(true, Ordering::SeqCst),
            Err(TryRecvError::Empty) => {}
        }
    }
}

/// Does what may drop these values.
fn may_drop<R>(values: &[(usize, usize)], does: impl FnOnce() -> R) -> R {
    let ids = values.iter().map(|&(_, id)| id);
    MAY_DROP.with_borrow_mut(|may_drop| may_drop.extend(ids));
    let result = does();
    MAY_DROP.with_borrow_mut(Vec::clear);
    result
}

// When all have stopped.

/// How many futures were cancelled while they waited, and how many after they had been served.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    parked: [usize; KINDS.len()],
    served: [usize; KINDS.len()],
    /// How many leases were dropped.
    leases: usize,
    received: usize,
}

impl Tally {
    fn cancels(&self) -> usize {
        self.parked.iter().chain(&self.served).sum()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for kind in KINDS {
            self.parked[kind as usize] += other.parked[kind as usize];
            self.served[kind as usize] += other.served[kind as usize];
        }
        self.leases += other.leases;
        self.received += other.received;
    }
}

/// Nobody waits who could proceed.
fn assert_nobody_is_stranded(game: &Game) {
    for (tx, _) in &game.chans {
        let now = tx.snapshot();
        let has_room = now.dataqsiz.is_none_or(|slots| now.qcount < slots);
        assert!(now.recvq == 0 || now.qcount == 0, "{now:?}");
        assert!(now.recvq == 0 || now.sendq == 0, "{now:?}");
        assert!(now.sendq == 0 || !has_room, "{now:?}");
        assert!(!now.closed || now.recvq + now.sendq == 0, "{now:?}");
        assert_eq!(now.permits + now.unclaimed, 0, "{now:?}");
    }
}

/// Each sender's values on each channel were received in their order.
fn assert_in_order(received: &[(usize, usize)]) {
    let mut last = HashMap::new();
    for &(c, id) in received {
        let before = last.insert((c, Game::maker(id)), id);
        assert!(before < Some(id), "{id} on channel {c} after {before:?}");
    }
}

/// Polls or drops those that were served, which may serve others.
fn end_the_served(players: &mut [Player<'_>], rng: &mut Rng) {
    loop {
        let mut served = players
            .iter_mut()
            .filter_map(|player| Some((player.live.iter().position(Live::was_served)?, player)));
        let Some((k, player)) = served.next() else {
            return;
        };
        if rng.bool() && player.may_cancel() {
            player.cancel(k);
        } else {
            let live = player.live.len();
            let goes_on = player.live[k].goes_on();
            player.poll(k);
            let ended = live - player.live.len();
            let holds = player.live.get(k).is_some_and(Live::holds);
            assert!(
                ended == 1 || goes_on || holds,
                "somebody was woken without cause"
            );
        }
    }
}

/// Ends a game, and checks what has become of everything.
fn end(game: &Game, mut players: Vec<Player<'_>>) -> Tally {
    let mut rng = Rng::with_seed(game.seed);
    end_the_served(&mut players, &mut rng);
    assert_nobody_is_stranded(game);
    for player in &mut players {
        let live = player.live.len();
        (0..live).rev().for_each(|k| player.poll(k));
        assert_eq!(player.live.len(), live, "somebody was ready, but not woken");
        assert!(!player.live.iter().any(Live::was_served));
    }
    for player in &mut players {
        while !player.live.is_empty() {
            player.cancel(0);
        }
    }
    // The first thread receives, whatever the cast is; where two do, it may be late.
    let rest = &mut players[0];
    if game.cast == Cast::SendersCancel {
        assert_in_order(&rest.received);
        rest.received.clear();
    }
    for (c, (_, rx)) in game.chans.iter().enumerate() {
        while let Ok(value) = rx.try_recv() {
            assert!(!game.over()[c], "closed is final");
            rest.receive(c, value);
        }
    }
    if game.cast != Cast::Free {
        players
            .iter()
            .for_each(|player| assert_in_order(&player.received));
    }
    for player in &players {
        for made in 0..VALUES {
            let id = player.thread * VALUES + made;
            match game.ledger.fate(id) {
                Fate::Unmade => assert!(made >= player.made),
                Fate::Received | Fate::CameBack | Fate::Cancelled => {}
                fate => panic!("value {id} is {fate:?}"),
            }
        }
        for &id in &player.sent {
            assert_eq!(game.ledger.fate(id), Fate::Received, "of value {id}");
        }
    }
    tally(&players)
}

fn tally(players: &[Player<'_>]) -> Tally {
    let mut tally = Tally::default();
    for player in players {
        for (kind, bell) in &player.cancelled {
            let count = match bell.rings() {
                0 => &mut tally.parked,
                _ => &mut tally.served,
            };
            count[*kind as usize] += 1;
        }
        tally.leases += player.leases;
        tally.received += player.received.len();
    }
    tally
}

/// How many games the same threads play.
const GAMES: u64 = 25;

/// Plays until there were so many cancellations.
fn storm(cast: Cast, capacity: Option<usize>, selects: bool, cancels: usize) -> Tally {
    let mut tally = Tally::default();
    for first in (env_or("HCHAN_SEED", 0)..).step_by(GAMES as usize) {
        let games: Vec<_> = (first..first + GAMES)
            .map(|seed| Game::new(cast, capacity, selects, seed))
            .collect();
        let played = play_all(&games, THREADS, |game, thread| {
            Player::new(game, thread).play()
        });
        for (game, players) in games.iter().zip(played) {
            tally += end(game, players);
        }
        if tally.cancels() >= cancels {
            break;
        }
    }
    tally
}

/// So many percent of all cancellations by this cast, on these capacities, without selects and with.
fn storms(cast: Cast, capacities: &[Option<usize>], percent: usize) -> Tally {
    let cancels = env_or("HCHAN_CANCELS", 100_000) as usize * percent / 100;
    let mut all = Tally::default();
    for &capacity in capacities {
        for selects in [false, true] {
            let each = cancels.div_ceil(2 * capacities.len());
            let tally = storm(cast, capacity, selects, each);
            println!("{cast:?}, {capacity:?}, selects {selects}: {tally:?}");
            assert!(tally.received > 0);
            all += tally;
        }
    }
    assert!(all.cancels() >= cancels);
    all
}

#[test]
fn nothing_is_lost_or_stuck_when_everybody_cancels() {
    let Tally { parked, served, .. } = storms(Cast::Free, &[Some(0), Some(1), Some(3), None], 60);
    assert!(parked.iter().chain(&served).all(|&count| count > 100));
}

#[test]
fn one_receiver_gets_each_senders_values_in_order_though_all_cancel() {
    let Tally { parked, served, .. } = storms(Cast::OneReceives, &[Some(0), Some(1), Some(3)], 20);
    assert!(parked.iter().chain(&served).all(|&count| count > 10));
}

#[test]
fn each_receiver_gets_each_senders_values_in_order_though_senders_cancel() {
    let Tally { parked, served, .. } =
        storms(Cast::SendersCancel, &[Some(0), Some(1), Some(3)], 20);
    let [parked, served] = [parked, served].map(|of| of[Kind::Send as usize]);
    assert!(parked > 100 && served > 100);
}

// Leases.

/// A sender's number, and how many values it sent before.
type Numbered = (usize, usize);

/// The only one who receives. It has several leases at once, and ends them in any order.
struct Lessee<'a> {
    rx: &'a Receiver<Numbered>,
    rng: Rng,
    /// Each with a number, by which they are in the order in which they were leased first.
    leases: Vec<(usize, Lease<'a, Numbered>)>,
    /// What is inside again: it leaves in that order, before all that was never leased.
    came_back: BTreeMap<usize, Numbered>,
    /// How many values of each sender were leased.
    seen: [usize; THREADS - 1],
    dropped: usize,
    taken: usize,
}

impl<'a> Lessee<'a> {
    fn new(rx: &'a Receiver<Numbered>) -> Self {
        Self {
            rx,
            rng: Rng::with_seed(env_or("HCHAN_SEED", 0)),
            leases: Vec::new(),
            came_back: BTreeMap::new(),
            seen: [0; THREADS - 1],
            dropped: 0,
            taken: 0,
        }
    }

    /// Leases and drops until it has dropped so many, closes the channel then, and goes on until that is over.
    fn play(&mut self, drops: usize) {
        loop {
            if self.dropped == drops {
                self.rx.close();
            }
            let is_full = self.leases.len() == AT_ONCE;
            if !self.leases.is_empty() && (is_full || self.rng.bool()) {
                self.end_one();
                continue;
            }
            match self.lease() {
                Ok(lease) => self.keep(lease),
                Err(TryRecvError::Empty) => assert!(self.came_back.is_empty()),
                Err(TryRecvError::Closed) => break,
            }
        }
        assert!(self.leases.is_empty() && self.came_back.is_empty());
    }

    fn lease(&mut self) -> Result<Lease<'a, Numbered>, TryRecvError> {
        match self.came_back.is_empty() && !self.rx.is_closed() && self.rng.bool() {
            true => Ok(self.rx.lease_blocking().expect("it is not closed")),
            false => self.rx.try_lease(),
        }
    }

    fn keep(&mut self, lease: Lease<'a, Numbered>) {
        if let Some((number, value)) = self.came_back.pop_first() {
            assert_eq!(*lease, value, "it came back");
            self.leases.push((number, lease));
            return;
        }
        let (sender, nth) = *lease;
        assert_eq!(nth, self.seen[sender], "of sender {sender}");
        let number = self.seen.iter().sum();
        self.seen[sender] += 1;
        self.leases.push((number, lease));
    }

    fn end_one(&mut self) {
        let k = self.rng.usize(..self.leases.len());
        let (number, lease) = self.leases.swap_remove(k);
        if self.rng.u8(..5) == 0 {
            let _value = lease.take();
            self.taken += 1;
        } else {
            self.came_back.insert(number, *lease);
            drop(lease);
            self.dropped += 1;
        }
    }
}

/// Closes the channel at the end, even that of a panic, so that nobody goes on sending.
struct ClosesInTheEnd<'a>(&'a Receiver<Numbered>);

impl Drop for ClosesInTheEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn leases_that_are_dropped_at_random_lose_nothing_and_keep_the_order() {
    let drops = env_or("HCHAN_LEASES", 100_000) as usize / 4;
    for capacity in [Some(0), Some(1), Some(7), None] {
        let (tx, rx) = capacity.map_or_else(hchan::unbounded, hchan::bounded);
        let send = |sender| {
            let sends = |&nth: &usize| {
                // Without a limit it is not to run away.
                while tx.len() > 1000 && !tx.is_closed() {
                    thread::yield_now();
                }
                tx.send_blocking((sender, nth)).is_ok()
            };
            (0..).take_while(sends).count()
        };
        let mut lessee = Lessee::new(&rx);
        thread::scope(|scope| {
            let send = &send;
            let senders = [0, 1, 2].map(|sender| scope.spawn(move || send(sender)));
            let _end = ClosesInTheEnd(&rx);
            lessee.play(drops);
            let sent = senders.map(|sender| sender.join().expect("no panic"));
            assert_eq!(lessee.seen, sent, "none is lost");
        });
        let Lessee { dropped, taken, .. } = lessee;
        assert_eq!(taken, lessee.seen.iter().sum(), "none comes twice");
        println!("leases, {capacity:?}: {dropped} dropped, {taken} values taken");
    }
}
