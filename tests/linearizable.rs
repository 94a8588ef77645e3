//! Threads against the model: whatever they do at once, some order of their calls explains it.
//!
//! First some futures are parked. Then three or four threads take up to eight steps each, at once, on
//! one channel or two: they poll futures by hand, drop them, cancel them, try, lease, select and close. Every
//! call is noted with what it said and when it began and returned, and the model is asked for an order
//! that explains it all: see [`history`](self::history). When the threads have stopped, what is left is
//! polled, dropped and received, so that a value that is lost or comes twice is missed or found.
//!
//! Wakes are counted on the way. Each future is woken once at most, and only through the last waker
//! that it parked with; in the end a future is ready if it was woken, and only then.
//!
//! The threads stay for many histories and begin each together. They lose time between calls and in
//! their wakers, which run in the middle of others' calls. `HCHAN_HISTORIES` says how many histories
//! there are.
#![cfg(feature = "std")]

#[path = "support/model.rs"]
mod model;

#[path = "support/answers.rs"]
mod answers;

#[path = "support/history.rs"]
mod history;

#[path = "support/threads.rs"]
mod threads;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use fastrand::Rng;
use hchan::{Lease, Receiver, RecvFuture, Select, SendFuture, Sender};

use self::answers::{received, sent, tried_to_receive, tried_to_send};
use self::history::{Call, Event, History, Said, Verdict, explain};
use self::model::{Answer, Arm, ChanId, FutureId, Mutation, UNBOUNDED, Value};
use self::threads::{Bell, dawdle, env_or, play_all};

/// What the threads of a history are to do.
struct Plan {
    seed: u64,
    capacities: Vec<usize>,
    /// The arms of each future.
    futures: Vec<Vec<Arm>>,
    values: usize,
    /// What happens before the threads begin.
    prelude: Vec<Step>,
    threads: Vec<Vec<Step>>,
}

/// One step. Numbers choose among the futures or leases that the thread has, modulo how many these are.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Makes a future and polls it.
    Start(FutureId),
    TrySelect(FutureId),
    TrySend(ChanId, Value),
    TryRecv(ChanId),
    TryLease(ChanId),
    TakeLease(usize),
    DropLease(usize),
    Close(ChanId),
    Poll(usize),
    PollWithAnotherWaker(usize),
    Drop(usize),
    Cancel(usize),
}

/// What a history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum About {
    Plain,
    Selects,
    SelectsOnTwoChannels,
}

/// The number of steps of a thread, at most.
const STEPS: usize = 8;

impl Plan {
    fn new(about: About, threads: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let chans = match about {
            About::Plain | About::Selects => 1,
            About::SelectsOnTwoChannels => 2,
        };
        let mut capacity = || rng.choice([0, 0, 1, 1, 2, 3, UNBOUNDED]).unwrap_or(0);
        let mut plan = Self {
            seed,
            capacities: (0..chans).map(|_| capacity()).collect(),
            futures: Vec::new(),
            values: 0,
            prelude: Vec::new(),
            threads: Vec::new(),
        };
        for _ in 0..rng.usize(..=2) {
            let step = Step::Start(plan.any_future(about, &mut rng));
            plan.prelude.push(step);
        }
        // Most histories are of an open channel, and some of one that is closed early or late.
        let closes = rng.u8(..3) == 0;
        for _ in 0..threads {
            let count = rng.usize(STEPS / 2..=STEPS);
            let steps = (0..count).map(|_| plan.step(about, closes, &mut rng));
            let steps = steps.collect();
            plan.threads.push(steps);
        }
        plan
    }

    fn step(&mut self, about: About, closes: bool, rng: &mut Rng) -> Step {
        let c = rng.usize(..self.capacities.len());
        let n = rng.usize(..STEPS);
        match rng.u8(..28) {
            0 if closes => Step::Close(c),
            0..=2 => Step::TrySend(c, self.value()),
            3..=5 => Step::TryRecv(c),
            6 if about != About::Plain => Step::TrySelect(self.select(rng)),
            6..=14 => Step::Start(self.any_future(about, rng)),
            15..=17 => Step::Poll(n),
            18 => Step::PollWithAnotherWaker(n),
            19 | 20 => Step::Cancel(n),
            21 | 22 => Step::TryLease(c),
            23 => Step::DropLease(n),
            24 => Step::TakeLease(n),
            _ => Step::Drop(n),
        }
    }

