//! Channels of the crate and their model side by side, and scripts of steps that both take.
//!
//! A script is a list of calls on one to three channels. Its futures are polled and dropped by hand, so
//! that "parks", "is handed a value" and "is dropped before it looked" are steps like any other. What is
//! compared after each: the answer, who was woken and how often, whose waker a channel keeps, what each
//! channel looks like, and how many values were dropped.
//!
//! Some handles are lent to the futures of plain operations and of selects. The others are polled
//! themselves, used for something else while they stand in line, given to a future that keeps them,
//! cloned, dropped, and made of weak ones.
//!
//! Selects are biased here, so that there is one right answer.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::{poll_fn, ready};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Sink;
use hchan::{
    ClosedFuture, Drain, Lease, LeaseFuture, Permit, Receiver, RecvError, RecvFuture,
    RecvOwnedFuture, RecvTimeoutError, ReserveFuture, Select, SendError, SendFuture,
    SendOwnedFuture, Sender, TryRecvError, WeakReceiver, WeakSender,
};

use crate::answers::{
    forced, received, reserved, sent, tried_to_receive, tried_to_reserve, tried_to_send,
};
use crate::model::{
    Answer, Arm, ChanId, ForeignId, FutureId, Model, Mutation, State, UNBOUNDED, Value,
};
use crate::script::{
    Boxed, Foreign, Looks, Slot, Steps, Task, Unsent, Verdict, looks, poll_fused, same,
};
use crate::support::{Counted, Drops};

// Scripts.

/// One step. Numbers choose among what is alive, modulo how much that is.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    // Each makes a future and polls it.
    Send(ChanId),
    Recv(ChanId),
    Reserve(ChanId),
    Watch(ChanId),
    Lease(ChanId),
    SendFrom(ChanId),
    SendMany(ChanId, usize),
    RecvMany(ChanId, usize),
    Select(Vec<Want>),

    // Futures.
    New(Want),
    Poll(usize),
    PollWithAnotherWaker(usize),
    Drop(usize),
    Cancel(usize),
    Forget(usize),
    /// Gives a select one more arm.
    AddArm(usize, Want),
    /// Ends a select that waits: now it must not.
    Settle(usize),

    // Calls.
    TrySend(ChanId),
    TryRecv(ChanId),
    TryLease(ChanId),
    TakeLease(usize),
    DropLease(usize),
    ForceSend(ChanId),
    TryReserve(ChanId),
    TryRecvMany(ChanId, usize),
    TrySelect(Vec<Want>),
    Close(ChanId),
    SendReserved(usize),
    DropPermit(usize),
    Drain(ChanId),
    DrainOne(usize),
    DropDrain(usize),

    // Receivers that may stand in line themselves.
    PollRecv(usize),
    UseReceiver(usize, Receive),
    LendReceiver(usize, Receive),
    CloneReceiver(usize),
    DropReceiver(usize),

    // Senders that may have staged a value.
    PollSend(usize),
    PollFlush(usize),
    UseSender(usize, Give),
    LendSender(usize, usize),
    /// Makes a send of it that owns it.
    SendOwned(usize),
    PollReserve(usize),
    CloneSender(usize),
    DropSender(usize),
    StartSend(usize),
    SinkReady(usize),
    CloseSink(usize),

    /// Makes one of the futures ready that no channel knows of.
    Ripen(usize),

    // Weak handles.
    Downgrade(usize),
    UpgradeReceiver(usize),
    UpgradeSender(usize),
}

/// What is done with a receiver that may stand in line itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Receive {
    // Futures: polled once and dropped, unless the handle is lent to them.
    One,
    Next,
    Many(usize),
    Until,
    OneForgotten,
    NextForgotten,
    /// The handle goes with the future.
    Owned,
    // Calls.
    Try,
    TryIter,
    TryMany(usize),
    /// Iterates over so many.
    Drain(usize),
    Select,
    TrySelect,
    // What is no receive.
    Close,
    Look,
}

impl Receive {
    pub const ALL: [Self; 14] = [
        Self::One,
        Self::Try,
        Self::Next,
        Self::Many(0),
        Self::Until,
        Self::TryIter,
        Self::TryMany(0),
        Self::Drain(0),
        Self::Select,
        Self::TrySelect,
        Self::OneForgotten,
        Self::NextForgotten,
        Self::Look,
        Self::Close,
    ];
}

/// What is done with a sender that may have staged a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Give {
    One,
    OneForgotten,
    Try,
    Force,
    TryReserve,
    Close,
}

impl Give {
    pub const ALL: [Self; 6] = [
        Self::One,
        Self::Try,
        Self::Force,
        Self::TryReserve,
        Self::OneForgotten,
        Self::Close,
    ];
}

/// An arm of a select.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    Recv(ChanId),
    Send(ChanId),
    /// Receives with a handle that may stand in line itself; the select keeps it.
    With(usize),
    /// A future that no channel knows of, ready from this poll on.
    Future(usize),
}

/// Whose handles go first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    Senders,
    Receivers,
}

/// Steps on new channels; then the handles of one side go, and a few steps follow.
#[derive(Clone, PartialEq)]
pub struct Script {
    pub capacities: Vec<usize>,
    pub before: Vec<Op>,
    pub leaves_first: Side,
    pub after: Vec<Op>,
}

impl Steps for Script {
    fn shorter(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |change: &dyn Fn(&mut Self)| {
            let mut shorter = self.clone();
            change(&mut shorter);
            all.push(shorter);
        };
        (0..self.after.len()).for_each(|step| add(&|script| drop(script.after.remove(step))));
        (0..self.before.len()).for_each(|step| add(&|script| drop(script.before.remove(step))));
        for (step, op) in self.before.iter().enumerate() {
            for arm in 0..op.wants().len() {
                add(&|script| {
                    if let Op::Select(wants) | Op::TrySelect(wants) = &mut script.before[step] {
                        wants.remove(arm);
                    }
                });
            }
        }
        all
    }
}

impl Op {
    /// The arms of a select.
    fn wants(&self) -> &[Want] {
        match self {
            Self::Select(wants) | Self::TrySelect(wants) => wants,
            _ => &[],
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("capacities")?;
        for &capacity in &self.capacities {
            match capacity {
                UNBOUNDED => f.write_str(" unbounded")?,
                capacity => write!(f, " {capacity}")?,
            }
        }
        let (mut before, mut after) = (self.before.iter(), self.after.iter());
        f.write_str(":")?;
        before.try_for_each(|op| write!(f, " {op:?};"))?;
        write!(f, " {:?} leave;", self.leaves_first)?;
        after.try_for_each(|op| write!(f, " {op:?};"))
    }
}

/// What a step may need.
#[derive(Clone, Debug)]
pub struct Picks {
    pub chan: ChanId,
    /// Chooses among what is alive.
    pub n: usize,
    /// A small number: how many.
    pub k: usize,
    pub wants: Vec<Want>,
}

impl Picks {
    fn want(&self) -> Want {
        match self.wants.first() {
            Some(&want) => want,
            None => Want::Recv(self.chan),
        }
    }

    /// A batch of one to three, too.
    fn receive(&self) -> Receive {
        let more = self.k / Receive::ALL.len() % 3;
        match Receive::ALL[self.k % Receive::ALL.len()] {
            Receive::Many(_) => Receive::Many(more),
            Receive::TryMany(_) => Receive::TryMany(more),
            Receive::Drain(_) => Receive::Drain(more),
            how => how,
        }
    }

    fn lent(&self) -> Receive {
        let many = Receive::Many(self.k / 4 % 3);
        let all = [Receive::One, Receive::Owned, Receive::Next, many];
        all[self.k % all.len()]
    }

