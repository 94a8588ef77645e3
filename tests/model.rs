//! The crate against a model of its rules: the same script for both, compared after every step.
//!
//! A script is a list of calls on one channel. Its futures are polled and dropped by hand, so that
//! "parks", "is handed a value" and "is dropped before it looked" are steps like any other. What is
//! compared: every answer, who was woken and how often, whose waker the channel keeps, the length, the
//! flags, the two lines, and how many values were dropped.
//!
//! Short scripts are tried exhaustively, long ones at random. The model proves itself: with any of its
//! rules broken it is refuted, by its own promises and by the crate.

mod support;

#[path = "support/model.rs"]
mod model;

#[path = "support/answers.rs"]
mod answers;

#[path = "support/script.rs"]
mod script;

use std::collections::VecDeque;
use std::fmt;
use std::iter::repeat_n;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::task::{Context, Poll};

use hchan::{
    ClosedFuture, Permit, Receiver, RecvError, RecvFuture, ReserveFuture, SendError, SendFuture,
    Sender, TryRecvError,
};
use proptest::prelude::*;

use self::answers::{forced, reserved, sent, tried_to_reserve, tried_to_send};
use self::model::{Answer, Arm, FutureId, Model, Mutation, Promise, State, UNBOUNDED, Value};
use self::script::{
    Boxed, Looks, Slot, Steps, Task, Unsent, Verdict, looks, poll_fused, same, shortest_difference,
};
use self::support::{Counted, Drops, poll_once};

/// One step of a script. Numbers choose among what is alive, modulo how much that is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    // The basic steps. `Send` and `Recv` make a future and poll it.
    Send,
    Recv,
    Poll(usize),
    Drop(usize),
    TrySend,
    TryRecv,
    Close,

    // More futures, and more to do with them.
    NewSend,
    NewRecv,
    PollWithAnotherWaker(usize),
    Cancel(usize),
    Forget(usize),
    SendFrom,
    SendMany(usize),
    RecvMany(usize),
    Watch,

    // More calls.
    ForceSend,
    TryRecvMany(usize),
    Drain,
    Reserve,
    TryReserve,
    SendReserved(usize),
    DropPermit(usize),

    // Handles with a place in line of their own.
    PollRecv,
    OwnRecv,
    OwnTryRecv,
    OwnTryRecvMany(usize),
    OwnRecvMany(usize),
    RenewReceiver,
    PollSend,
    PollFlush,
    RenewSender,
}

impl Op {
    /// Whether it is done on a sender.
    fn is_sending(self) -> bool {
        use Op::*;
        matches!(
            self,
            Send | NewSend
                | SendFrom
                | SendMany(_)
                | TrySend
                | ForceSend
                | Reserve
                | TryReserve
                | SendReserved(_)
                | DropPermit(_)
                | PollSend
                | PollFlush
                | RenewSender
        )
    }
}

/// Whose handles go first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Senders,
    Receivers,
}

/// Steps on a new channel; then the handles of one side go, and a few steps follow.
#[derive(Clone)]
struct Script {
    capacity: usize,
    before: Vec<Op>,
    leaves_first: Side,
    after: Vec<Op>,
}

impl Script {
    fn without(&self, step: usize) -> Self {
        let mut shorter = self.clone();
        match step.checked_sub(self.before.len()) {
            None => shorter.before.remove(step),
            Some(step) => shorter.after.remove(step),
        };
        shorter
    }
}

impl Steps for Script {
    fn shorter(&self) -> Vec<Self> {
        let steps = 0..self.before.len() + self.after.len();
        steps.map(|step| self.without(step)).collect()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.capacity {
            UNBOUNDED => f.write_str("unbounded:")?,
            capacity => write!(f, "capacity {capacity}:")?,
        }
        let (mut before, mut after) = (self.before.iter(), self.after.iter());
        before.try_for_each(|op| write!(f, " {op:?};"))?;
        write!(f, " {:?} leave;", self.leaves_first)?;
        after.try_for_each(|op| write!(f, " {op:?};"))
    }
}

/// Plays the script on the crate and on the model.
fn play(script: &Script, mutation: Option<Mutation>) -> Verdict {
    let played = panic::catch_unwind(AssertUnwindSafe(|| {
        let drops = Drops::default();
        let values = play_to_the_end(script, mutation, &drops)?;
        same("values dropped with the channel", &drops.count(), &values)
    }));
    played.unwrap_or_else(|_| Err("a panic".to_owned()))
}

/// Returns how many values there were.
fn play_to_the_end(
    script: &Script,
    mutation: Option<Mutation>,
    drops: &Drops,
) -> Result<usize, String> {
    let (tx, rx) = match script.capacity {
        UNBOUNDED => hchan::unbounded(),
        capacity => hchan::bounded(capacity),
    };
    let model = Model::new(&[script.capacity], mutation);
    let mut bench = Bench::new(&tx, &rx, model, drops.clone());
    bench.run(&script.before)?;
    match script.leaves_first {
        Side::Senders => {
            let mut bench = bench.without_senders()?;
            drop(tx);
            bench.model.drop_senders(CHAN);
            bench.compare()?;
            bench.run(&script.after)?;
            bench.end()
        }
        Side::Receivers => {
            let mut bench = bench.without_receivers()?;
            drop(rx);
            bench.model.drop_receivers(CHAN);
            bench.compare()?;
            bench.run(&script.after)?;
            bench.end()
        }
    }
}