    fn value(&mut self) -> Value {
        self.values += 1;
        self.values - 1
    }

    fn future(&mut self, arms: Vec<Arm>) -> FutureId {
        self.futures.push(arms);
        self.futures.len() - 1
    }

    fn any_future(&mut self, about: About, rng: &mut Rng) -> FutureId {
        if about != About::Plain && rng.u8(..3) > 0 {
            return self.select(rng);
        }
        let arm = self.arm(rng);
        self.future(vec![arm])
    }

    fn arm(&mut self, rng: &mut Rng) -> Arm {
        let c = rng.usize(..self.capacities.len());
        match rng.bool() {
            true => Arm::Recv(c),
            false => Arm::Send(c, self.value()),
        }
    }

    fn select(&mut self, rng: &mut Rng) -> FutureId {
        let arms = (0..rng.usize(2..=3)).map(|_| self.arm(rng));
        let arms = arms.collect();
        self.future(arms)
    }
}

/// A plan, and the channels that it is carried out on.
struct Game {
    plan: Plan,
    chans: Vec<(Sender<Value>, Receiver<Value>)>,
    clock: AtomicU64,
}

impl Game {
    fn new(plan: Plan) -> Self {
        let chans = plan.capacities.iter().map(|&capacity| match capacity {
            UNBOUNDED => hchan::unbounded(),
            capacity => hchan::bounded(capacity),
        });
        Self {
            chans: chans.collect(),
            clock: AtomicU64::new(0),
            plan,
        }
    }

    fn future(&self, f: FutureId) -> Subject<'_> {
        match self.plan.futures[f][..] {
            [Arm::Recv(c)] => Subject::Recv(self.chans[c].1.recv()),
            [Arm::Send(c, value)] => Subject::Send(self.chans[c].0.send(value)),
            _ => Subject::Select(self.select(f)),
        }
    }

    fn select(&self, f: FutureId) -> Select<'_, Said> {
        let arms = self.plan.futures[f].iter().enumerate();
        arms.fold(Select::new(), |select, (index, arm)| match *arm {
            Arm::Recv(c) => select.recv(&self.chans[c].1, move |said| {
                Said::Ready(index, received(said))
            }),
            Arm::Send(c, value) => select.send(&self.chans[c].0, value, move |said| {
                Said::Ready(index, sent(said))
            }),
            Arm::Reserve(_) | Arm::Watch(_) | Arm::Foreign(_) => {
                unreachable!("no plan has such arms")
            }
        })
    }
}

/// A future of the crate.
enum Subject<'g> {
    Send(SendFuture<'g, Value>),
    Recv(RecvFuture<'g, Value>),
    Select(Select<'g, Said>),
}

impl Subject<'_> {
    fn poll(&mut self, waker: &Waker) -> Said {
        let cx = &mut Context::from_waker(waker);
        let polled = match self {
            Self::Send(future) => Pin::new(future)
                .poll(cx)
                .map(|said| Said::Ready(0, sent(said))),
            Self::Recv(future) => Pin::new(future)
                .poll(cx)
                .map(|said| Said::Ready(0, received(said))),
            Self::Select(future) => Pin::new(future).poll(cx),
        };
        match polled {
            Poll::Pending => Said::Pending,
            Poll::Ready(said) => said,
        }
    }
}

/// A future with the wakers that it was polled with.
struct Live<'g> {
    id: FutureId,
    subject: Subject<'g>,
    bells: Vec<Arc<Bell>>,
    /// The bell of the last poll that said "pending".
    parked: Option<usize>,
    /// What the last poll said.
    said: Said,
}