    fn give(&self) -> Give {
        Give::ALL[self.k % Give::ALL.len()]
    }
}

/// Makes a step of what it needs.
pub type Step = fn(Picks) -> Op;

/// How often each step is taken, the simple ones first, since scripts shrink towards them.
pub const STEPS: [(usize, Step); 52] = [
    (8, |picks| Op::Recv(picks.chan)),
    (8, |picks| Op::Send(picks.chan)),
    (4, |picks| Op::TrySend(picks.chan)),
    (4, |picks| Op::TryRecv(picks.chan)),
    (12, |picks| Op::Drop(picks.n)),
    (12, |picks| Op::Poll(picks.n)),
    (1, |picks| Op::Close(picks.chan)),
    (2, |picks| Op::New(picks.want())),
    (2, |picks| Op::PollWithAnotherWaker(picks.n)),
    (3, |picks| Op::Cancel(picks.n)),
    (1, |picks| Op::Forget(picks.n)),
    (2, |picks| Op::SendFrom(picks.chan)),
    (2, |picks| Op::SendMany(picks.chan, picks.k % 3)),
    (2, |picks| Op::RecvMany(picks.chan, picks.k % 3)),
    (1, |picks| Op::Watch(picks.chan)),
    (2, |picks| Op::ForceSend(picks.chan)),
    (1, |picks| Op::TryRecvMany(picks.chan, picks.k % 3)),
    (1, |picks| Op::Drain(picks.chan)),
    (1, |picks| Op::DrainOne(picks.n)),
    (1, |picks| Op::DropDrain(picks.n)),
    (4, |picks| Op::Reserve(picks.chan)),
    (2, |picks| Op::TryReserve(picks.chan)),
    (3, |picks| Op::SendReserved(picks.n)),
    (3, |picks| Op::DropPermit(picks.n)),
    (9, |picks| Op::Select(picks.wants)),
    (2, |picks| Op::TrySelect(picks.wants)),
    (2, |picks| Op::AddArm(picks.n, picks.want())),
    (1, |picks| Op::Settle(picks.n)),
    (4, |picks| Op::Ripen(picks.n)),
    (12, |picks| Op::PollRecv(picks.n)),
    (8, |picks| Op::UseReceiver(picks.n, picks.receive())),
    (2, |picks| Op::LendReceiver(picks.n, picks.lent())),
    (2, |picks| Op::CloneReceiver(picks.n)),
    (1, |picks| Op::DropReceiver(picks.n)),
    (8, |picks| Op::PollSend(picks.n)),
    (1, |picks| Op::PollFlush(picks.n)),
    (5, |picks| Op::UseSender(picks.n, picks.give())),
    (1, |picks| Op::LendSender(picks.n, picks.k % 3)),
    (2, |picks| Op::CloneSender(picks.n)),
    (1, |picks| Op::DropSender(picks.n)),
    (4, |picks| Op::StartSend(picks.n)),
    (4, |picks| Op::SinkReady(picks.n)),
    (1, |picks| Op::CloseSink(picks.n)),
    (3, |picks| Op::Lease(picks.chan)),
    (3, |picks| Op::TryLease(picks.chan)),
    (3, |picks| Op::TakeLease(picks.n)),
    (4, |picks| Op::DropLease(picks.n)),
    (1, |picks| Op::SendOwned(picks.n)),
    (2, |picks| Op::PollReserve(picks.n)),
    (1, |picks| Op::Downgrade(picks.n)),
    (1, |picks| Op::UpgradeReceiver(picks.n)),
    (1, |picks| Op::UpgradeSender(picks.n)),
];

/// The step that `pick` chooses, which is below [`weights`].
pub fn step(mut pick: usize, picks: Picks) -> Op {
    for (weight, step) in STEPS {
        match pick.checked_sub(weight) {
            None => return step(picks),
            Some(rest) => pick = rest,
        }
    }
    unreachable!("picks are below the sum of weights");
}

/// The sum of all weights.
pub fn weights() -> usize {
    STEPS.iter().map(|(weight, _)| weight).sum()
}

/// A step that was taken, and whether the handle that it is about had a place in line.
pub type Taken = (Op, bool);

/// Plays the script on the crate and on the model.
pub fn play(script: &Script, mutation: Option<Mutation>) -> Verdict {
    play_and_tell(script, mutation).map(drop)
}

/// The same, which tells the steps that there was something to take on.
pub fn play_and_tell(script: &Script, mutation: Option<Mutation>) -> Result<Vec<Taken>, String> {
    let played = panic::catch_unwind(AssertUnwindSafe(|| {
        let drops = Drops::default();
        let (taken, values) = play_to_the_end(script, mutation, &drops)?;
        same("values dropped with the channels", &drops.count(), &values)?;
        Ok(taken)
    }));
    played.unwrap_or_else(|_| Err("a panic".to_owned()))
}

/// Returns how many values there were, too.
fn play_to_the_end(
    script: &Script,
    mutation: Option<Mutation>,
    drops: &Drops,
) -> Result<(Vec<Taken>, usize), String> {
    let chans = script.capacities.iter().map(|&capacity| match capacity {
        UNBOUNDED => hchan::unbounded(),
        capacity => hchan::bounded(capacity),
    });
    let (txs, rxs): (Vec<_>, Vec<_>) = chans.unzip();
    let model = Model::new(&script.capacities, mutation);
    let mut bench = Bench::new(&txs, &rxs, model, drops.clone());
    bench.run(&script.before)?;
    match script.leaves_first {
        Side::Senders => {
            let mut bench = bench.without_senders()?;
            bench.leave(txs, Model::drop_sender)?;
            bench.run(&script.after)?;
            bench.end()
        }
        Side::Receivers => {
            let mut bench = bench.without_receivers()?;
            bench.leave(rxs, Model::drop_receiver)?;
            bench.run(&script.after)?;
            bench.end()
        }
    }
}

// Futures of the crate.

/// The arm that won, and what it says.
type Won = (usize, Answer);

/// What a future says, and all values that came with it.
type Said = (Won, Vec<Value>);

enum Subject<'t, 'r, 's> {
    Send(SendFuture<'t, Counted>),
    /// `send_from` or `send_many`.
    SendFrom(Boxed<'t, Result<(), SendError<()>>>, Unsent),
    Reserve(ReserveFuture<'t, Counted>, ChanId),
    Recv(RecvFuture<'r, Counted>),
    Lease(LeaseFuture<'r, Counted>),
    /// It owns its handle.
    RecvOwned(RecvOwnedFuture<Counted>),
    SendOwned(SendOwnedFuture<Counted>),
    RecvMany(Boxed<'r, Result<Vec<Counted>, RecvError>>),
    Watch(ClosedFuture<'r>),
    Select(Select<'s, Won>),
    /// It has handles of its own, and arms over others.
    SelectWith(Boxed<'s, Won>),
    /// It has a receiver of its own.
    RecvWith(Boxed<'static, Said>),
    /// It has a sender of its own.
    SendWith(Boxed<'static, Result<(), SendError<()>>>, Unsent),
}

/// The permits that are out.
type Permits<'t> = Vec<(ChanId, Permit<'t, Counted>)>;

/// The leases that are out.
type Leases<'r> = Vec<Lease<'r, Counted>>;

impl<'t, 'r> Subject<'t, 'r, '_> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        permits: &mut Permits<'t>,
        leases: &mut Leases<'r>,
    ) -> Poll<Said> {
        match self {
            Self::Send(future) => poll_fused(future, cx).map(|said| alone(sent(said))),
            Self::SendFrom(future, unsent) => future.as_mut().poll(cx).map(sent_from(unsent)),
            Self::SendWith(future, unsent) => future.as_mut().poll(cx).map(sent_from(unsent)),
            Self::Reserve(future, c) => {
                let keep = |permit| permits.push((*c, permit));
                poll_fused(future, cx).map(|said| alone(reserved(said, keep)))
            }
            Self::SendOwned(future) => poll_fused(future, cx).map(|said| alone(sent(said))),
            Self::Recv(future) => poll_fused(future, cx).map(|said| alone(received(said))),
            Self::RecvOwned(future) => poll_fused(future, cx).map(|said| alone(received(said))),
            Self::Lease(future) => {
                poll_fused(future, cx).map(|said| alone(leased(said, |lease| leases.push(lease))))
            }
            Self::RecvMany(future) => future.as_mut().poll(cx).map(received_many),
            Self::Watch(future) => poll_fused(future, cx).map(|()| alone(Answer::Ended)),
            Self::Select(future) => poll_fused(future, cx).map(said_by),
            Self::SelectWith(future) => future.as_mut().poll(cx).map(said_by),
            Self::RecvWith(future) => future.as_mut().poll(cx),
        }
    }

    fn needs_senders(&self) -> bool {
        match self {
            Self::Recv(_) | Self::RecvMany(_) | Self::Watch(_) | Self::RecvWith(_) => false,
            Self::Lease(_) | Self::RecvOwned(_) => false,
            Self::Send(_) | Self::SendFrom(..) | Self::Reserve(..) | Self::SendWith(..) => true,
            Self::SendOwned(_) => true,
            Self::Select(_) | Self::SelectWith(_) => true,
        }
    }

    fn needs_receivers(&self) -> bool {
        matches!(self, Self::Select(_) | Self::SelectWith(_)) || !self.needs_senders()
    }

    fn into_sending<'any, 'other>(self) -> Subject<'t, 'any, 'other> {
        match self {
            Self::Send(future) => Subject::Send(future),
            Self::SendFrom(future, unsent) => Subject::SendFrom(future, unsent),
            Self::SendWith(future, unsent) => Subject::SendWith(future, unsent),
            Self::SendOwned(future) => Subject::SendOwned(future),
            Self::Reserve(future, c) => Subject::Reserve(future, c),
            _ => unreachable!("those that receive are gone"),
        }
    }

    fn into_receiving<'any, 'other>(self) -> Subject<'any, 'r, 'other> {
        match self {
            Self::Recv(future) => Subject::Recv(future),
            Self::RecvMany(future) => Subject::RecvMany(future),
            Self::RecvWith(future) => Subject::RecvWith(future),
            Self::RecvOwned(future) => Subject::RecvOwned(future),
            Self::Lease(future) => Subject::Lease(future),
            Self::Watch(future) => Subject::Watch(future),
            _ => unreachable!("those that send are gone"),
        }
    }
}

/// What the only arm says.
fn alone(answer: Answer) -> Said {
    said_by((0, answer))
}

fn said_by((arm, answer): Won) -> Said {
    let values = match answer {
        Answer::Received(value) | Answer::Refused(value) => vec![value],
        _ => vec![],
    };
    ((arm, answer), values)
}

/// What `send_from` or `send_many` says, and what it has left.
fn sent_from(unsent: &Unsent) -> impl FnOnce(Result<(), SendError<()>>) -> Said {
    let unsent = unsent.clone();
    move |said| {
        let unsent = unsent.take();
        match said {
            Ok(()) => ((0, Answer::Sent), unsent),
            Err(SendError(())) => ((0, Answer::Refused(unsent[0])), unsent),
        }
    }
}

fn received_many(said: Result<Vec<Counted>, RecvError>) -> Said {
    match said {
        Ok(values) => ((0, Answer::Received(values[0].id)), ids(&values)),
        Err(RecvError) => ((0, Answer::Over), vec![]),
    }
}

fn tried_to_receive_many(said: Result<Vec<Counted>, TryRecvError>) -> Said {
    match said {
        Ok(values) => ((0, Answer::Received(values[0].id)), ids(&values)),
        Err(TryRecvError::Empty) => ((0, Answer::Empty), vec![]),
        Err(TryRecvError::Closed) => ((0, Answer::Over), vec![]),
    }
}

fn ids(values: &[Counted]) -> Vec<Value> {
    values.iter().map(|value| value.id).collect()
}

async fn send_from(
    tx: &Sender<Counted>,
    mut slot: Slot<Option<Counted>>,
) -> Result<(), SendError<()>> {
    tx.send_from(&mut slot.0).await
}

async fn send_many(
    tx: &Sender<Counted>,
    mut slot: Slot<VecDeque<Counted>>,
) -> Result<(), SendError<()>> {
    tx.send_many(&mut slot.0).await
}

async fn recv_many(rx: &Receiver<Counted>, limit: usize) -> Result<Vec<Counted>, RecvError> {
    let mut values = Vec::new();
    let count = rx.recv_many(&mut values, limit).await?;
    assert_eq!(count, values.len());
    Ok(values)
}

fn try_recv_many(rx: &Receiver<Counted>, limit: usize) -> Result<Vec<Counted>, TryRecvError> {
    let mut values = Vec::new();
    let count = rx.try_recv_many(&mut values, limit)?;
    assert_eq!(count, values.len());
    Ok(values)
}

/// Polls once, with this task's waker.
fn poll_once_as<F: Future + ?Sized>(task: &Task, future: Pin<&mut F>) -> Poll<F::Output> {
    let waker = task.waker();
    future.poll(&mut Context::from_waker(&waker))
}

/// What a lease says, which is kept.
fn leased<'r>(
    said: Result<Lease<'r, Counted>, impl Into<TryRecvError>>,
    keep: impl FnOnce(Lease<'r, Counted>),
) -> Answer {
    match said.map_err(Into::into) {
        Ok(lease) => {
            let id = lease.id;
            keep(lease);
            Answer::Received(id)
        }
        Err(TryRecvError::Empty) => Answer::Empty,
        Err(TryRecvError::Closed) => Answer::Over,
    }
}

/// A handle that may have a place in line: that of a receive, of a staged value, or for a slot; or a slot.
struct Own<H> {
    chan: ChanId,
    handle: H,
    place: Option<Task>,
    slot: bool,
}

/// The same while a future has the handle.
#[derive(Default)]
struct Lent {
    /// The channel and the place of each.
    rxs: Vec<(ChanId, Option<Task>)>,
    tx: Option<(ChanId, Option<Task>)>,
    home: Rc<Home>,
}

/// Where a future leaves its handles when it has ended.
#[derive(Default)]
struct Home {
    rxs: RefCell<Vec<Receiver<Counted>>>,
    tx: RefCell<Option<Sender<Counted>>>,
}

impl Lent {
    fn places(&mut self) -> impl Iterator<Item = &mut Option<Task>> {
        let rxs = self.rxs.iter_mut().map(|(_, place)| place);
        rxs.chain(self.tx.iter_mut().map(|(_, place)| place))
    }
}

/// A future of the crate with its row in the model.
struct Live<'t, 'r, 's> {
    task: Task,
    subject: Subject<'t, 'r, 's>,
    /// The values that a `send_many` has not come to.
    rest: VecDeque<Value>,
    /// How many values a receive takes.
    limit: usize,
    lent: Lent,
}

impl<'t, 'r, 's> Live<'t, 'r, 's> {
    /// The model's poll. A bulk operation is a single one that goes on by itself.
    fn law(&mut self, model: &mut Model) -> Poll<Said> {
        loop {
            let polled = match self.subject {
                Subject::Lease(_) => model.poll_lease(self.task.id),
                _ => model.poll(self.task.id),
            };
            let Poll::Ready((arm, answer)) = polled else {
                return Poll::Pending;
            };
            let on = model.futures[self.task.id].arms[arm].chan();
            let c = on.unwrap_or(ChanId::MAX);
            let values = match answer {
                Answer::Sent => match self.rest.pop_front() {
                    Some(next) => {
                        self.task.id = model.create(vec![Arm::Send(c, next)]);
                        continue;
                    }
                    None => vec![],
                },
                Answer::Refused(value) => [vec![value], self.discard_rest(model)].concat(),
                Answer::Received(value) => receive_more(model, c, value, self.limit),
                _ => vec![],
            };
            return Poll::Ready(((arm, answer), values));
        }
    }

    fn law_of_drop(&mut self, model: &mut Model) -> Vec<Value> {
        [model.drop(self.task.id), self.discard_rest(model)].concat()
    }

    fn discard_rest(&mut self, model: &mut Model) -> Vec<Value> {
        self.rest.iter().for_each(|&value| model.discard(value));
        self.rest.drain(..).collect()
    }

    fn with<'t2, 'r2, 's2>(
        self,
        subject: impl Fn(Subject<'t, 'r, 's>) -> Subject<'t2, 'r2, 's2>,
    ) -> Live<'t2, 'r2, 's2> {
        Live {
            task: self.task,
            subject: subject(self.subject),
            rest: self.rest,
            limit: self.limit,
            lent: self.lent,
        }
    }
}

fn receive_more(model: &mut Model, c: ChanId, first: Value, limit: usize) -> Vec<Value> {
    let mut values = vec![first];
    while values.len() < limit {
        match model.try_recv(c) {
            Answer::Received(value) => values.push(value),
            _ => break,
        }
    }
    values
}

fn law_of_try_recv(model: &mut Model, c: ChanId, limit: usize) -> Said {
    match model.try_recv(c) {
        Answer::Received(value) => (
            (0, Answer::Received(value)),
            receive_more(model, c, value, limit),
        ),
        answer => ((0, answer), vec![]),
    }
}

/// The first poll of a receive that is dropped then.
fn law_of_brief_recv(model: &mut Model, task: &Task, limit: usize) -> Poll<Said> {
    let polled = model.poll(task.id).map(|(_, answer)| match answer {
        Answer::Received(value) => {
            let Arm::Recv(c) = model.futures[task.id].arms[0] else {
                unreachable!("it receives");
            };
            ((0, answer), receive_more(model, c, value, limit))
        }
        answer => ((0, answer), vec![]),
    });
    if polled.is_pending() {
        model.drop(task.id);
    }
    polled
}

// Side by side.

/// The handles of both sides.
type Handles<'s> = (&'s [Sender<Counted>], &'s [Receiver<Counted>]);

/// Channels of the crate and their model, side by side.
struct Bench<'t, 'r, 's> {
    /// The handles that futures borrow: those on one side, on the other, and on both.
    txs: Option<&'t [Sender<Counted>]>,
    rxs: Option<&'r [Receiver<Counted>]>,
    both: Option<Handles<'s>>,
    /// The handles that are polled themselves.
    own_txs: Vec<Own<Sender<Counted>>>,
    own_rxs: Vec<Own<Receiver<Counted>>>,
    weak: Vec<(ChanId, WeakSender<Counted>, WeakReceiver<Counted>)>,
    live: Vec<Live<'t, 'r, 's>>,
    forgotten: Vec<Task>,
    permits: Permits<'t>,
    /// As in the model.
    leases: Leases<'r>,
    /// The arms that no channel knows of.
    foreign: Vec<Arc<Foreign>>,
    /// Values that were taken, and wait to be iterated over.
    drains: Vec<(Drain<'r, Counted>, VecDeque<Value>)>,
    /// Those that have ended in this step.
    retired: Vec<Task>,
    drops: Drops,
    model: Model,
    taken: Vec<Taken>,
}

/// The most handles of a kind that are polled themselves.
const OWN: usize = 5;

impl<'t, 'r, 's> Bench<'t, 'r, 's> {
    fn new(
        txs: &'t [Sender<Counted>],
        rxs: &'r [Receiver<Counted>],
        model: Model,
        drops: Drops,
    ) -> Self
    where
        't: 's,
        'r: 's,
    {
        let mut bench = Self {
            txs: Some(txs),
            rxs: Some(rxs),
            both: Some((txs, rxs)),
            own_txs: Vec::new(),
            own_rxs: Vec::new(),
            weak: Vec::new(),
            live: Vec::new(),
            forgotten: Vec::new(),
            permits: Vec::new(),
            leases: Vec::new(),
            foreign: Vec::new(),
            drains: Vec::new(),
            retired: Vec::new(),
            drops,
            model,
            taken: Vec::new(),
        };
        for (c, (tx, rx)) in txs.iter().zip(rxs).enumerate() {
            bench.keep_sender(c, tx.clone());
            bench.keep_receiver(c, rx.clone());
        }
        bench
    }

    fn run(&mut self, ops: &[Op]) -> Verdict {
        for (step, op) in ops.iter().enumerate() {
            let compared = self.step(op).and_then(|()| self.compare());
            compared.map_err(|difference| format!("step {step}, {op:?}: {difference}"))?;
        }
        Ok(())
    }

    /// One step, unless there is nothing to take it on.
    fn step(&mut self, op: &Op) -> Verdict {
        let in_line = self.is_in_line(op);
        let Some(verdict) = self.try_step(op) else {
            return Ok(());
        };
        self.taken.push((op.clone(), in_line));
        verdict
    }

    /// Whether the step is about a handle that has a place in line.
    fn is_in_line(&self, op: &Op) -> bool {
        fn has_place<H>(n: usize, of: &[Own<H>]) -> bool {
            nth(n, of).is_some_and(|k| of[k].place.is_some())
        }
        match *op {
            Op::UseReceiver(n, _) | Op::LendReceiver(n, _) => has_place(n, &self.own_rxs),
            Op::PollRecv(n) | Op::CloneReceiver(n) | Op::DropReceiver(n) => {
                has_place(n, &self.own_rxs)
            }
            Op::UseSender(n, _) | Op::LendSender(n, _) => has_place(n, &self.own_txs),
            Op::SendOwned(n) | Op::PollReserve(n) | Op::StartSend(n) => has_place(n, &self.own_txs),
            Op::PollSend(n) | Op::PollFlush(n) | Op::SinkReady(n) => has_place(n, &self.own_txs),
            Op::CloneSender(n) | Op::DropSender(n) | Op::CloseSink(n) => {
                has_place(n, &self.own_txs)
            }
            Op::Select(ref wants) => wants.iter().any(|want| match *want {
                Want::With(n) => has_place(n, &self.own_rxs),
                _ => false,
            }),
            _ => false,
        }
    }

    fn try_step(&mut self, op: &Op) -> Option<Verdict> {
        Some(match *op {
            Op::Send(c) => {
                let k = self.add_want(Want::Send(c))?;
                self.poll(k)
            }
            Op::Recv(c) => {
                let k = self.add_want(Want::Recv(c))?;
                self.poll(k)
            }
            Op::Reserve(c) => {
                let reserve = Subject::Reserve(slots(&self.txs?[c])?.reserve(), c);
                let k = self.add(reserve, vec![Arm::Reserve(c)]);
                self.poll(k)
            }
            Op::Lease(c) => {
                let lease = Subject::Lease(self.rxs?[c].lease());
                let k = self.add(lease, vec![Arm::Recv(c)]);
                self.poll(k)
            }
            Op::TryLease(c) => {
                let leases = &mut self.leases;
                let said = leased(self.rxs?[c].try_lease(), |lease| leases.push(lease));
                same("answer", &said, &self.model.try_lease(c))
            }
            Op::TakeLease(n) => {
                let k = nth(n, &self.leases)?;
                let said = self.leases.remove(k).take().id;
                same("value", &said, &self.model.take_lease(k))
            }
            Op::DropLease(n) => {
                let k = nth(n, &self.leases)?;
                let mut lease = self.leases.remove(k);
                let said = std::ops::DerefMut::deref_mut(&mut lease).id;
                let (_, _, law) = self.model.leases[k];
                drop(lease);
                self.model.drop_lease(k);
                same("value", &said, &law)
            }
            Op::SendOwned(n) => {
                let k = nth(n, &self.own_txs)?;
                let k = self.send_owned(k);
                self.poll(k)
            }
            Op::PollReserve(n) => self.poll_reserve(n)?,
            Op::Watch(c) => {
                let watch = Subject::Watch(self.rxs?[c].closed());
                let k = self.add(watch, vec![Arm::Watch(c)]);
                self.poll(k)
            }
            Op::SendFrom(c) => {
                let tx = &self.txs?[c];
                let (value, id) = self.value();
                let unsent = Unsent::default();
                let future = Box::pin(send_from(tx, Slot(Some(value), unsent.clone())));
                let k = self.add(Subject::SendFrom(future, unsent), vec![Arm::Send(c, id)]);
                self.poll(k)
            }
            Op::SendMany(c, more) => {
                let tx = &self.txs?[c];
                let (values, ids) = self.values(more + 1);
                let unsent = Unsent::default();
                let future = Box::pin(send_many(tx, Slot(values, unsent.clone())));
                let subject = Subject::SendFrom(future, unsent);
                let k = self.add_many(subject, c, ids);
                self.poll(k)
            }
            Op::RecvMany(c, more) => {
                let future = Box::pin(recv_many(&self.rxs?[c], more + 1));
                let k = self.add(Subject::RecvMany(future), vec![Arm::Recv(c)]);
                self.live[k].limit = more + 1;
                self.poll(k)
            }
            Op::Select(ref wants) => {
                let k = self.add_select(wants)?;
                self.poll(k)
            }
            Op::New(want) => {
                self.add_want(want)?;
                Ok(())
            }
            Op::Poll(n) => {
                let k = nth(n, &self.live)?;
                self.poll(k)
            }
            Op::PollWithAnotherWaker(n) => {
                let k = nth(n, &self.live)?;
                let task = &mut self.live[k].task;
                let old = mem::replace(task, Task::new(task.id));
                // A future that does not park this time leaves the old one where it is: nowhere.
                self.retired.push(old);
                self.poll(k)
            }
            Op::Drop(n) => {
                let k = nth(n, &self.live)?;
                self.drop(k)
            }
            Op::Cancel(n) => {
                let k = nth(n, &self.live)?;
                self.cancel(k)?
            }
            Op::Forget(n) => {
                let k = nth(n, &self.live)?;
                self.forget(k)?
            }
            Op::AddArm(n, want) => {
                let k = nth(n, &self.live)?;
                self.add_arm(k, want)?
            }
            Op::Settle(n) => {
                let k = nth(n, &self.live)?;
                self.settle(k)?
            }
            Op::TrySend(c) => {
                let tx = &self.txs?[c];
                let (value, id) = self.value();
                let said = tried_to_send(tx.try_send(value));
                same("answer", &said, &self.model.try_send(c, id))
            }
            Op::TryRecv(c) => {
                let said = tried_to_receive(self.rxs?[c].try_recv());
                same("answer", &said, &self.model.try_recv(c))
            }
            Op::ForceSend(c) => {
                let tx = &self.txs?[c];
                let (value, id) = self.value();
                let said = forced(tx.force_send(value));
                same("answer", &said, &self.model.force_send(c, id))
            }
            Op::TryReserve(c) => {
                let keep = |permit| self.permits.push((c, permit));
                let tx = slots(&self.txs?[c])?;
                let said = tried_to_reserve(tx.try_reserve(), keep);
                same("answer", &said, &self.model.try_reserve(c))
            }
            Op::TryRecvMany(c, more) => {
                let said = tried_to_receive_many(try_recv_many(&self.rxs?[c], more + 1));
                let law = law_of_try_recv(&mut self.model, c, more + 1);
                same("answer", &said, &law)
            }
            Op::TrySelect(ref wants) => {
                let k = self.add_select(wants)?;
                self.settle(k)?
            }
            Op::Close(c) => {
                let said = match (self.txs, self.rxs) {
                    (Some(txs), _) => txs[c].close(),
                    (_, Some(rxs)) => rxs[c].close(),
                    (None, None) => return None,
                };
                same("close", &said, &self.model.close(c))
            }
            Op::SendReserved(n) => {
                let k = nth(n, &self.permits)?;
                let (value, id) = self.value();
                let (c, permit) = self.permits.remove(k);
                let said = sent(permit.send(value));
                same("answer", &said, &self.model.send_reserved(c, id))
            }
            Op::DropPermit(n) => {
                let k = nth(n, &self.permits)?;
                let (c, permit) = self.permits.remove(k);
                drop(permit);
                self.model.release_permit(c);
                Ok(())
            }
            Op::Drain(c) => {
                let drain = self.rxs?[c].drain();
                let (_, law) = law_of_try_recv(&mut self.model, c, usize::MAX);
                self.drains.push((drain, law.into()));
                Ok(())
            }
            Op::DrainOne(n) => {
                let k = nth(n, &self.drains)?;
                let (drain, law) = &mut self.drains[k];
                let said = drain.next().map(|value| value.id);
                let verdict = same("value", &said, &law.pop_front());
                if said.is_none() {
                    drop(self.drains.remove(k));
                }
                verdict
            }
            Op::DropDrain(n) => {
                let k = nth(n, &self.drains)?;
                drop(self.drains.remove(k));
                Ok(())
            }
            Op::PollRecv(n) => {
                let k = nth(n, &self.own_rxs)?;
                self.poll_recv(k)
            }
            Op::UseReceiver(n, how) => {
                let k = nth(n, &self.own_rxs)?;
                self.use_receiver(k, how)
            }
            Op::LendReceiver(n, how) => {
                let k = nth(n, &self.own_rxs)?;
                let k = self.lend_receiver(k, how)?;
                self.poll(k)
            }
            Op::CloneReceiver(n) => {
                let k = nth(n, &self.own_rxs).filter(|_| self.own_rxs.len() < OWN)?;
                let Own { chan, handle, .. } = &self.own_rxs[k];
                let (c, clone) = (*chan, handle.clone());
                self.keep_receiver(c, clone);
                Ok(())
            }
            Op::DropReceiver(n) => {
                let k = nth(n, &self.own_rxs)?;
                self.drop_receiver(k);
                Ok(())
            }
            Op::PollSend(n) => {
                let k = nth(n, &self.own_txs)?;
                let item = self.value();
                self.poll_send(k, Some(item))
            }
            Op::PollFlush(n) => {
                let k = nth(n, &self.own_txs)?;
                self.poll_send(k, None)
            }
            Op::UseSender(n, how) => {
                let k = nth(n, &self.own_txs)?;
                self.use_sender(k, how)?
            }
            Op::LendSender(n, more) => {
                let k = nth(n, &self.own_txs)?;
                let k = self.lend_sender(k, more + 1);
                self.poll(k)
            }
            Op::CloneSender(n) => {
                let k = nth(n, &self.own_txs).filter(|_| self.own_txs.len() < OWN)?;
                let Own { chan, handle, .. } = &self.own_txs[k];
                let (c, clone) = (*chan, handle.clone());
                self.keep_sender(c, clone);
                Ok(())
            }
            Op::DropSender(n) => {
                let k = nth(n, &self.own_txs)?;
                self.drop_sender(k);
                Ok(())
            }
            Op::StartSend(n) => self.start_send(n)?,
            Op::SinkReady(n) => self.sink_ready(n)?,
            Op::CloseSink(n) => self.close_sink(n)?,
            Op::Ripen(n) => {
                let k = nth(n, &self.foreign)?;
                self.foreign[k].ripen();
                self.model.foreign[k].ready_from = 0;
                Ok(())
            }
            Op::Downgrade(n) => {
                let c = n % self.model.chans.len();
                let tx = self.own_txs.iter().find(|own| own.chan == c)?;
                let rx = self.own_rxs.iter().find(|own| own.chan == c)?;
                self.weak
                    .push((c, tx.handle.downgrade(), rx.handle.downgrade()));
                Ok(())
            }
            Op::UpgradeReceiver(n) => {
                let k = nth(n, &self.weak).filter(|_| self.own_rxs.len() < OWN)?;
                let (c, _, ref weak) = self.weak[k];
                let upgraded = weak.upgrade();
                let law = self.model.upgrade_receiver(c);
                let verdict = same("upgrade", &upgraded.is_some(), &law);
                self.own_rxs.extend(upgraded.map(|handle| own(c, handle)));
                verdict
            }
            Op::UpgradeSender(n) => {
                let k = nth(n, &self.weak).filter(|_| self.own_txs.len() < OWN)?;
                let (c, ref weak, _) = self.weak[k];
                let upgraded = weak.upgrade();
                let law = self.model.upgrade_sender(c);
                let verdict = same("upgrade", &upgraded.is_some(), &law);
                self.own_txs.extend(upgraded.map(|handle| own(c, handle)));
                verdict
            }
        })
    }

    // Futures.

    fn value(&mut self) -> (Counted, Value) {
        let id = self.model.value();
        (self.drops.value(id), id)
    }

    fn values(&mut self, count: usize) -> (VecDeque<Counted>, VecDeque<Value>) {
        (0..count).map(|_| self.value()).unzip()
    }

    fn add(&mut self, subject: Subject<'t, 'r, 's>, arms: Vec<Arm>) -> usize {
        let task = Task::new(self.model.create(arms));
        self.live.push(Live {
            task,
            subject,
            rest: VecDeque::new(),
            limit: 1,
            lent: Lent::default(),
        });
        self.live.len() - 1
    }

    fn add_many(
        &mut self,
        subject: Subject<'t, 'r, 's>,
        c: ChanId,
        mut ids: VecDeque<Value>,
    ) -> usize {
        let first = ids.pop_front().expect("one at least");
        let k = self.add(subject, vec![Arm::Send(c, first)]);
        self.live[k].rest = ids;
        k
    }

    fn add_want(&mut self, want: Want) -> Option<usize> {
        Some(match want {
            Want::Send(c) => {
                let tx = &self.txs?[c];
                let (value, id) = self.value();
                self.add(Subject::Send(tx.send(value)), vec![Arm::Send(c, id)])
            }
            Want::Recv(c) => {
                let recv = Subject::Recv(self.rxs?[c].recv());
                self.add(recv, vec![Arm::Recv(c)])
            }
            Want::With(n) => self.lend_receiver(nth(n, &self.own_rxs)?, Receive::One)?,
            Want::Future(_) => return None,
        })
    }

    fn poll(&mut self, k: usize) -> Verdict {
        let live = &mut self.live[k];
        let waker = live.task.waker();
        let cx = &mut Context::from_waker(&waker);
        let said = live.subject.poll(cx, &mut self.permits, &mut self.leases);
        let law = live.law(&mut self.model);
        if let (Poll::Ready(_), Poll::Ready(_)) = (&said, &law) {
            let Live { task, lent, .. } = self.live.remove(k);
            self.retired.push(task);
            self.come_home(lent);
        }
        same("answer", &said, &law)
    }

    fn drop(&mut self, k: usize) -> Verdict {
        let mut live = self.live.remove(k);
        let law = live.law_of_drop(&mut self.model);
        self.retired.push(live.task);
        let verdict = match live.subject {
            Subject::SendFrom(future, unsent) => {
                drop(future);
                same("values left in the slot", &unsent.take(), &law)
            }
            Subject::SendWith(future, unsent) => {
                drop(future);
                same("values left in the slot", &unsent.take(), &law)
            }
            subject => {
                drop(subject);
                Ok(())
            }
        };
        // The handles that it had have gone with it.
        for (c, place) in live.lent.rxs {
            self.give_up(place);
            self.model.drop_receiver(c);
        }
        if let Some((c, place)) = live.lent.tx {
            self.give_up(place);
            self.model.drop_sender(c);
        }
        verdict
    }

    fn cancel(&mut self, k: usize) -> Option<Verdict> {
        fn twice(cancel: impl FnMut() -> Option<Counted>) -> [Option<Value>; 2] {
            let mut cancel = std::iter::repeat_with(cancel).map(|value| value.map(|it| it.id));
            [(); 2].map(|()| cancel.next().flatten())
        }
        let (said, receives) = match &mut self.live[k].subject {
            Subject::Send(send) => (twice(|| send.cancel()), false),
            Subject::SendOwned(send) => (twice(|| send.cancel()), false),
            Subject::Recv(recv) => (twice(|| recv.cancel()), true),
            Subject::RecvOwned(recv) => (twice(|| recv.cancel()), true),
            _ => return None,
        };
        let mut live = self.live.remove(k);
        let law = match receives {
            true => self.model.cancel_recv(live.task.id),
            false => live.law_of_drop(&mut self.model).pop(),
        };
        let Live {
            task,
            subject,
            lent,
            ..
        } = live;
        self.retired.push(task);
        drop(subject);
        self.come_home(lent);
        Some(same("values of two cancels", &said, &[law, None]))
    }

    /// A parked future may be forgotten: it stands in line for good, and loses what it is handed.
    fn forget(&mut self, k: usize) -> Option<Verdict> {
        let Live { task, subject, .. } = &self.live[k];
        let is_fresh = self.model.futures[task.id].state == State::Fresh;
        let owns_nothing = matches!(
            subject,
            Subject::Send(_)
                | Subject::Recv(_)
                | Subject::Lease(_)
                | Subject::Reserve(..)
                | Subject::Watch(_)
        );
        if is_fresh || !owns_nothing {
            return None;
        }
        let live = self.live.remove(k);
        mem::forget(live.subject);
        self.forgotten.push(live.task);
        Some(Ok(()))
    }

    // Selects.

    /// A select that tries its arms in order, so that there is one right answer.
    fn add_select(&mut self, wants: &[Want]) -> Option<usize> {
        let (txs, rxs) = self.both?;
        let (mut parts, mut arms, mut lent) = (Vec::new(), Vec::new(), Lent::default());
        let mut handles: Vec<Receiver<Counted>> = Vec::new();
        // Which arm is over which handle.
        let mut over = Vec::new();
        for &want in wants {
            match want {
                Want::Recv(c) => {
                    arms.push(Arm::Recv(c));
                    parts.push(Part::Recv(&rxs[c]));
                }
                Want::Send(c) => {
                    let (value, id) = self.value();
                    arms.push(Arm::Send(c, id));
                    parts.push(Part::Send(&txs[c], value));
                }
                Want::Future(ready_from) => {
                    let (foreign, id) = self.foreign(ready_from);
                    arms.push(Arm::Foreign(id));
                    parts.push(Part::Future(foreign));
                }
                Want::With(n) => {
                    let handle = match nth(n, &self.own_rxs) {
                        Some(k) if handles.len() < 2 => {
                            let Own {
                                chan,
                                handle,
                                place,
                                ..
                            } = self.own_rxs.remove(k);
                            handles.push(handle);
                            lent.rxs.push((chan, place));
                            handles.len() - 1
                        }
                        // The same handle in several arms.
                        _ => match nth(n, &handles) {
                            Some(handle) => handle,
                            None => continue,
                        },
                    };
                    over.push((arms.len(), handle));
                    arms.push(Arm::Recv(lent.rxs[handle].0));
                    parts.push(Part::With(handle));
                }
            }
        }
        let f = self.model.futures.len();
        let k = if handles.is_empty() {
            let parts = parts.into_iter().enumerate();
            let select = parts.fold(Select::new().biased(), |select, (index, part)| {
                part.add_to(select, index, &[])
            });
            self.add(Subject::Select(select), arms)
        } else {
            let future = Box::pin(select_with(parts, handles, lent.home.clone()));
            self.add(Subject::SelectWith(future), arms)
        };
        self.model.futures[f].biased = true;
        for (arm, handle) in over {
            if let Some(place) = &lent.rxs[handle].1 {
                self.model.futures[f].over.push((arm, place.id));
            }
        }
        self.live[k].lent = lent;
        Some(k)
    }

    fn foreign(&mut self, ready_from: usize) -> (Arc<Foreign>, ForeignId) {
        let foreign = Foreign::new(ready_from);
        self.foreign.push(foreign.clone());
        (foreign, self.model.foreign(ready_from))
    }

    fn add_arm(&mut self, k: usize, want: Want) -> Option<Verdict> {
        let (txs, rxs) = self.both?;
        let f = self.live[k].task.id;
        let Subject::Select(_) = self.live[k].subject else {
            return None;
        };
        let index = self.model.in_order(f).len();
        let (arm, part) = match want {
            Want::Recv(c) => (Arm::Recv(c), Part::Recv(&rxs[c])),
            Want::Send(c) => {
                let (value, id) = self.value();
                (Arm::Send(c, id), Part::Send(&txs[c], value))
            }
            Want::Future(ready_from) => {
                let (foreign, id) = self.foreign(ready_from);
                (Arm::Foreign(id), Part::Future(foreign))
            }
            Want::With(_) => return None,
        };
        self.model.add_arm(f, arm);
        if let Subject::Select(select) = &mut self.live[k].subject {
            *select = part.add_to(mem::take(select), index, &[]);
        }
        Some(Ok(()))
    }

    /// Ends a select at once, with its default if no arm can proceed.
    fn settle(&mut self, k: usize) -> Option<Verdict> {
        let f = self.live[k].task.id;
        let order = self.model.in_order(f);
        let said = match &mut self.live[k].subject {
            Subject::Select(select) => mem::take(select).try_select(),
            // One that keeps handles cannot be asked.
            Subject::SelectWith(_) => return Some(self.poll(k)),
            _ => return None,
        };
        let law = self.model.try_in_order(f, &order);
        let live = self.live.remove(k);
        self.retired.push(live.task);
        Some(same("answer", &said, &law))
    }

    // Handles.

    fn keep_sender(&mut self, c: ChanId, handle: Sender<Counted>) {
        self.model.add_sender(c);
        self.own_txs.push(own(c, handle));
    }

    fn keep_receiver(&mut self, c: ChanId, handle: Receiver<Counted>) {
        self.model.add_receiver(c);
        self.own_rxs.push(own(c, handle));
    }

    fn drop_sender(&mut self, k: usize) {
        let Own {
            chan,
            handle,
            place,
            slot,
        } = self.own_txs.remove(k);
        drop(handle);
        self.give_up(place);
        if slot {
            self.model.release_permit(chan);
        }
        self.model.drop_sender(chan);
    }

    fn drop_receiver(&mut self, k: usize) {
        let Own {
            chan,
            handle,
            place,
            ..
        } = self.own_rxs.remove(k);
        drop(handle);
        self.give_up(place);
        self.model.drop_receiver(chan);
    }

    /// The place of a handle that is used for something else, or is gone.
    fn give_up(&mut self, place: Option<Task>) {
        if let Some(task) = place {
            if self.model.futures[task.id].state != State::Done {
                self.model.drop(task.id);
            }
            self.retired.push(task);
        }
    }

    /// The handles of a future that has ended, each with its place if that was not given up. Those that it owned have
    /// gone with it.
    fn come_home(&mut self, lent: Lent) {
        let mut handles = lent.home.rxs.take().into_iter();
        for (chan, place) in lent.rxs {
            match handles.next() {
                Some(handle) => self.own_rxs.push(Own {
                    chan,
                    handle,
                    place,
                    slot: false,
                }),
                None => {
                    self.give_up(place);
                    self.model.drop_receiver(chan);
                }
            }
        }
        if let Some((chan, place)) = lent.tx {
            match lent.home.tx.take() {
                Some(handle) => self.own_txs.push(Own {
                    chan,
                    handle,
                    place,
                    slot: false,
                }),
                None => {
                    self.give_up(place);
                    self.model.drop_sender(chan);
                }
            }
        }
    }

    // A receiver that is polled itself is like a future which ends when the handle is used otherwise.

    fn poll_recv(&mut self, k: usize) -> Verdict {
        let Own {
            chan,
            handle,
            place,
            ..
        } = &mut self.own_rxs[k];
        let new = || Task::new(self.model.create(vec![Arm::Recv(*chan)]));
        let task = place.get_or_insert_with(new);
        let waker = task.waker();
        let cx = &mut Context::from_waker(&waker);
        let said = handle.poll_recv(cx).map(|said| (0, received(said)));
        let law = self.model.poll(task.id);
        if law.is_ready() {
            self.retired.extend(place.take());
        }
        same("answer", &said, &law)
    }

    fn use_receiver(&mut self, k: usize, how: Receive) -> Verdict {
        let c = self.own_rxs[k].chan;
        match how {
            Receive::Close => {
                let said = self.own_rxs[k].handle.close();
                return same("close", &said, &self.model.close(c));
            }
            Receive::Look => {
                let rx = &self.own_rxs[k].handle;
                return same("channel", &looks!(rx), &Looks::of(&self.model.chans[c]));
            }
            _ => {}
        }
        let place = self.own_rxs[k].place.take();
        self.give_up(place);
        let task = Task::new(self.model.create(vec![Arm::Recv(c)]));
        let (rx, model) = (&mut self.own_rxs[k].handle, &mut self.model);
        let (said, law) = match how {
            Receive::One => {
                let said = poll_once_as(&task, Pin::new(&mut rx.recv()));
                let said = said.map(|said| alone(received(said)));
                (said, law_of_brief_recv(model, &task, 1))
            }
            Receive::Next => {
                let said = poll_once_as(&task, Pin::new(&mut rx.next()));
                let said = said.map(|said| alone(received(said.ok_or(RecvError))));
                (said, law_of_brief_recv(model, &task, 1))
            }
            Receive::Many(more) => {
                let said = poll_once_as(&task, Box::pin(recv_many(rx, more + 1)).as_mut());
                let law = law_of_brief_recv(model, &task, more + 1);
                (said.map(received_many), law)
            }
            Receive::Until => {
                let said = poll_once_as(&task, Box::pin(rx.recv_until(ready(()))).as_mut());
                let said = match said {
                    Poll::Ready(Err(RecvTimeoutError::Timeout)) => Poll::Pending,
                    Poll::Ready(Ok(value)) => Poll::Ready(alone(received(Ok(value)))),
                    Poll::Ready(Err(RecvTimeoutError::Closed)) => Poll::Ready(alone(Answer::Over)),
                    Poll::Pending => return Err("it waits in spite of its timer".to_owned()),
                };
                (said, law_of_brief_recv(model, &task, 1))
            }
            Receive::OneForgotten | Receive::NextForgotten => {
                let said = if how == Receive::OneForgotten {
                    let mut future = rx.recv();
                    let said = poll_once_as(&task, Pin::new(&mut future));
                    mem::forget(future);
                    said
                } else {
                    let mut future = rx.next();
                    let said = poll_once_as(&task, Pin::new(&mut future));
                    mem::forget(future);
                    said.map(|said| said.ok_or(RecvError))
                };
                let said = said.map(|said| (0, received(said)));
                let law = model.poll(task.id);
                match law {
                    Poll::Pending => self.forgotten.push(task),
                    Poll::Ready(_) => self.retired.push(task),
                }
                return same("answer", &said, &law);
            }
            Receive::Select => {
                let mut select = Select::new().recv(rx, |said| (0, received(said)));
                let said = poll_once_as(&task, Pin::new(&mut select)).map(said_by);
                drop(select);
                (said, law_of_brief_recv(model, &task, 1))
            }
            Receive::TrySelect => {
                let select = Select::new().recv(rx, |said| (0, received(said)));
                let said = select
                    .try_select()
                    .map_or(Poll::Pending, |won| Poll::Ready(said_by(won)));
                (said, law_of_brief_recv(model, &task, 1))
            }
            _ => {
                let (said, limit) = match how {
                    Receive::TryMany(more) => {
                        (tried_to_receive_many(try_recv_many(rx, more + 1)), more + 1)
                    }
                    Receive::TryIter => {
                        let value = rx.try_iter().next();
                        let law = law_of_try_recv(model, c, 1);
                        return same("values", &ids(value.as_slice()), &law.1);
                    }
                    Receive::Drain(count) => {
                        let (_, law) = law_of_try_recv(model, c, usize::MAX);
                        let said: Vec<_> = rx.drain().take(count).collect();
                        let law = &law[..count.min(law.len())];
                        return same("values", &ids(&said), &law.to_vec());
                    }
                    _ => (said_by((0, tried_to_receive(rx.try_recv()))), 1),
                };
                let law = law_of_try_recv(model, c, limit);
                return same("answer", &said, &law);
            }
        };
        self.retired.push(task);
        same("answer", &said, &law)
    }

    /// Makes a future that keeps the handle until it has ended.
    fn lend_receiver(&mut self, k: usize, how: Receive) -> Option<usize> {
        let Own {
            chan,
            handle: mut rx,
            place,
            ..
        } = self.own_rxs.remove(k);
        let f = self.model.create(vec![Arm::Recv(chan)]);
        if let Some(place) = &place {
            self.model.futures[f].over.push((0, place.id));
        }
        let lent = Lent {
            rxs: vec![(chan, place)],
            ..Lent::default()
        };
        let home = lent.home.clone();
        let mut limit = 1;
        if how == Receive::Owned {
            self.live.push(Live {
                task: Task::new(f),
                subject: Subject::RecvOwned(rx.recv_owned()),
                rest: VecDeque::new(),
                limit,
                lent,
            });
            return Some(self.live.len() - 1);
        }
        let future: Boxed<'static, Said> = match how {
            Receive::Many(more) => {
                limit = more + 1;
                Box::pin(async move {
                    let said = recv_many(&rx, limit).await;
                    home.rxs.borrow_mut().push(rx);
                    received_many(said)
                })
            }
            Receive::Next => Box::pin(async move {
                let said = rx.next().await;
                home.rxs.borrow_mut().push(rx);
                alone(received(said.ok_or(RecvError)))
            }),
            _ => Box::pin(async move {
                let said = rx.recv().await;
                home.rxs.borrow_mut().push(rx);
                alone(received(said))
            }),
        };
        self.live.push(Live {
            task: Task::new(f),
            subject: Subject::RecvWith(future),
            rest: VecDeque::new(),
            limit,
            lent,
        });
        Some(self.live.len() - 1)
    }

    // A sender that is polled itself is a send that stays when the handle is left alone.

    fn poll_send(&mut self, k: usize, item: Option<(Counted, Value)>) -> Verdict {
        self.give_up_slot(k);
        let Own {
            chan,
            handle,
            place,
            ..
        } = &mut self.own_txs[k];
        let (mut item, mut id) = item.unzip();
        let mut task = place.take().unwrap_or_else(|| Task::new(FutureId::MAX));
        task.hears = true;
        let said = {
            let waker = task.waker();
            let cx = &mut Context::from_waker(&waker);
            handle.poll_send(cx, &mut item).map(sent)
        };
        let mut law = Poll::Ready(Answer::Sent);
        if task.id != FutureId::MAX {
            law = self.model.poll(task.id).map(|(_, answer)| answer);
        }
        if law == Poll::Ready(Answer::Sent) {
            if let Some(id) = id.take() {
                task.id = self.model.create(vec![Arm::Send(*chan, id)]);
                law = self.model.poll(task.id).map(|(_, answer)| answer);
            }
        }
        match law {
            Poll::Pending => *place = Some(task),
            Poll::Ready(_) => self.retired.push(task),
        }
        if let Some(id) = id {
            self.model.discard(id);
        }
        same("item left", &item.map(|value| value.id), &id)?;
        same("answer", &said, &law)
    }

    /// Whether the place of this sender is for a slot, and no staged value's.
    fn reserves(&self, k: usize) -> bool {
        let place = self.own_txs[k].place.as_ref();
        place.is_some_and(|task| matches!(self.model.futures[task.id].arms[0], Arm::Reserve(_)))
    }

    /// A sender that sends in another way gives up the slot that it holds, or the place in line for one.
    fn give_up_slot(&mut self, k: usize) {
        if mem::take(&mut self.own_txs[k].slot) {
            self.model.release_permit(self.own_txs[k].chan);
        }
        if self.reserves(k) {
            let place = self.own_txs[k].place.take();
            self.give_up(place);
        }
    }

    /// What is staged stays so, whatever else is done with the handle.
    fn use_sender(&mut self, k: usize, how: Give) -> Option<Verdict> {
        let c = self.own_txs[k].chan;
        if how == Give::TryReserve {
            slots(&self.own_txs[k].handle)?;
        }
        if how != Give::Close {
            self.give_up_slot(k);
        }
        if how == Give::TryReserve {
            let tx = &self.own_txs[k].handle;
            let said = tried_to_reserve(tx.try_reserve(), drop);
            let law = self.model.try_reserve(c);
            if law == Answer::Granted {
                self.model.release_permit(c);
            }
            return Some(same("answer", &said, &law));
        }
        if how == Give::Close {
            let said = self.own_txs[k].handle.close();
            return Some(same("close", &said, &self.model.close(c)));
        }
        let (value, id) = self.value();
        let tx = &self.own_txs[k].handle;
        let (said, law) = match how {
            Give::Force => (forced(tx.force_send(value)), self.model.force_send(c, id)),
            Give::Try => (
                tried_to_send(tx.try_send(value)),
                self.model.try_send(c, id),
            ),
            _ => {
                let task = Task::new(self.model.create(vec![Arm::Send(c, id)]));
                let mut send = tx.send(value);
                let said = poll_once_as(&task, Pin::new(&mut send)).map(sent);
                let law = self.model.poll(task.id).map(|(_, answer)| answer);
                if how == Give::OneForgotten {
                    mem::forget(send);
                    self.forgotten.push(task);
                } else {
                    drop(send);
                    self.give_up(Some(task));
                }
                return Some(same("answer", &said, &law));
            }
        };
        Some(same("answer", &said, &law))
    }

    /// Makes a future that keeps the handle until it has ended.
    fn lend_sender(&mut self, k: usize, count: usize) -> usize {
        self.give_up_slot(k);
        let (values, ids) = self.values(count);
        let Own {
            chan,
            handle: tx,
            place,
            ..
        } = self.own_txs.remove(k);
        let lent = Lent {
            tx: Some((chan, place)),
            ..Lent::default()
        };
        let (home, unsent) = (lent.home.clone(), Unsent::default());
        let slot = Slot(values, unsent.clone());
        let future = Box::pin(async move {
            let said = send_many(&tx, slot).await;
            home.tx.replace(Some(tx));
            said
        });
        let k = self.add_many(Subject::SendWith(future, unsent), chan, ids);
        self.live[k].lent = lent;
        k
    }

    /// Makes a send that owns the handle.
    fn send_owned(&mut self, k: usize) -> usize {
        self.give_up_slot(k);
        let (value, id) = self.value();
        let Own {
            chan,
            handle: tx,
            place,
            ..
        } = self.own_txs.remove(k);
        let send = Subject::SendOwned(tx.send_owned(value));
        let k = self.add(send, vec![Arm::Send(chan, id)]);
        self.live[k].lent.tx = Some((chan, place));
        k
    }

    // A sink holds a slot, or on capacity 0 stages one item.

    fn start_send(&mut self, n: usize) -> Option<Verdict> {
        let k = nth(n, &self.own_txs)?;
        let c = self.own_txs[k].chan;
        if self.own_txs[k].place.is_some() && !self.reserves(k) {
            return None;
        }
        let (value, id) = self.value();
        if mem::take(&mut self.own_txs[k].slot) {
            let said = Pin::new(&mut self.own_txs[k].handle).start_send(value);
            return Some(same(
                "answer",
                &sent(said),
                &self.model.send_reserved(c, id),
            ));
        }
        self.give_up_slot(k);
        let own = &mut self.own_txs[k];
        let mut task = Task::new(self.model.create(vec![Arm::Send(c, id)]));
        let law = self.model.poll(task.id).map(|(_, answer)| answer);
        let said = Pin::new(&mut own.handle).start_send(value);
        let said = said.map_err(|SendError(value)| value.id);
        let law = match law {
            Poll::Ready(answer) => {
                self.retired.push(task);
                match answer {
                    Answer::Refused(value) => Err(value),
                    _ => Ok(()),
                }
            }
            Poll::Pending => {
                // The task is not known before the next poll.
                task.hears = false;
                own.place = Some(task);
                Ok(())
            }
        };
        Some(same("answer", &said, &law))
    }

    /// A poll that waits until nothing is staged.
    fn poll_staged(&mut self, k: usize, poll: PollSink) -> Verdict {
        let own = &mut self.own_txs[k];
        let mut task = own.place.take().unwrap_or_else(|| Task::new(FutureId::MAX));
        task.hears = true;
        let said = {
            let waker = task.waker();
            let cx = &mut Context::from_waker(&waker);
            poll(Pin::new(&mut own.handle), cx).map(sent)
        };
        let mut law = Poll::Ready(Answer::Sent);
        if task.id != FutureId::MAX {
            law = self.model.poll(task.id).map(|(_, answer)| answer);
        }
        match law {
            Poll::Pending => own.place = Some(task),
            Poll::Ready(_) => self.retired.push(task),
        }
        same("answer", &said, &law)
    }

    fn sink_ready(&mut self, n: usize) -> Option<Verdict> {
        let k = nth(n, &self.own_txs)?;
        if self.model.chans[self.own_txs[k].chan].cap == 0 {
            return Some(self.poll_staged(k, Sink::poll_ready));
        }
        let (said, law) = self.poll_slot(k, |handle, cx| Pin::new(handle).poll_ready(cx).map(sent));
        Some(same(
            "answer",
            &said,
            &law.map(|answer| match answer {
                Answer::Granted | Answer::Denied => Answer::Sent,
                answer => answer,
            }),
        ))
    }

    /// Waits for a slot, and keeps it; what is staged goes first.
    fn poll_slot<R>(
        &mut self,
        k: usize,
        poll: impl FnOnce(&mut Sender<Counted>, &mut Context<'_>) -> R,
    ) -> (R, Poll<Answer>) {
        let own = &mut self.own_txs[k];
        let mut task = own.place.take().unwrap_or_else(|| Task::new(FutureId::MAX));
        task.hears = true;
        let said = {
            let waker = task.waker();
            poll(&mut own.handle, &mut Context::from_waker(&waker))
        };
        let mut law = Poll::Ready(Answer::Sent);
        if task.id != FutureId::MAX {
            law = self.model.poll(task.id).map(|(_, answer)| answer);
        }
        if law == Poll::Ready(Answer::Sent) {
            law = Poll::Ready(Answer::Granted);
            if !own.slot {
                task.id = self.model.create(vec![Arm::Reserve(own.chan)]);
                law = self.model.poll(task.id).map(|(_, answer)| answer);
            }
        }
        own.slot |= law == Poll::Ready(Answer::Granted);
        match law {
            Poll::Pending => own.place = Some(task),
            Poll::Ready(_) => self.retired.push(task),
        }
        (said, law)
    }

    /// Polls for a permit, and uses it or gives it up at once.
    fn poll_reserve(&mut self, n: usize) -> Option<Verdict> {
        let k = nth(n, &self.own_txs)?;
        slots(&self.own_txs[k].handle)?;
        let c = self.own_txs[k].chan;
        let (said, law) = self.poll_slot(k, |handle, cx| handle.poll_reserve(cx));
        let law = match law {
            // What was staged is dropped.
            Poll::Ready(Answer::Refused(_)) => Poll::Ready(Answer::Denied),
            law => law,
        };
        let mut permit = None;
        let said = said.map(|said| reserved(said, |granted| permit = Some(granted)));
        let verdict = same("answer", &said, &law);
        let Some(permit) = permit else {
            return Some(verdict);
        };
        self.own_txs[k].slot = false;
        if n % 2 == 0 {
            drop(permit.release());
            self.model.release_permit(c);
            return Some(verdict);
        }
        let (value, id) = self.value();
        let said = sent(permit.send(value).map(drop));
        let law = self.model.send_reserved(c, id);
        Some(verdict.and_then(|()| same("answer", &said, &law)))
    }

    /// What is staged is waited for, and then the handle is given up.
    fn close_sink(&mut self, n: usize) -> Option<Verdict> {
        let k = nth(n, &self.own_txs)?;
        let reserves = self.reserves(k);
        let place = self.own_txs[k].place.take_if(|_| reserves);
        let polled = self.poll_staged(k, Sink::poll_close);
        self.give_up(place);
        if self.own_txs[k].place.is_none() {
            self.drop_sender(k);
        }
        Some(polled)
    }

    // Comparing, and the end.

    fn compare(&mut self) -> Verdict {
        let mut lives = Vec::new();
        let mut places = Vec::new();
        for live in &mut self.live {
            lives.push(&mut live.task);
            places.extend(live.lent.places());
        }
        places.extend(self.own_txs.iter_mut().map(|own| &mut own.place));
        places.extend(self.own_rxs.iter_mut().map(|own| &mut own.place));
        let on_handles = places.iter_mut().filter_map(|place| place.as_mut());
        let tasks = lives.into_iter().chain(&mut self.forgotten);
        let mut tasks: Vec<_> = tasks.chain(on_handles).collect();
        for id in self.model.woken.drain(..) {
            let mut all = tasks.iter_mut().map(|task| &mut **task);
            let mut retired = self.retired.iter_mut();
            let woken = all
                .find(|task| task.id == id)
                .or_else(|| retired.rfind(|task| task.id == id));
            let woken = woken.expect("only the living are woken");
            woken.expected += usize::from(woken.hears);
        }
        for task in tasks {
            same("wakes", &task.wakes.count(), &task.expected)?;
            let keeps = task.hears && self.model.keeps_waker(task.id, usize::MAX);
            same("wakers kept", &task.wakers_kept(), &usize::from(keeps))?;
        }
        // A select has given up the places of its handles.
        for place in places {
            let is_done = |task: &mut Task| self.model.futures[task.id].state == State::Done;
            self.retired.extend(place.take_if(is_done));
        }
        self.retired.drain(..).try_for_each(|task| task.is_gone())?;
        for (c, chan) in self.model.chans.iter().enumerate() {
            let law = Looks::of(chan);
            let tx = self.txs.map(|txs| &txs[c]);
            if let Some(tx) = tx.or_else(|| handle(&self.own_txs, c)) {
                same("channel", &looks!(tx), &law)?;
            }
            let rx = self.rxs.map(|rxs| &rxs[c]);
            if let Some(rx) = rx.or_else(|| handle(&self.own_rxs, c)) {
                same("channel", &looks!(rx), &law)?;
            }
        }
        for (foreign, law) in self.foreign.iter().zip(&self.model.foreign) {
            same("polls", &foreign.polls(), &law.polls)?;
        }
        let held: usize = self.drains.iter().map(|(_, values)| values.len()).sum();
        let out = self.drops.count() + held;
        same("values dropped", &out, &self.model.out.len())?;
        same("broken promises", &self.model.broken(), &vec![])
    }

    fn without_senders(mut self) -> Result<Bench<'static, 'r, 'static>, String> {
        while let Some(k) = self
            .live
            .iter()
            .position(|live| live.subject.needs_senders())
        {
            self.drop(k)?;
            self.compare()?;
        }
        self.drop_permits()?;
        while !self.own_txs.is_empty() {
            self.drop_sender(0);
            self.compare()?;
        }
        let live = self.live.into_iter();
        Ok(Bench {
            txs: None,
            rxs: self.rxs,
            both: None,
            own_txs: Vec::new(),
            own_rxs: self.own_rxs,
            weak: self.weak,
            live: live
                .map(|live| live.with(Subject::into_receiving))
                .collect(),
            forgotten: self.forgotten,
            permits: Vec::new(),
            leases: self.leases,
            foreign: self.foreign,
            drains: self.drains,
            retired: self.retired,
            drops: self.drops,
            model: self.model,
            taken: self.taken,
        })
    }

    fn without_receivers(mut self) -> Result<Bench<'t, 'static, 'static>, String> {
        while let Some(k) = self
            .live
            .iter()
            .position(|live| live.subject.needs_receivers())
        {
            self.drop(k)?;
            self.compare()?;
        }
        self.drains.clear();
        self.drop_leases()?;
        while !self.own_rxs.is_empty() {
            self.drop_receiver(0);
            self.compare()?;
        }
        let live = self.live.into_iter();
        Ok(Bench {
            txs: self.txs,
            rxs: None,
            both: None,
            own_txs: self.own_txs,
            own_rxs: Vec::new(),
            weak: self.weak,
            live: live.map(|live| live.with(Subject::into_sending)).collect(),
            forgotten: self.forgotten,
            permits: self.permits,
            leases: Vec::new(),
            foreign: self.foreign,
            drains: Vec::new(),
            retired: self.retired,
            drops: self.drops,
            model: self.model,
            taken: self.taken,
        })
    }

    /// The last handles of a side go, one after the other.
    fn leave<H>(&mut self, handles: Vec<H>, law: fn(&mut Model, ChanId)) -> Verdict {
        for (c, handle) in handles.into_iter().enumerate() {
            drop(handle);
            law(&mut self.model, c);
            self.compare()?;
        }
        Ok(())
    }

    fn drop_permits(&mut self) -> Verdict {
        while !self.permits.is_empty() {
            self.step(&Op::DropPermit(0))?;
            self.compare()?;
        }
        Ok(())
    }

    fn drop_leases(&mut self) -> Verdict {
        while !self.leases.is_empty() {
            self.step(&Op::DropLease(0))?;
            self.compare()?;
        }
        Ok(())
    }

    /// Drops what is left; tells the steps that were taken, and how many values there were.
    fn end(mut self) -> Result<(Vec<Taken>, usize), String> {
        while !self.live.is_empty() {
            self.drop(0)?;
            self.compare()?;
        }
        self.drop_permits()?;
        self.drop_leases()?;
        let values = self.model.value();
        Ok((self.taken, values))
    }
}

/// The one of them that `n` chooses.
fn nth<X>(n: usize, of: &[X]) -> Option<usize> {
    n.checked_rem(of.len())
}

fn own<H>(chan: ChanId, handle: H) -> Own<H> {
    Own {
        chan,
        handle,
        place: None,
        slot: false,
    }
}

/// A handle on this channel.
fn handle<H>(of: &[Own<H>], c: ChanId) -> Option<&H> {
    let mut handles = of.iter().filter(|own| own.chan == c);
    handles.next().map(|own| &own.handle)
}

/// The sender, if its channel has slots to reserve.
fn slots(tx: &Sender<Counted>) -> Option<&Sender<Counted>> {
    (tx.capacity() != Some(0)).then_some(tx)
}

/// An arm of a select that is to be made.
enum Part<'s> {
    Recv(&'s Receiver<Counted>),
    Send(&'s Sender<Counted>, Counted),
    /// Over one of the select's own handles.
    With(usize),
    Future(Arc<Foreign>),
}

impl<'s> Part<'s> {
    fn add_to(
        self,
        select: Select<'s, Won>,
        index: usize,
        handles: &'s [Receiver<Counted>],
    ) -> Select<'s, Won> {
        match self {
            Self::Recv(rx) => select.recv(rx, move |said| (index, received(said))),
            Self::With(k) => select.recv(&handles[k], move |said| (index, received(said))),
            Self::Send(tx, value) => select.send(tx, value, move |said| (index, sent(said))),
            Self::Future(foreign) => {
                select.future(foreign.future(), move |()| (index, Answer::Ready))
            }
        }
    }
}

/// A select that has handles of its own.
async fn select_with(parts: Vec<Part<'_>>, handles: Vec<Receiver<Counted>>, home: Rc<Home>) -> Won {
    let won = {
        let parts = parts.into_iter().enumerate();
        let mut select = parts.fold(Select::new().biased(), |select, (index, part)| {
            part.add_to(select, index, &handles)
        });
        poll_fn(|cx| poll_fused(&mut select, cx)).await
    };
    home.rxs.replace(handles);
    won
}

type PollSink =
    fn(Pin<&mut Sender<Counted>>, &mut Context<'_>) -> Poll<Result<(), SendError<Counted>>>;