/// The model's only channel here.
const CHAN: usize = 0;

/// A future of the crate, on the sending side or on the receiving side.
enum Subject<'t, 'r> {
    Send(SendFuture<'t, Counted>),
    /// `send_from` or `send_many`.
    SendFrom(Boxed<'t, Result<(), SendError<()>>>, Unsent),
    Reserve(ReserveFuture<'t, Counted>),
    Recv(RecvFuture<'r, Counted>),
    RecvMany(Boxed<'r, Result<Vec<Counted>, RecvError>>),
    Watch(ClosedFuture<'r>),
}

/// An answer, and all values that came with it.
type Said = (Answer, Vec<Value>);

impl<'t, 'r> Subject<'t, 'r> {
    fn poll(&mut self, cx: &mut Context<'_>, permits: &mut Vec<Permit<'t, Counted>>) -> Poll<Said> {
        match self {
            Self::Send(future) => poll_fused(future, cx).map(|sent| match sent {
                Ok(()) => (Answer::Sent, vec![]),
                Err(SendError(value)) => (Answer::Refused(value.id), vec![value.id]),
            }),
            Self::SendFrom(future, unsent) => future.as_mut().poll(cx).map(|sent| {
                let unsent = unsent.take();
                match sent {
                    Ok(()) => (Answer::Sent, unsent),
                    Err(SendError(())) => (Answer::Refused(unsent[0]), unsent),
                }
            }),
            Self::Reserve(future) => {
                let keep = |permit| permits.push(permit);
                poll_fused(future, cx).map(|said| (reserved(said, keep), vec![]))
            }
            Self::Recv(future) => poll_fused(future, cx).map(received),
            Self::RecvMany(future) => future.as_mut().poll(cx).map(received_many),
            Self::Watch(future) => poll_fused(future, cx).map(|()| (Answer::Ended, vec![])),
        }
    }

    fn is_sending(&self) -> bool {
        matches!(self, Self::Send(_) | Self::SendFrom(..) | Self::Reserve(_))
    }

    fn into_sending<'any>(self) -> Subject<'t, 'any> {
        match self {
            Self::Send(future) => Subject::Send(future),
            Self::SendFrom(future, unsent) => Subject::SendFrom(future, unsent),
            Self::Reserve(future) => Subject::Reserve(future),
            _ => unreachable!("those that receive are gone"),
        }
    }

    fn into_receiving<'any>(self) -> Subject<'any, 'r> {
        match self {
            Self::Recv(future) => Subject::Recv(future),
            Self::RecvMany(future) => Subject::RecvMany(future),
            Self::Watch(future) => Subject::Watch(future),
            _ => unreachable!("those that send are gone"),
        }
    }
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

fn received(received: Result<Counted, RecvError>) -> Said {
    received_many(received.map(|value| vec![value]))
}

fn received_many(received: Result<Vec<Counted>, RecvError>) -> Said {
    match received {
        Ok(values) => (Answer::Received(values[0].id), ids(&values)),
        Err(RecvError) => (Answer::Over, vec![]),
    }
}

fn tried(received: Result<Vec<Counted>, TryRecvError>) -> Said {
    match received {
        Ok(values) => (Answer::Received(values[0].id), ids(&values)),
        Err(TryRecvError::Empty) => (Answer::Empty, vec![]),
        Err(TryRecvError::Closed) => (Answer::Over, vec![]),
    }
}

fn ids(values: &[Counted]) -> Vec<Value> {
    values.iter().map(|value| value.id).collect()
}

/// A future of the crate with its row in the model.
struct Live<'t, 'r> {
    task: Task,
    subject: Subject<'t, 'r>,
    /// The values that a `send_many` has not come to.
    rest: VecDeque<Value>,
    /// How many values a receive takes.
    limit: usize,
}

impl<'t, 'r> Live<'t, 'r> {
    /// The model's poll. A bulk operation is a single one that goes on by itself.
    fn law(&mut self, model: &mut Model) -> Poll<Said> {
        loop {
            let Poll::Ready((_, answer)) = model.poll(self.task.id) else {
                return Poll::Pending;
            };
            let values = match answer {
                Answer::Sent => match self.rest.pop_front() {
                    Some(next) => {
                        self.task.id = model.create(vec![Arm::Send(CHAN, next)]);
                        continue;
                    }
                    None => vec![],
                },
                Answer::Refused(value) => [vec![value], self.discard_rest(model)].concat(),
                Answer::Received(value) => receive_more(model, value, self.limit),
                _ => vec![],
            };
            return Poll::Ready((answer, values));
        }
    }

    fn law_of_drop(&mut self, model: &mut Model) -> Vec<Value> {
        [model.drop(self.task.id), self.discard_rest(model)].concat()
    }

    fn discard_rest(&mut self, model: &mut Model) -> Vec<Value> {
        self.rest.iter().for_each(|&value| model.discard(value));
        self.rest.drain(..).collect()
    }

    fn with<'t2, 'r2>(
        self,
        subject: impl Fn(Subject<'t, 'r>) -> Subject<'t2, 'r2>,
    ) -> Live<'t2, 'r2> {
        let Self {
            task, rest, limit, ..
        } = self;
        Live {
            task,
            subject: subject(self.subject),
            rest,
            limit,
        }
    }
}

fn receive_more(model: &mut Model, first: Value, limit: usize) -> Vec<Value> {
    let mut values = vec![first];
    while values.len() < limit {
        match model.try_recv(CHAN) {
            Answer::Received(value) => values.push(value),
            _ => break,
        }
    }
    values
}

/// A channel of the crate and its model, side by side.
struct Bench<'t, 'r> {
    /// The handles that the futures borrow.
    tx: Option<&'t Sender<Counted>>,
    rx: Option<&'r Receiver<Counted>>,
    /// The handles that are polled themselves, and their places in line.
    own_tx: Option<Sender<Counted>>,
    own_rx: Option<Receiver<Counted>>,
    staged: Option<Task>,
    standing: Option<Task>,
    live: Vec<Live<'t, 'r>>,
    forgotten: Vec<Task>,
    permits: Vec<Permit<'t, Counted>>,
    /// Those that have ended in this step.
    retired: Vec<Task>,
    drops: Drops,
    model: Model,
}

impl<'t, 'r> Bench<'t, 'r> {
    fn new(tx: &'t Sender<Counted>, rx: &'r Receiver<Counted>, model: Model, drops: Drops) -> Self {
        Self {
            tx: Some(tx),
            rx: Some(rx),
            own_tx: Some(tx.clone()),
            own_rx: Some(rx.clone()),
            staged: None,
            standing: None,
            live: Vec::new(),
            forgotten: Vec::new(),
            permits: Vec::new(),
            retired: Vec::new(),
            drops,
            model,
        }
    }

    fn run(&mut self, ops: &[Op]) -> Verdict {
        for (step, &op) in ops.iter().enumerate() {
            let compared = self.step(op).and_then(|()| self.compare());
            compared.map_err(|difference| format!("step {step}, {op:?}: {difference}"))?;
        }
        Ok(())
    }

    /// One step, unless there is nothing to take it on.
    fn step(&mut self, op: Op) -> Verdict {
        match (op, self.tx, self.rx) {
            (Op::Poll(n), ..) => self.nth(n).map_or(Ok(()), |k| self.poll(k)),
            (Op::Drop(n), ..) => self.nth(n).map_or(Ok(()), |k| self.drop(k)),
            (Op::PollWithAnotherWaker(n), ..) => self.nth(n).map_or(Ok(()), |k| {
                self.change_waker(k);
                self.poll(k)
            }),
            (Op::Cancel(n), ..) => self.nth(n).map_or(Ok(()), |k| self.cancel(k)),
            (Op::Forget(n), ..) => self.nth(n).map_or(Ok(()), |k| self.forget(k)),
            (Op::Close, tx, rx) => {
                let closed = tx.map_or_else(|| rx.map(Receiver::close), |tx| Some(tx.close()));
                same("close", &closed, &Some(self.model.close(CHAN)))
            }
            (op, Some(tx), _) if op.is_sending() => self.step_of_sender(op, tx),
            (op, _, Some(rx)) if !op.is_sending() => self.step_of_receiver(op, rx),
            _ => Ok(()),
        }
    }

    fn step_of_sender(&mut self, op: Op, tx: &'t Sender<Counted>) -> Verdict {
        match op {
            Op::Send | Op::NewSend => {
                let (value, id) = self.value();
                let k = self.add(Subject::Send(tx.send(value)), Arm::Send(CHAN, id));
                if op == Op::Send { self.poll(k) } else { Ok(()) }
            }
            Op::SendFrom => {
                let (value, id) = self.value();
                let unsent = Unsent::default();
                let future = Box::pin(send_from(tx, Slot(Some(value), unsent.clone())));
                let k = self.add(Subject::SendFrom(future, unsent), Arm::Send(CHAN, id));
                self.poll(k)
            }
            Op::SendMany(count) => {
                let (values, ids): (VecDeque<_>, VecDeque<_>) =
                    (0..=count).map(|_| self.value()).unzip();
                let unsent = Unsent::default();
                let future = Box::pin(send_many(tx, Slot(values, unsent.clone())));
                let k = self.add(Subject::SendFrom(future, unsent), Arm::Send(CHAN, ids[0]));
                self.live[k].rest = ids.into_iter().skip(1).collect();
                self.poll(k)
            }
            Op::TrySend => {
                let (value, id) = self.value();
                let said = tried_to_send(tx.try_send(value));
                same("answer", &said, &self.model.try_send(CHAN, id))
            }
            Op::ForceSend => {
                let (value, id) = self.value();
                let said = forced(tx.force_send(value));
                same("answer", &said, &self.model.force_send(CHAN, id))
            }
            Op::Reserve => {
                let k = self.add(Subject::Reserve(tx.reserve()), Arm::Reserve(CHAN));
                self.poll(k)
            }
            Op::TryReserve => {
                let said = tried_to_reserve(tx.try_reserve(), |permit| self.permits.push(permit));
                same("answer", &said, &self.model.try_reserve(CHAN))
            }
            Op::SendReserved(n) if !self.permits.is_empty() => {
                let (value, id) = self.value();
                let permit = self.permits.remove(n % self.permits.len());
                let said = sent(permit.send(value));
                same("answer", &said, &self.model.send_reserved(CHAN, id))
            }
            Op::DropPermit(n) if !self.permits.is_empty() => {
                drop(self.permits.remove(n % self.permits.len()));
                self.model.release_permit(CHAN);
                Ok(())
            }
            Op::PollSend => {
                let (value, id) = self.value();
                self.poll_send(Some((value, id)))
            }
            Op::PollFlush => self.poll_send(None),
            Op::RenewSender => {
                self.own_tx = Some(tx.clone());
                self.give_up_staged();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn step_of_receiver(&mut self, op: Op, rx: &'r Receiver<Counted>) -> Verdict {
        match op {
            Op::Recv | Op::NewRecv => {
                let k = self.add(Subject::Recv(rx.recv()), Arm::Recv(CHAN));
                if op == Op::Recv { self.poll(k) } else { Ok(()) }
            }
            Op::RecvMany(more) => {
                let future = Box::pin(recv_many(rx, more + 1));
                let k = self.add(Subject::RecvMany(future), Arm::Recv(CHAN));
                self.live[k].limit = more + 1;
                self.poll(k)
            }
            Op::Watch => {
                let k = self.add(Subject::Watch(rx.closed()), Arm::Watch(CHAN));
                self.poll(k)
            }
            Op::TryRecv => {
                let said = tried(rx.try_recv().map(|value| vec![value]));
                let law = self.law_of_try_recv(1);
                same("answer", &said, &law)
            }
            Op::TryRecvMany(more) => {
                let said = tried(try_recv_many(rx, more + 1));
                let law = self.law_of_try_recv(more + 1);
                same("answer", &said, &law)
            }
            Op::Drain => {
                let said: Vec<_> = rx.drain().map(|value| value.id).collect();
                let (_, law) = self.law_of_try_recv(usize::MAX);
                same("values", &said, &law)
            }
            Op::PollRecv => {
                let task = self.stand();
                let said = {
                    let waker = task.waker();
                    let own_rx = self.own_rx.as_mut().expect("it goes with `rx`");
                    own_rx
                        .poll_recv(&mut Context::from_waker(&waker))
                        .map(received)
                };
                let law = self.law_of_receive(&task, 1);
                match law {
                    Poll::Pending => self.standing = Some(task),
                    Poll::Ready(_) => self.retire(task),
                }
                same("answer", &said, &law)
            }
            Op::OwnRecv => {
                let task = self.stand();
                let said = poll_once(self.own_rx().recv()).map(received);
                let law = self.law_of_receive(&task, 1);
                self.stand_no_more(task);
                same("answer", &said, &law)
            }
            Op::OwnRecvMany(more) => {
                let task = self.stand();
                let said = poll_once(Box::pin(recv_many(self.own_rx(), more + 1)));
                let law = self.law_of_receive(&task, more + 1);
                self.stand_no_more(task);
                same("answer", &said.map(received_many), &law)
            }
            Op::OwnTryRecv => {
                let said = tried(self.own_rx().try_recv().map(|value| vec![value]));
                let law = self.law_of_own_try_recv(1);
                same("answer", &said, &law)
            }
            Op::OwnTryRecvMany(more) => {
                let said = tried(try_recv_many(self.own_rx(), more + 1));
                let law = self.law_of_own_try_recv(more + 1);
                same("answer", &said, &law)
            }
            Op::RenewReceiver => {
                self.own_rx = Some(rx.clone());
                if let Some(task) = self.standing.take() {
                    self.stand_no_more(task);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    // Futures.

    fn nth(&self, n: usize) -> Option<usize> {
        n.checked_rem(self.live.len())
    }

    fn value(&mut self) -> (Counted, Value) {
        let id = self.model.value();
        (self.drops.value(id), id)
    }

    fn add(&mut self, subject: Subject<'t, 'r>, arm: Arm) -> usize {
        let task = Task::new(self.model.create(vec![arm]));
        self.live.push(Live {
            task,
            subject,
            rest: VecDeque::new(),
            limit: 1,
        });
        self.live.len() - 1
    }

    fn poll(&mut self, k: usize) -> Verdict {
        let live = &mut self.live[k];
        let waker = live.task.waker();
        let said = live
            .subject
            .poll(&mut Context::from_waker(&waker), &mut self.permits);
        let law = live.law(&mut self.model);
        if law.is_ready() {
            let live = self.live.remove(k);
            self.retire(live.task);
        }
        same("answer", &said, &law)
    }

    fn change_waker(&mut self, k: usize) {
        let task = &mut self.live[k].task;
        let old = mem::replace(task, Task::new(task.id));
        // A future that does not park this time leaves the old one where it is: nowhere.
        self.retire(old);
    }

    fn drop(&mut self, k: usize) -> Verdict {
        let mut live = self.live.remove(k);
        let law = live.law_of_drop(&mut self.model);
        self.retire(live.task);
        match live.subject {
            Subject::SendFrom(future, unsent) => {
                drop(future);
                same("values left in the slot", &unsent.take(), &law)
            }
            _ => Ok(()),
        }
    }

    fn cancel(&mut self, k: usize) -> Verdict {
        let Subject::Send(send) = &mut self.live[k].subject else {
            return Ok(());
        };
        let said: Vec<_> = send.cancel().into_iter().map(|value| value.id).collect();
        same("value of a second cancel", &send.cancel().is_some(), &false)?;
        let mut live = self.live.remove(k);
        let law = live.law_of_drop(&mut self.model);
        self.retire(live.task);
        same("value that was not sent", &said, &law)
    }

    /// A parked future may be forgotten: it stands in line for good, and loses what it is handed.
    fn forget(&mut self, k: usize) -> Verdict {
        let is_fresh = self.model.futures[self.live[k].task.id].state == State::Fresh;
        if !is_fresh && matches!(self.live[k].subject, Subject::Send(_) | Subject::Recv(_)) {
            let live = self.live.remove(k);
            mem::forget(live.subject);
            self.forgotten.push(live.task);
        }
        Ok(())
    }

    /// From now on nobody may wake this task, nor keep its waker.
    fn retire(&mut self, task: Task) {
        self.retired.push(task);
    }

    fn law_of_try_recv(&mut self, limit: usize) -> Said {
        match self.model.try_recv(CHAN) {
            Answer::Received(value) => {
                let values = receive_more(&mut self.model, value, limit);
                (Answer::Received(value), values)
            }
            answer => (answer, vec![]),
        }
    }

    // A receiver that is polled itself is like a future which the next call goes on with.

    fn own_rx(&self) -> &Receiver<Counted> {
        self.own_rx.as_ref().expect("it goes with `rx`")
    }

    fn stand(&mut self) -> Task {
        let new = || Task::new(self.model.create(vec![Arm::Recv(CHAN)]));
        self.standing.take().unwrap_or_else(new)
    }

    fn stand_no_more(&mut self, task: Task) {
        self.model.drop(task.id);
        self.retire(task);
    }

    fn law_of_receive(&mut self, task: &Task, limit: usize) -> Poll<Said> {
        self.model.poll(task.id).map(|(_, answer)| match answer {
            Answer::Received(value) => (answer, receive_more(&mut self.model, value, limit)),
            answer => (answer, vec![]),
        })
    }

    /// First what the handle was handed while it stood in line; a place in line is kept.
    fn law_of_own_try_recv(&mut self, limit: usize) -> Said {
        if let Some(task) = self.standing.take() {
            match self.law_of_receive(&task, limit) {
                Poll::Pending => self.standing = Some(task),
                Poll::Ready(said) => {
                    self.retire(task);
                    return said;
                }
            }
        }
        self.law_of_try_recv(limit)
    }

    // A sender that is polled itself is a send that stays when the handle is left alone.

    fn poll_send(&mut self, item: Option<(Counted, Value)>) -> Verdict {
        let (mut item, mut id) = item.unzip();
        let mut task = self
            .staged
            .take()
            .unwrap_or_else(|| Task::new(FutureId::MAX));
        let said = {
            let waker = task.waker();
            let own_tx = self.own_tx.as_mut().expect("it goes with `tx`");
            own_tx
                .poll_send(&mut Context::from_waker(&waker), &mut item)
                .map(sent)
        };
        let mut law = Poll::Ready(Answer::Sent);
        if task.id != FutureId::MAX {
            law = self.model.poll(task.id).map(|(_, answer)| answer);
        }
        if law == Poll::Ready(Answer::Sent) {
            if let Some(id) = id.take() {
                task.id = self.model.create(vec![Arm::Send(CHAN, id)]);
                law = self.model.poll(task.id).map(|(_, answer)| answer);
            }
        }
        match law {
            Poll::Pending => self.staged = Some(task),
            Poll::Ready(_) => self.retire(task),
        }
        if let Some(id) = id {
            self.model.discard(id);
        }
        same("item left", &item.map(|value| value.id), &id)?;
        same("answer", &said, &law)
    }

    fn give_up_staged(&mut self) {
        if let Some(task) = self.staged.take() {
            self.model.drop(task.id);
            self.retire(task);
        }
    }

    // Comparing, and the end.

    fn compare(&mut self) -> Verdict {
        let live = self.live.iter_mut().map(|live| &mut live.task);
        let on_handles = self.staged.iter_mut().chain(&mut self.standing);
        let mut tasks: Vec<_> = live.chain(on_handles).chain(&mut self.forgotten).collect();
        for id in self.model.woken.drain(..) {
            let mut woken = tasks.iter_mut().filter(|task| task.id == id);
            woken.next().expect("only the living are woken").expected += 1;
        }
        for task in tasks {
            same("wakes", &task.wakes.count(), &task.expected)?;
            same(
                "wakers kept",
                &task.wakers_kept(),
                &usize::from(self.model.is_parked(task.id)),
            )?;
        }
        self.retired.drain(..).try_for_each(|task| task.is_gone())?;
        let law = Looks::of(&self.model.chans[CHAN]);
        if let Some(tx) = self.tx {
            same("channel", &looks!(tx), &law)?;
        }
        if let Some(rx) = self.rx {
            same("channel", &looks!(rx), &law)?;
        }
        same("values dropped", &self.drops.count(), &self.model.out.len())?;
        same("broken promises", &self.model.broken(), &vec![])
    }

    fn without_senders(mut self) -> Result<Bench<'static, 'r>, String> {
        while let Some(k) = self.live.iter().position(|live| live.subject.is_sending()) {
            self.drop(k)?;
            self.compare()?;
        }
        while !self.permits.is_empty() {
            self.step(Op::DropPermit(0))?;
            self.compare()?;
        }
        self.own_tx = None;
        self.give_up_staged();
        self.compare()?;
        Ok(Bench {
            tx: None,
            rx: self.rx,
            own_tx: None,
            own_rx: self.own_rx,
            staged: None,
            standing: self.standing,
            live: self
                .live
                .into_iter()
                .map(|live| live.with(Subject::into_receiving))
                .collect(),
            permits: Vec::new(),
            forgotten: self.forgotten,
            retired: self.retired,
            drops: self.drops,
            model: self.model,
        })
    }

    fn without_receivers(mut self) -> Result<Bench<'t, 'static>, String> {
        while let Some(k) = self.live.iter().position(|live| !live.subject.is_sending()) {
            self.drop(k)?;
            self.compare()?;
        }
        self.own_rx = None;
        if let Some(task) = self.standing.take() {
            self.stand_no_more(task);
        }
        self.compare()?;
        Ok(Bench {
            tx: self.tx,
            rx: None,
            own_tx: self.own_tx,
            own_rx: None,
            staged: self.staged,
            standing: None,
            live: self
                .live
                .into_iter()
                .map(|live| live.with(Subject::into_sending))
                .collect(),
            permits: self.permits,
            forgotten: self.forgotten,
            retired: self.retired,
            drops: self.drops,
            model: self.model,
        })
    }

    /// Drops what is left, and returns how many values there were.
    fn end(mut self) -> Result<usize, String> {
        while !self.live.is_empty() {
            self.drop(0)?;
            self.compare()?;
        }
        while !self.permits.is_empty() {
            self.step(Op::DropPermit(0))?;
            self.compare()?;
        }
        Ok(self.model.value())
    }
}

// Short scripts, all of them.

/// The capacities that short scripts can fill.
const SMALL: [usize; 3] = [0, 1, 2];

/// The basic calls; `Poll` and `Drop` come with the futures.
const BASIC: [Op; 5] = [Op::Recv, Op::Send, Op::TrySend, Op::TryRecv, Op::Close];

/// Calls around permits; `SendReserved` and `DropPermit` come with them.
const WITH_PERMITS: [Op; 4] = [Op::Recv, Op::Send, Op::TryRecv, Op::Reserve];

/// One of these steps on the model alone.
fn act(model: &mut Model, op: Op) {
    let live: Vec<_> = model.live().collect();
    let start = |model: &mut Model, arm| {
        let f = model.create(vec![arm]);
        let _ = model.poll(f);
    };
    match op {
        Op::Send => {
            let value = model.value();
            start(model, Arm::Send(CHAN, value));
        }
        Op::Recv => start(model, Arm::Recv(CHAN)),
        Op::Reserve => start(model, Arm::Reserve(CHAN)),
        Op::Poll(k) => drop(model.poll(live[k])),
        Op::Drop(k) => drop(model.drop(live[k])),
        Op::TrySend => {
            let value = model.value();
            model.try_send(CHAN, value);
        }
        Op::TryRecv => drop(model.try_recv(CHAN)),
        Op::Close => drop(model.close(CHAN)),
        Op::SendReserved(_) => {
            let value = model.value();
            model.send_reserved(CHAN, value);
        }
        Op::DropPermit(_) => model.release_permit(CHAN),
        _ => unreachable!("{op:?} is for random scripts"),
    }
}

/// Visits all scripts up to a length, beginnings first, until a visit fails.
fn each_script(
    calls: &[Op],
    length: usize,
    model: &Model,
    script: &mut Vec<Op>,
    visit: &mut impl FnMut(&[Op], &Model) -> Verdict,
) -> Verdict {
    visit(script, model)?;
    if script.len() == length {
        return Ok(());
    }
    let futures = (0..model.live().count()).flat_map(|k| [Op::Poll(k), Op::Drop(k)]);
    let permits = (model.permits(CHAN) > 0).then_some([Op::SendReserved(0), Op::DropPermit(0)]);
    let steps = calls.iter().copied().chain(futures);
    for op in steps.chain(permits.into_iter().flatten()) {
        let mut next = model.clone();
        act(&mut next, op);
        script.push(op);
        each_script(calls, length, &next, script, visit)?;
        script.pop();
    }
    Ok(())
}

/// The first difference between crate and model in all scripts of a length, or how many there are.
fn differs_at(length: usize, calls: &[Op], mutation: Option<Mutation>) -> Result<usize, String> {
    let mut scripts = 0;
    for capacity in SMALL {
        let model = Model::new(&[capacity], mutation);
        each_script(calls, length, &model, &mut Vec::new(), &mut |ops, _| {
            if ops.len() < length {
                return Ok(());
            }
            scripts += 1;
            let script = Script {
                capacity,
                before: ops.to_vec(),
                leaves_first: [Side::Senders, Side::Receivers][scripts % 2],
                after: Vec::new(),
            };
            play(&script, mutation).map_err(|difference| format!("{script:?} {difference}"))
        })?;
    }
    Ok(scripts)
}

/// The first script up to a length in which the model breaks a promise, or how many scripts there are.
fn breaks_within(length: usize, calls: &[Op], mutation: Option<Mutation>) -> Result<usize, String> {
    let mut scripts = 0;
    for capacity in SMALL {
        let model = Model::new(&[capacity], mutation);
        each_script(calls, length, &model, &mut Vec::new(), &mut |ops, model| {
            scripts += 1;
            match model.broken() {
                broken if broken.is_empty() => Ok(()),
                broken => Err(format!("capacity {capacity}: {ops:?} breaks {broken:?}")),
            }
        })?;
    }
    Ok(scripts)
}

/// Long enough to fill and drain each small channel, short enough to try them all.
const SHORT: usize = match (cfg!(miri), cfg!(debug_assertions)) {
    (true, _) => 3,
    (false, true) => 6,
    (false, false) => 7,
};

#[test]
fn model_keeps_its_promises_in_every_short_script() {
    for calls in [&BASIC[..], &WITH_PERMITS] {
        let scripts = breaks_within(SHORT, calls, None);
        assert!(scripts.is_ok(), "{scripts:?}");
    }
}

#[test]
fn channel_does_as_the_model_in_every_short_script() {
    let scripts = differs_at(SHORT, &BASIC, None);
    assert!(scripts.is_ok(), "{scripts:?}");
}

#[test]
fn channel_does_as_the_model_in_every_short_script_with_permits() {
    let scripts = differs_at(SHORT.min(6), &WITH_PERMITS, None);
    assert!(scripts.is_ok(), "{scripts:?}");
}

#[test]
fn short_scripts_are_all_that_there_are() {
    let mut visited = Vec::new();
    let model = Model::new(&[0], None);
    let visits = each_script(&BASIC, 2, &model, &mut Vec::new(), &mut |ops, _| {
        visited.push(ops.to_vec());
        Ok(())
    });
    assert_eq!(visits, Ok(()));
    // Nothing; five calls; the same five after each, and two more after the two that park.
    assert_eq!(visited.len(), 1 + 5 + 5 * 5 + 2 * 2);
    assert!(visited.contains(&vec![Op::Recv, Op::Drop(0)]));
}

// Long scripts, at random.

/// Makes a step with this number, if it has one.
type Step = fn(usize) -> Op;

/// How often each step is taken, the simple ones first, since scripts shrink towards them.
const STEPS: [(usize, Step); 32] = [
    (8, |_| Op::Recv),
    (8, |_| Op::Send),
    (4, |_| Op::TrySend),
    (4, |_| Op::TryRecv),
    (12, Op::Drop),
    (12, Op::Poll),
    (1, |_| Op::Close),
    (2, |_| Op::NewSend),
    (2, |_| Op::NewRecv),
    (2, Op::PollWithAnotherWaker),
    (3, Op::Cancel),
    (1, Op::Forget),
    (2, |_| Op::SendFrom),
    (2, |n| Op::SendMany(n % 3)),
    (2, |n| Op::RecvMany(n % 3)),
    (1, |_| Op::Watch),
    (2, |_| Op::ForceSend),
    (1, |n| Op::TryRecvMany(n % 3)),
    (1, |_| Op::Drain),
    (4, |_| Op::Reserve),
    (2, |_| Op::TryReserve),
    (3, Op::SendReserved),
    (3, Op::DropPermit),
    (3, |_| Op::PollRecv),
    (1, |_| Op::OwnRecv),
    (1, |_| Op::OwnTryRecv),
    (1, |n| Op::OwnTryRecvMany(n % 3)),
    (1, |n| Op::OwnRecvMany(n % 3)),
    (1, |_| Op::RenewReceiver),
    (3, |_| Op::PollSend),
    (1, |_| Op::PollFlush),
    (1, |_| Op::RenewSender),
];

fn op() -> impl Strategy<Value = Op> {
    let weights = STEPS.iter().map(|(weight, _)| weight).sum::<usize>();
    (0..weights, 0..8_usize).prop_map(|(pick, n)| {
        let mut picks = STEPS
            .iter()
            .flat_map(|&(weight, step)| repeat_n(step, weight));
        let step = picks.nth(pick).expect("picks are below the sum of weights");
        step(n)
    })
}

/// Sixty steps on the average.
fn script() -> impl Strategy<Value = Script> {
    let capacity = prop::sample::select(vec![0, 1, 2, 3, 5, UNBOUNDED]);
    let before = prop::collection::vec(op(), 0..=100);
    let leaves_first = prop::sample::select(vec![Side::Senders, Side::Receivers]);
    let after = prop::collection::vec(op(), 0..=20);
    let parts = (capacity, before, leaves_first, after);
    parts.prop_map(|(capacity, before, leaves_first, after)| Script {
        capacity,
        before,
        leaves_first,
        after,
    })
}

/// A difference between crate and model that a random script leads to; no step of it is needless.
fn differs_somewhere(mutation: Option<Mutation>) -> Option<(Script, String)> {
    let cases = if cfg!(miri) { 20 } else { 20_000 };
    shortest_difference(cases, &script(), |script| play(script, mutation))
}

#[test]
fn channel_does_as_the_model_in_long_random_scripts() {
    if let Some((script, difference)) = differs_somewhere(None) {
        panic!("{script:?} {difference}");
    }
}

// The model has teeth.

/// For each broken rule: the shortest script in which somebody notices, and what does not hold then.
const STORIES: [(Mutation, usize, &[Op], Promise); 7] = [
    (
        Mutation::LosesUnclaimed,
        0,
        &[Op::Recv, Op::TrySend, Op::Drop(0)],
        Promise::OnePlace,
    ),
    (
        Mutation::PutsBackInFront,
        0,
        &[
            Op::Recv,
            Op::TrySend,
            Op::Recv,
            Op::TrySend,
            Op::Drop(0),
            Op::Drop(0),
        ],
        Promise::InOrder,
    ),
    (
        Mutation::PutsBackPastReceivers,
        0,
        &[Op::Recv, Op::TrySend, Op::Recv, Op::Drop(0)],
        Promise::NoReceiverBesideValues,
    ),
    (
        Mutation::TakesFromSendersFirst,
        0,
        &[Op::Recv, Op::TrySend, Op::Send, Op::Drop(0), Op::TryRecv],
        Promise::OldestFirst,
    ),
    (
        Mutation::ClosedIgnoresUnclaimed,
        0,
        &[Op::Recv, Op::TrySend, Op::Close, Op::TryRecv, Op::Poll(0)],
        Promise::ClosedIsFinal,
    ),
    (
        Mutation::ClaimReleasesNobody,
        0,
        &[Op::Recv, Op::TrySend, Op::Recv, Op::Close, Op::Poll(0)],
        Promise::NoLostWakeup,
    ),
    (
        Mutation::RecvAdmitsNobody,
        1,
        &[Op::Send, Op::Send, Op::TryRecv],
        Promise::NoLostWakeup,
    ),
];

#[test]
#[cfg_attr(miri, ignore = "takes thousands of scripts")]
fn each_broken_rule_breaks_a_promise_in_its_shortest_script() {
    for (mutation, capacity, story, promise) in STORIES {
        let mut model = Model::new(&[capacity], Some(mutation));
        story.iter().for_each(|&op| act(&mut model, op));
        assert!(
            model.broken().contains(&promise),
            "{mutation:?} keeps {promise:?}"
        );
        let shorter = breaks_within(story.len() - 1, &BASIC, Some(mutation));
        assert!(
            shorter.is_ok(),
            "{mutation:?} is noticed earlier: {shorter:?}"
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes thousands of scripts")]
fn each_broken_rule_is_noticed_in_a_short_script() {
    for (mutation, _, story, _) in STORIES {
        let differs =
            (1..=story.len()).any(|length| differs_at(length, &BASIC, Some(mutation)).is_err());
        assert!(differs, "{mutation:?} is not noticed");
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes thousands of scripts")]
fn each_broken_rule_is_noticed_in_a_random_script() {
    for (mutation, ..) in STORIES {
        let differs = differs_somewhere(Some(mutation)).is_some();
        assert!(differs, "{mutation:?} is not noticed");
    }
}