impl Live<'_> {
    fn poll(&mut self) -> Said {
        let bell = self.bells.len() - 1;
        self.said = self.subject.poll(&Waker::from(self.bells[bell].clone()));
        if self.said == Said::Pending {
            self.parked = Some(bell);
        }
        self.said
    }

    /// Whether it was woken as it should be, now that it is ready and nobody is at work any more.
    fn was_woken_rightly(&self) -> bool {
        let rings = |bells: &[Arc<Bell>]| bells.iter().map(|bell| bell.rings()).sum::<usize>();
        let (before, after) = self.bells.split_at(self.parked.unwrap_or(0));
        let (parked, after) = after.split_at(1);
        match self.subject {
            // Its owner may have looked before its counterpart came to wake it.
            Subject::Select(_) => rings(before) == 0 && rings(parked) + rings(after) <= 1,
            _ => {
                let was_parked = usize::from(self.parked.is_some());
                [before, parked, after].map(rings) == [0, was_parked, 0]
            }
        }
    }
}

impl fmt::Debug for Live<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rings: Vec<_> = self.bells.iter().map(|bell| bell.rings()).collect();
        write!(
            f,
            "future {}, which says {:?} and parked with bell {:?}, was woken {rings:?} times",
            self.id, self.said, self.parked
        )
    }
}

/// One thread in a game.
struct Player<'g> {
    game: &'g Game,
    live: Vec<Live<'g>>,
    /// Those that are ready.
    ready: Vec<Live<'g>>,
    leases: Vec<Lease<'g, Value>>,
    events: Vec<Event>,
}

impl<'g> Player<'g> {
    fn new(game: &'g Game) -> Self {
        Self {
            game,
            live: Vec::new(),
            ready: Vec::new(),
            leases: Vec::new(),
            events: Vec::new(),
        }
    }

    fn note<R>(&mut self, call: Call, does: impl FnOnce() -> R, says: impl FnOnce(R) -> Said) {
        if !self.events.is_empty() {
            dawdle();
        }
        let began = self.game.clock.fetch_add(1, Ordering::SeqCst);
        let result = does();
        let returned = self.game.clock.fetch_add(1, Ordering::SeqCst);
        self.events.push(Event {
            began,
            returned,
            call,
            said: says(result),
        });
    }

    /// One step, unless there is nothing to take it on.
    fn step(&mut self, step: Step) {
        let game = self.game;
        match step {
            Step::Start(f) => {
                self.live.push(Live {
                    id: f,
                    subject: game.future(f),
                    bells: vec![Arc::default()],
                    parked: None,
                    said: Said::Dropped,
                });
                self.poll(self.live.len() - 1, Call::Start(f));
            }
            Step::TrySelect(f) => {
                let select = game.select(f);
                self.note(
                    Call::TrySelect(f),
                    || select.try_select(),
                    |said| said.unwrap_or(Said::Default),
                );
            }
            Step::TrySend(c, value) => self.note(
                Call::TrySend(c, value),
                || game.chans[c].0.clone().try_send(value),
                |said| Said::Answer(tried_to_send(said)),
            ),
            Step::TryRecv(c) => self.note(
                Call::TryRecv(c),
                || game.chans[c].1.clone().try_recv(),
                |said| Said::Answer(tried_to_receive(said)),
            ),
            Step::TryLease(c) => {
                let mut leased = None;
                let keep = |lease: Lease<'g, Value>| **leased.insert(lease);
                self.note(
                    Call::TryLease(c),
                    || game.chans[c].1.try_lease(),
                    |said| Said::Answer(tried_to_receive(said.map(keep))),
                );
                self.leases.extend(leased);
            }
            Step::TakeLease(n) => {
                if let Some(k) = n.checked_rem(self.leases.len()) {
                    let lease = self.leases.remove(k);
                    let received = |value| Said::Answer(Answer::Received(value));
                    self.note(Call::TakeLease(*lease), || lease.take(), received);
                }
            }
            Step::DropLease(n) => {
                if let Some(k) = n.checked_rem(self.leases.len()) {
                    let lease = self.leases.remove(k);
                    self.note(Call::DropLease(*lease), || drop(lease), |()| Said::Dropped);
                }
            }
            Step::Close(c) => self.note(Call::Close(c), || game.chans[c].0.close(), Said::Closed),
            Step::Poll(n) => {
                if let Some(k) = n.checked_rem(self.live.len()) {
                    self.poll(k, Call::Poll(self.live[k].id));
                }
            }
            Step::PollWithAnotherWaker(n) => {
                if let Some(k) = n.checked_rem(self.live.len()) {
                    self.live[k].bells.push(Arc::default());
                    self.poll(k, Call::Poll(self.live[k].id));
                }
            }
            Step::Drop(n) => {
                if let Some(k) = n.checked_rem(self.live.len()) {
                    self.drop(k);
                }
            }
            Step::Cancel(n) => {
                let is_send = |live: &Live<'_>| matches!(live.subject, Subject::Send(_));
                let sends = self.live.iter().filter(|live| is_send(live)).count();
                if let Some(n) = n.checked_rem(sends) {
                    let mut all = (0..self.live.len()).filter(|&k| is_send(&self.live[k]));
                    let k = all.nth(n);
                    self.cancel(k.unwrap_or(0));
                }
            }
        }
    }

    fn poll(&mut self, k: usize, call: Call) {
        let mut live = self.live.remove(k);
        self.note(call, || live.poll(), |said| said);
        match live.said {
            Said::Pending => self.live.insert(k, live),
            _ => self.ready.push(live),
        }
    }

    fn drop(&mut self, k: usize) {
        let Live { id, subject, .. } = self.live.remove(k);
        self.note(Call::Drop(id), || drop(subject), |()| Said::Dropped);
    }

    fn cancel(&mut self, k: usize) {
        let Live { id, subject, .. } = self.live.remove(k);
        if let Subject::Send(mut send) = subject {
            self.note(Call::Cancel(id), || send.cancel(), Said::Unsent);
        }
    }

    /// What one thread does when all have stopped: ends what others leased, polls what they left, drops
    /// what is still not ready, and empties the channels.
    fn clear_up(&mut self) -> Result<(), String> {
        while !self.leases.is_empty() {
            self.step(match self.game.plan.seed % 2 {
                0 => Step::DropLease(0),
                _ => Step::TakeLease(0),
            });
        }
        for _ in 0..self.live.len() {
            let mut live = self.live.remove(0);
            let woken = live.parked.map(|bell| live.bells[bell].rings());
            self.note(Call::Poll(live.id), || live.poll(), |said| said);
            if woken != Some(usize::from(live.said != Said::Pending)) {
                return Err(format!("{live:?} before"));
            }
            match live.said {
                Said::Pending => self.live.push(live),
                _ => self.ready.push(live),
            }
        }
        while !self.live.is_empty() {
            self.drop(0);
        }
        for c in 0..self.game.chans.len() {
            let is_value = |event: &Event| matches!(event.said, Said::Answer(Answer::Received(_)));
            self.step(Step::TryRecv(c));
            while self.events.last().is_some_and(is_value) {
                self.step(Step::TryRecv(c));
            }
        }
        match self.ready.iter().find(|live| !live.was_woken_rightly()) {
            Some(live) => Err(format!("{live:?}")),
            None => Ok(()),
        }
    }
}

/// How many histories the same threads play.
const ROUNDS: u64 = 100;

/// Plays so many plans, one after the other, and shows each history with the verdict on its wakes.
fn record(
    about: About,
    seeds: impl IntoIterator<Item = u64>,
    threads: usize,
    mut show: impl FnMut(&Plan, &History, Result<(), String>),
) {
    let games: Vec<_> = seeds
        .into_iter()
        .map(|seed| Game::new(Plan::new(about, threads, seed)))
        .collect();
    let preludes = games.iter().map(|game| {
        let mut player = Player::new(game);
        for &step in &game.plan.prelude {
            player.step(step);
        }
        player
    });
    let preludes: Vec<_> = preludes.collect();
    let played = play_all(&games, threads, |game, thread| {
        let mut player = Player::new(game);
        for &step in &game.plan.threads[thread] {
            player.step(step);
        }
        player
    });
    for (mut last, players) in preludes.into_iter().zip(played) {
        let game = last.game;
        let mut histories = Vec::new();
        for player in players {
            last.live.extend(player.live);
            last.ready.extend(player.ready);
            last.leases.extend(player.leases);
            histories.push(player.events);
        }
        let woken = last.clear_up();
        histories.push(last.events);
        let history = History {
            capacities: game.plan.capacities.clone(),
            futures: game.plan.futures.clone(),
            values: game.plan.values,
            threads: histories,
        };
        show(&game.plan, &history, woken);
    }
}

/// Only one test at a time plays: the threads of another would stand in its way.
static PLAYING: Mutex<()> = Mutex::new(());

/// What a number of histories come to.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    histories: usize,
    calls: usize,
    /// In how many histories calls of different threads overlap.
    overlapping: usize,
    /// For how many the order that explains them is not that in which the calls began.
    reordered: usize,
    /// The most states that a search came to.
    states: usize,
    /// How many searches came to too many states.
    undecided: usize,
}

impl Tally {
    fn add(&mut self, history: &History, verdict: &Verdict) {
        self.histories += 1;
        self.calls += history.threads.iter().map(Vec::len).sum::<usize>();
        self.overlapping += usize::from(history.overlaps() > 0);
        match *verdict {
            Verdict::Right { states, reordered } => {
                self.reordered += usize::from(reordered);
                self.states = self.states.max(states);
            }
            Verdict::Wrong(_) | Verdict::Undecided => self.undecided += 1,
        }
    }
}

/// The histories of some kind, until one is not as the rules say.
fn check(about: About, count: u64, mutation: Option<Mutation>) -> Result<Tally, String> {
    let _playing = PLAYING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut tally = Tally::default();
    let mut wrong = None;
    let mut first = 0;
    while first < count && wrong.is_none() {
        let end = count.min(first + ROUNDS);
        let threads = 3 + usize::from(first / ROUNDS % 2 == 1);
        record(about, first..end, threads, |plan, history, woken| {
            let why = match (woken, explain(history, mutation)) {
                (Err(woken), _) => format!("{history:?}{woken}"),
                (_, Verdict::Wrong(why)) => why,
                (_, verdict) => {
                    tally.add(history, &verdict);
                    return;
                }
            };
            wrong.get_or_insert(format!("{about:?}, seed {}, {why}", plan.seed));
        });
        first = end;
    }
    wrong.map_or(Ok(tally), Err)
}

/// How many histories there are in all.
fn histories() -> u64 {
    env_or("HCHAN_HISTORIES", if cfg!(miri) { 12 } else { 6_000 })
}

/// Checks a third of all histories, and that they are not just one call after the other.
fn check_all(about: About) {
    match check(about, histories().div_ceil(3), None) {
        Ok(tally) => {
            println!("{about:?}: {tally:?}");
            assert!(tally.overlapping > tally.histories / 20, "{tally:?}");
            assert!(tally.reordered > tally.histories / 200, "{tally:?}");
            assert!(tally.undecided <= tally.histories / 500, "{tally:?}");
        }
        Err(wrong) => panic!("{wrong}"),
    }
}

#[test]
fn sends_and_receives_are_linearizable() {
    check_all(About::Plain);
}

#[test]
fn selects_on_one_channel_are_linearizable() {
    check_all(About::Selects);
}

#[test]
fn selects_on_two_channels_are_linearizable() {
    check_all(About::SelectsOnTwoChannels);
}

// The search has teeth.

/// A history of calls by one thread, one after the other, on channels with these capacities. Futures
/// have numbers from 0 in the order given; values are 0, 1 and 2.
fn alone(capacities: &[usize], futures: &[&[Arm]], calls: &[(Call, Said)]) -> History {
    let events = (0..)
        .step_by(2)
        .zip(calls)
        .map(|(began, &(call, said))| Event {
            began,
            returned: began + 1,
            call,
            said,
        });
    History {
        capacities: capacities.to_vec(),
        futures: futures.iter().map(|arms| arms.to_vec()).collect(),
        values: 3,
        threads: vec![events.collect()],
    }
}

fn is_right(history: &History) -> bool {
    match explain(history, None) {
        Verdict::Right { .. } => true,
        Verdict::Wrong(_) => false,
        Verdict::Undecided => panic!("too long for a search"),
    }
}

const SENT: Said = Said::Answer(Answer::Sent);
const FULL: Said = Said::Answer(Answer::Full(1));
const EMPTY: Said = Said::Answer(Answer::Empty);
const OVER: Said = Said::Answer(Answer::Over);

const fn got(value: Value) -> Said {
    Said::Answer(Answer::Received(value))
}

const fn ready(value: Value) -> Said {
    Said::Ready(0, Answer::Received(value))
}

const R: &[Arm] = &[Arm::Recv(0)];
const S: &[Arm] = &[Arm::Send(0, 1)];
const S2: &[Arm] = &[Arm::Send(0, 2)];
const RR: &[Arm] = &[Arm::Recv(0), Arm::Recv(1)];

type Calls<'a> = &'a [(Call, Said)];

/// A promise; the capacities and futures; what leads there, what is right then, and what is wrong.
type Story<'a> = (
    &'a str,
    &'a [usize],
    &'a [&'a [Arm]],
    Calls<'a>,
    Calls<'a>,
    Calls<'a>,
);

#[test]
fn wrong_endings_are_told_from_right_ones() {
    use Call::{
        Cancel, Close, Drop, DropLease, Poll, Start, TakeLease, TryLease, TryRecv, TrySend,
    };
    use Said::{Closed, Dropped, Pending, Unsent};

    let stories: &[Story<'_>] = &[
        (
            "order of values",
            &[2],
            &[],
            &[(TrySend(0, 0), SENT), (TrySend(0, 1), SENT)],
            &[(TryRecv(0), got(0)), (TryRecv(0), got(1))],
            &[(TryRecv(0), got(1)), (TryRecv(0), got(0))],
        ),
        (
            "no value lost",
            &[1],
            &[],
            &[(TrySend(0, 0), SENT)],
            &[(TryRecv(0), got(0))],
            &[(TryRecv(0), EMPTY)],
        ),
        (
            "no value twice",
            &[1],
            &[],
            &[(TrySend(0, 0), SENT), (TryRecv(0), got(0))],
            &[(TryRecv(0), EMPTY)],
            &[(TryRecv(0), got(0))],
        ),
        (
            "a lease comes back to its place",
            &[2],
            &[],
            &[
                (TrySend(0, 0), SENT),
                (TrySend(0, 1), SENT),
                (TryLease(0), got(0)),
                (DropLease(0), Dropped),
            ],
            &[(TryRecv(0), got(0)), (TryLease(0), got(1))],
            &[(TryRecv(0), got(1))],
        ),
        (
            "a lease is not the end",
            &[1],
            &[],
            &[
                (TrySend(0, 0), SENT),
                (TryLease(0), got(0)),
                (Close(0), Closed(true)),
            ],
            &[
                (TryRecv(0), EMPTY),
                (TakeLease(0), got(0)),
                (TryRecv(0), OVER),
            ],
            &[(TryRecv(0), OVER)],
        ),
        (
            "no value from nowhere",
            &[1],
            &[],
            &[],
            &[(TryRecv(0), EMPTY)],
            &[(TryRecv(0), got(0))],
        ),
        (
            "capacity",
            &[1],
            &[],
            &[(TrySend(0, 0), SENT)],
            &[(TrySend(0, 1), FULL)],
            &[(TrySend(0, 1), SENT)],
        ),
        (
            "a rendezvous takes two",
            &[0],
            &[],
            &[],
            &[(TrySend(0, 1), FULL)],
            &[(TrySend(0, 1), SENT)],
        ),
        (
            "turns in recvq",
            &[0],
            &[R, R],
            &[
                (Start(0), Pending),
                (Start(1), Pending),
                (TrySend(0, 0), SENT),
            ],
            &[(Poll(1), Pending), (Poll(0), ready(0))],
            &[(Poll(1), ready(0))],
        ),
        (
            "turns in sendq",
            &[0],
            &[S, S2],
            &[(Start(0), Pending), (Start(1), Pending)],
            &[(TryRecv(0), got(1)), (TryRecv(0), got(2))],
            &[(TryRecv(0), got(2))],
        ),
        (
            "no barging past a receiver that was served",
            &[1],
            &[R],
            &[(Start(0), Pending), (TrySend(0, 0), SENT)],
            &[(TryRecv(0), EMPTY), (Poll(0), ready(0))],
            &[(TryRecv(0), got(0))],
        ),
        (
            "no barging past a sender that was served",
            &[1],
            &[S],
            &[
                (TrySend(0, 0), SENT),
                (Start(0), Pending),
                (TryRecv(0), got(0)),
            ],
            &[(TrySend(0, 2), Said::Answer(Answer::Full(2)))],
            &[(TrySend(0, 2), SENT)],
        ),
        (
            "a served operation is ready",
            &[1],
            &[R],
            &[(Start(0), Pending), (TrySend(0, 0), SENT)],
            &[(Poll(0), ready(0))],
            &[(Poll(0), Pending)],
        ),
        (
            "a value comes back",
            &[0],
            &[R],
            &[
                (Start(0), Pending),
                (TrySend(0, 0), SENT),
                (Drop(0), Dropped),
            ],
            &[(TryRecv(0), got(0))],
            &[(TryRecv(0), EMPTY)],
        ),
        (
            "a value comes back into its place",
            &[1],
            &[R],
            &[
                (Start(0), Pending),
                (TrySend(0, 0), SENT),
                (TrySend(0, 1), SENT),
                (Drop(0), Dropped),
            ],
            &[(TryRecv(0), got(0)), (TryRecv(0), got(1))],
            &[(TryRecv(0), got(1)), (TryRecv(0), got(0))],
        ),
        (
            "a value that comes back is the next receiver's",
            &[1],
            &[R, R],
            &[
                (Start(0), Pending),
                (Start(1), Pending),
                (TrySend(0, 0), SENT),
                (Drop(0), Dropped),
            ],
            &[(TryRecv(0), EMPTY), (Poll(1), ready(0))],
            &[(TryRecv(0), got(0))],
        ),
        (
            "a cancelled send has not sent",
            &[0],
            &[S],
            &[(Start(0), Pending), (Cancel(0), Unsent(Some(1)))],
            &[(TryRecv(0), EMPTY)],
            &[(TryRecv(0), got(1))],
        ),
        (
            "a send that was served is not cancelled",
            &[0],
            &[S],
            &[(Start(0), Pending), (TryRecv(0), got(1))],
            &[(Cancel(0), Unsent(None))],
            &[(Cancel(0), Unsent(Some(1)))],
        ),
        (
            "close keeps what is inside",
            &[1],
            &[],
            &[(TrySend(0, 0), SENT), (Close(0), Closed(true))],
            &[(TryRecv(0), got(0)), (TryRecv(0), OVER)],
            &[(TryRecv(0), OVER)],
        ),
        (
            "closed is final",
            &[1],
            &[R],
            &[
                (Start(0), Pending),
                (TrySend(0, 0), SENT),
                (Close(0), Closed(true)),
            ],
            &[
                (TryRecv(0), EMPTY),
                (Drop(0), Dropped),
                (TryRecv(0), got(0)),
            ],
            &[(TryRecv(0), OVER)],
        ),
        (
            "one call closes",
            &[1],
            &[],
            &[(Close(0), Closed(true))],
            &[(Close(0), Closed(false))],
            &[(Close(0), Closed(true))],
        ),
        (
            "one arm commits",
            &[0, 0],
            &[RR],
            &[(Start(0), Pending), (TrySend(0, 0), SENT)],
            &[(TrySend(1, 1), FULL), (Poll(0), ready(0))],
            &[(TrySend(1, 1), SENT)],
        ),
        (
            "a select that is dropped leaves all lines",
            &[0, 0],
            &[RR],
            &[(Start(0), Pending), (Drop(0), Dropped)],
            &[(TrySend(1, 1), FULL)],
            &[(TrySend(1, 1), SENT)],
        ),
        (
            "default means that no arm could",
            &[1, 1],
            &[RR],
            &[(TrySend(1, 0), SENT)],
            &[(Call::TrySelect(0), Said::Ready(1, Answer::Received(0)))],
            &[(Call::TrySelect(0), Said::Default)],
        ),
    ];
    for &(promise, capacities, futures, begin, right, wrong) in stories {
        let right = alone(capacities, futures, &[begin, right].concat());
        assert!(is_right(&right), "{promise}: {right:?}");
        let wrong = alone(capacities, futures, &[begin, wrong].concat());
        assert!(!is_right(&wrong), "{promise}: {wrong:?}");
    }
}

/// The same calls by two threads, one after the other or at once.
#[test]
fn time_matters_and_nothing_else_orders_threads() {
    let history = |sends: (u64, u64), receives: (u64, u64)| {
        let mut history = alone(&[1], &[], &[]);
        let event = |(began, returned), call, said| Event {
            began,
            returned,
            call,
            said,
        };
        history.threads = vec![
            vec![event(sends, Call::TrySend(0, 0), SENT)],
            vec![event(receives, Call::TryRecv(0), EMPTY)],
        ];
        history
    };
    assert!(is_right(&history((2, 3), (0, 1))));
    assert!(is_right(&history((0, 3), (1, 2))));
    assert!(is_right(&history((0, 2), (1, 3))));
    assert!(!is_right(&history((0, 1), (2, 3))));
    assert_eq!(history((0, 1), (2, 3)).overlaps(), 0);
    assert_eq!(history((0, 2), (1, 3)).overlaps(), 1);
}

/// On two channels a select may be behind somebody on one and before the same one on the other, but
/// not on a single channel.
#[test]
fn a_select_begins_to_wait_at_another_instant_on_each_channel() {
    let event = |began, returned, call, said| Event {
        began,
        returned,
        call,
        said,
    };
    let history = |channel: ChanId| {
        // While the select parks, one receive parks on channel 0, and then one on `channel`.
        let mut history = alone(&[0, 0], &[RR, R, &[Arm::Recv(channel)]], &[]);
        history.threads = vec![
            vec![
                event(0, 5, Call::Start(0), Said::Pending),
                event(14, 15, Call::Poll(0), ready(1)),
            ],
            vec![
                event(1, 2, Call::Start(1), Said::Pending),
                event(3, 4, Call::Start(2), Said::Pending),
                event(6, 7, Call::TrySend(channel, 0), SENT),
                event(8, 9, Call::Poll(2), ready(0)),
                event(10, 11, Call::TrySend(0, 1), SENT),
                event(12, 13, Call::Poll(1), Said::Pending),
            ],
        ];
        history
    };
    assert!(is_right(&history(1)));
    assert!(!is_right(&history(0)));
}

/// What a rule that the crate keeps, and the model does not, comes to: a difference.
#[test]
#[cfg_attr(miri, ignore = "takes thousands of histories")]
fn each_broken_rule_is_noticed() {
    for (about, mutation) in [
        (About::Plain, Mutation::LosesUnclaimed),
        (About::Plain, Mutation::PutsBackInFront),
        (About::Plain, Mutation::PutsBackPastReceivers),
        (About::Plain, Mutation::TakesFromSendersFirst),
        (About::Plain, Mutation::ClosedIgnoresUnclaimed),
        (About::Plain, Mutation::ClaimReleasesNobody),
        (About::Plain, Mutation::RecvAdmitsNobody),
        (About::SelectsOnTwoChannels, Mutation::FiresTwice),
        (About::SelectsOnTwoChannels, Mutation::StaleArmAbsorbs),
    ] {
        let checked = check(about, 20_000, Some(mutation));
        assert!(checked.is_err(), "{mutation:?} is not noticed: {checked:?}");
    }
}
