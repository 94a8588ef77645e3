//! Selects against a model of the rules: the same script on several channels for crate and model,
//! compared after every step.
//!
//! A script mixes selects with plain calls and permits on two or three channels. Selects, like all
//! futures, are polled and dropped by hand; some of their arms are foreign futures, which are ready at a
//! certain poll, or when the script says so. What is compared: every answer and which arm it was, who was
//! woken and how often, whose waker is kept, what each channel looks like (an arm whose select has won
//! stands in no line any more), how many values were dropped, what is left in the slots of `send_from`,
//! and how often each foreign future was polled.
//!
//! A biased select has one right answer. A fair one is a biased one in any order, which nobody sees at
//! once: two sends of one select may stand in a channel's line either way. So there are several worlds,
//! one for each way in which the model may have come here, and each observation leaves those that agree
//! with it. The crate is wrong when no world is left.
//!
//! Short scripts are tried exhaustively, long ones at random. The model proves itself: with any of its
//! rules for selects broken it is refuted, by its own promises and by the crate.

mod support;

#[path = "support/model.rs"]
mod model;

#[path = "support/answers.rs"]
mod answers;

#[path = "support/script.rs"]
mod script;

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::task::{Context, Poll};

use hchan::{Permit, Receiver, RecvFuture, ReserveFuture, Select, SendError, SendFuture, Sender};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use self::answers::{
    forced, received, reserved, sent, tried_to_receive, tried_to_reserve, tried_to_send,
};
use self::model::{
    Answer, Arm, ChanId, ForeignId, FutureId, Model, Mutation, Promise, State, Value,
};
use self::script::{
    Boxed, Foreign, Looks, Slot, Steps, Task, Unsent, Verdict, looks, poll_fused, same,
    shortest_difference,
};
use self::support::{Counted, Drops};

/// What an arm does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Recv,
    Send,
    SendFrom,
    /// Waits for a future that is ready at its nth poll, or without an n when the script says so.
    Future,
}

/// An arm: what it does, and where; without a channel it is on one of `never`.
#[derive(Clone, Copy, PartialEq)]
struct Want(Way, Option<ChanId>);

impl fmt::Debug for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(chan) => write!(f, "{:?} {chan}", self.0),
            None => write!(f, "{:?} never", self.0),
        }
    }
}

/// In which order a select tries its arms.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bias {
    Source,
    Fair,
}

/// One step of a script. Numbers choose among the futures that are alive, modulo how many there are.
#[derive(Clone, Debug, PartialEq)]
enum Op {
    /// Makes a select and polls it.
    Select(Bias, Vec<Want>),
    /// Makes a select, no more.
    NewSelect(Bias, Vec<Want>),
    TrySelect(Bias, Vec<Want>),
    Send(ChanId),
    Recv(ChanId),
    TrySend(ChanId),
    TryRecv(ChanId),
    ForceSend(ChanId),
    Reserve(ChanId),
    TryReserve(ChanId),
    /// Uses a permit.
    SendReserved(usize),
    DropPermit(usize),
    Close(ChanId),
    /// Makes one of the foreign futures ready.
    Ripen(usize),
    Poll(usize),
    PollWithAnotherWaker(usize),
    Drop(usize),
    /// Takes the value back from a plain send.
    Cancel(usize),
}

impl Op {
    fn arms(&self) -> Option<&Vec<Want>> {
        match self {
            Self::Select(_, arms) | Self::NewSelect(_, arms) | Self::TrySelect(_, arms) => {
                Some(arms)
            }
            _ => None,
        }
    }

    fn with_arms(&self, arms: Vec<Want>) -> Self {
        match *self {
            Self::Select(bias, _) => Self::Select(bias, arms),
            Self::NewSelect(bias, _) => Self::NewSelect(bias, arms),
            Self::TrySelect(bias, _) => Self::TrySelect(bias, arms),
            _ => unreachable!("only a select has arms"),
        }
    }
}

/// Steps on new channels of these capacities.
#[derive(Clone, PartialEq)]
struct Script {
    capacities: Vec<usize>,
    ops: Vec<Op>,
}

impl Steps for Script {
    fn shorter(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for step in 0..self.ops.len() {
            let mut shorter = self.clone();
            shorter.ops.remove(step);
            all.push(shorter);
        }
        for (step, op) in self.ops.iter().enumerate() {
            let arms = op.arms().map_or(&[][..], |arms| arms);
            for arm in 0..arms.len() {
                let mut fewer = arms.to_vec();
                fewer.remove(arm);
                let mut shorter = self.clone();
                shorter.ops[step] = op.with_arms(fewer);
                all.push(shorter);
            }
        }
        all
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capacities {:?}:", self.capacities)?;
        self.ops.iter().try_for_each(|op| write!(f, " {op:?};"))
    }
}

/// What playing a script comes to.
#[derive(Clone, Copy, Debug, Default)]
struct Played {
    /// How many futures are alive in the end, and how many arms were futures.
    live: usize,
    foreign: usize,
    /// How many selects won at their first poll, parked, won at a later poll, were dropped after they
    /// had been served; and how many were won by a future.
    at_once: usize,
    parked: usize,
    served: usize,
    undone: usize,
    ripe: usize,
    /// How many worlds there were at most.
    worlds: usize,
}

/// Plays the script on the crate and on the model.
fn play(script: &Script, mutation: Option<Mutation>) -> Result<Played, String> {
    // Fair selects choose the same again when the same script is played again.
    #[cfg(feature = "std")]
    fastrand::seed(script.ops.len() as u64);
    let played = panic::catch_unwind(AssertUnwindSafe(|| {
        let drops = Drops::default();
        let (played, values) = play_to_the_end(script, mutation, &drops)?;
        same("values dropped with the channels", &drops.count(), &values)?;
        Ok(played)
    }));
    played.unwrap_or_else(|_| Err("a panic".to_owned()))
}

/// Returns how many values there were, too.
fn play_to_the_end(
    script: &Script,
    mutation: Option<Mutation>,
    drops: &Drops,
) -> Result<(Played, usize), String> {
    let chans: Vec<_> = script
        .capacities
        .iter()
        .map(|&capacity| hchan::bounded(capacity))
        .collect();
    let never = hchan::never();
    let mut bench = Bench {
        chans: &chans,
        never: &never,
        live: Vec::new(),
        foreign: Vec::new(),
        permits: Vec::new(),
        retired: Vec::new(),
        drops: drops.clone(),
        worlds: vec![model_of(&script.capacities, mutation)],
        played: Played::default(),
    };
    bench.run(&script.ops)?;
    bench.played.live = bench.live.len();
    bench.played.foreign = bench.foreign.len();
    Ok((bench.played, bench.end()?))
}

/// With two more channels, on one of which everyone receives and nobody sends, on the other the other
/// way round: nothing ever happens there.
fn model_of(capacities: &[usize], mutation: Option<Mutation>) -> Model {
    Model::new(&[capacities, &[0, 0]].concat(), mutation)
}

type Handles = (Sender<Counted>, Receiver<Counted>);

/// The arm that won, and what it says.
type Won = (usize, Answer);

/// What a future says, and what is left in its slots when it has ended.
type Said = (Poll<Won>, Vec<Value>);

/// A future of the crate.
enum Subject<'a> {
    Send(SendFuture<'a, Counted>),
    Recv(RecvFuture<'a, Counted>),
    Reserve(ReserveFuture<'a, Counted>, ChanId),
    Select(Boxed<'a, Won>, Unsent),
}

/// The permits that are out.
type Permits<'a> = Vec<(ChanId, Permit<'a, Counted>)>;

impl<'a> Subject<'a> {
    fn poll(&mut self, cx: &mut Context<'_>, permits: &mut Permits<'a>) -> Said {
        match self {
            Self::Send(future) => {
                let polled = poll_fused(future, cx);
                (polled.map(|said| (0, sent(said))), vec![])
            }
            Self::Recv(future) => {
                let polled = poll_fused(future, cx);
                (polled.map(|said| (0, received(said))), vec![])
            }
            Self::Reserve(future, c) => {
                let polled = poll_fused(future, cx);
                let keep = |permit| permits.push((*c, permit));
                (polled.map(|said| (0, reserved(said, keep))), vec![])
            }
            Self::Select(future, unsent) => {
                let polled = future.as_mut().poll(cx);
                (polled, unsent.take())
            }
        }
    }
}

/// What an arm of the crate is made of.
enum Part<'a> {
    Recv(&'a Handles),
    Send(&'a Handles, Counted),
    /// The value is in the next slot.
    SendFrom(&'a Handles, Value),
    Future(Arc<Foreign>),
}

/// All that a select of the crate is made of.
struct Plan<'a> {
    bias: Bias,
    parts: Vec<Part<'a>>,
    /// One for each `send_from`.
    slots: Vec<Slot<Option<Counted>>>,
}

/// The select of a plan, which borrows the slots.
fn build<'a>(
    bias: Bias,
    parts: Vec<Part<'a>>,
    slots: &'a mut [Slot<Option<Counted>>],
) -> Select<'a, Won> {
    let mut slots = slots.iter_mut();
    let mut select = Select::new();
    for (index, part) in parts.into_iter().enumerate() {
        select = match part {
            Part::Recv((_, rx)) => select.recv(rx, move |said| (index, received(said))),
            Part::Send((tx, _), value) => select.send(tx, value, move |said| (index, sent(said))),
            Part::SendFrom((tx, _), id) => {
                let slot = slots.next().expect("one for each `send_from`");
                select.send_from(tx, &mut slot.0, move |said| match said {
                    Ok(()) => (index, Answer::Sent),
                    Err(SendError(())) => (index, Answer::Refused(id)),
                })
            }
            Part::Future(foreign) => {
                select.future(foreign.future(), move |()| (index, Answer::Ready))
            }
        };
    }
    match bias {
        Bias::Source => select.biased(),
        Bias::Fair => select,
    }
}

async fn select(plan: Plan<'_>) -> Won {
    let mut slots = plan.slots;
    let mut select = build(plan.bias, plan.parts, &mut slots);
    poll_fn(|cx| poll_fused(&mut select, cx)).await
}

fn try_select(plan: Plan<'_>) -> Option<Won> {
    let mut slots = plan.slots;
    build(plan.bias, plan.parts, &mut slots).try_select()
}

/// A future of the crate with its row in the model.
struct Live<'a> {
    task: Task,
    subject: Subject<'a>,
    /// The orders in which it may try its arms at the next poll, and at those after it its futures.
    orders: Vec<Vec<usize>>,
    later: Vec<Vec<usize>>,
    /// The values in its slots.
    lent: Vec<Value>,
}

/// What a step does to the world, answers apart.
#[derive(Debug, PartialEq)]
struct Sight {
    /// Whom this step has woken, once for each wake.
    woken: Vec<FutureId>,
    /// The futures whose wakers are kept.
    kept: Vec<FutureId>,
    chans: Vec<Looks>,
    dropped: usize,
    /// How often each foreign future was polled.
    polls: Vec<usize>,
}

/// Channels of the crate, and the worlds that agree with all that was seen of them.
struct Bench<'a> {
    chans: &'a [Handles],
    never: &'a Handles,
    live: Vec<Live<'a>>,
    /// The foreign futures among the arms of selects.
    foreign: Vec<Arc<Foreign>>,
    permits: Permits<'a>,
    /// Those that have ended in this step.
    retired: Vec<Task>,
    drops: Drops,
    worlds: Vec<Model>,
    played: Played,
}

impl<'a> Bench<'a> {
    fn run(&mut self, ops: &[Op]) -> Verdict {
        for (step, op) in ops.iter().enumerate() {
            let compared = self.step(op).and_then(|()| self.compare());
            compared.map_err(|difference| format!("step {step}, {op:?}: {difference}"))?;
            self.played.worlds = self.played.worlds.max(self.worlds.len());
        }
        Ok(())
    }

    /// One step, unless there is nothing to take it on.
    fn step(&mut self, op: &Op) -> Verdict {
        match *op {
            Op::Select(bias, ref arms) => {
                let k = self.add_select(bias, arms);
                self.poll(k)
            }
            Op::NewSelect(bias, ref arms) => {
                self.add_select(bias, arms);
                Ok(())
            }
            Op::TrySelect(bias, ref arms) => self.try_select(bias, arms),
            Op::Send(c) => {
                let (value, id) = self.value();
                let subject = Subject::Send(self.chans[c].0.send(value));
                let k = self.add(subject, &[Arm::Send(c, id)]);
                self.poll(k)
            }
            Op::Recv(c) => {
                let subject = Subject::Recv(self.chans[c].1.recv());
                let k = self.add(subject, &[Arm::Recv(c)]);
                self.poll(k)
            }
            Op::TrySend(c) => {
                let (value, id) = self.value();
                let said = tried_to_send(self.chans[c].0.try_send(value));
                self.follow(&said, |world| world.try_send(c, id))
            }
            Op::ForceSend(c) => {
                let (value, id) = self.value();
                let said = forced(self.chans[c].0.force_send(value));
                self.follow(&said, |world| world.force_send(c, id))
            }
            Op::TryRecv(c) => {
                let said = tried_to_receive(self.chans[c].1.try_recv());
                self.follow(&said, |world| world.try_recv(c))
            }
            // On capacity 0 there is nothing to reserve: the call panics.
            Op::Reserve(c) | Op::TryReserve(c) if self.chans[c].0.capacity() == Some(0) => Ok(()),
            Op::Reserve(c) => {
                let subject = Subject::Reserve(self.chans[c].0.reserve(), c);
                let k = self.add(subject, &[Arm::Reserve(c)]);
                self.poll(k)
            }
            Op::TryReserve(c) => {
                let keep = |permit| self.permits.push((c, permit));
                let said = tried_to_reserve(self.chans[c].0.try_reserve(), keep);
                self.follow(&said, |world| world.try_reserve(c))
            }
            Op::SendReserved(n) => {
                let Some(k) = n.checked_rem(self.permits.len()) else {
                    return Ok(());
                };
                let (value, id) = self.value();
                let (c, permit) = self.permits.remove(k);
                let said = sent(permit.send(value));
                self.follow(&said, |world| world.send_reserved(c, id))
            }
            Op::DropPermit(n) => {
                let Some(k) = n.checked_rem(self.permits.len()) else {
                    return Ok(());
                };
                let (c, permit) = self.permits.remove(k);
                drop(permit);
                self.follow(&(), |world| world.release_permit(c))
            }
            Op::Close(c) => {
                let said = self.chans[c].1.close();
                self.follow(&said, |world| world.close(c))
            }
            Op::Ripen(n) => {
                let Some(k) = n.checked_rem(self.foreign.len()) else {
                    return Ok(());
                };
                self.foreign[k].ripen();
                self.follow(&(), |world| world.foreign[k].ready_from = 0)
            }
            Op::Poll(n) => self.nth(n).map_or(Ok(()), |k| self.poll(k)),
            Op::PollWithAnotherWaker(n) => self.nth(n).map_or(Ok(()), |k| {
                let task = &mut self.live[k].task;
                let old = mem::replace(task, Task::new(task.id));
                self.retired.push(old);
                self.poll(k)
            }),
            Op::Drop(n) => self.nth(n).map_or(Ok(()), |k| self.drop(k)),
            Op::Cancel(n) => self.nth(n).map_or(Ok(()), |k| self.cancel(k)),
        }
    }

    // Futures.

    fn nth(&self, n: usize) -> Option<usize> {
        n.checked_rem(self.live.len())
    }

    fn value(&mut self) -> (Counted, Value) {
        let ids = self.worlds.iter_mut().map(Model::value);
        let id = ids.max().expect("there is a world");
        (self.drops.value(id), id)
    }

    /// Futures have the same rows in all worlds.
    fn create(&mut self, arms: &[Arm]) -> FutureId {
        let ids = self
            .worlds
            .iter_mut()
            .map(|world| world.create(arms.to_vec()));
        ids.max().expect("there is a world")
    }

    fn add(&mut self, subject: Subject<'a>, arms: &[Arm]) -> usize {
        let task = Task::new(self.create(arms));
        self.live.push(Live {
            task,
            subject,
            orders: vec![(0..arms.len()).collect()],
            later: vec![vec![]],
            lent: Vec::new(),
        });
        self.live.len() - 1
    }

    /// The parts of these arms, and the arms for the model.
    fn plan(&mut self, bias: Bias, wants: &[Want], unsent: &Unsent) -> (Plan<'a>, Vec<Arm>) {
        let (mut parts, mut law, mut slots) = (vec![], vec![], vec![]);
        for &Want(way, on) in wants {
            let handles = on.map_or(self.never, |n| &self.chans[n % self.chans.len()]);
            let nobody_sends = self.chans.len();
            let nobody_receives = nobody_sends + 1;
            let (part, arm) = match way {
                Way::Recv => (Part::Recv(handles), Arm::Recv(on.unwrap_or(nobody_sends))),
                Way::Send => {
                    let (value, id) = self.value();
                    let arm = Arm::Send(on.unwrap_or(nobody_receives), id);
                    (Part::Send(handles, value), arm)
                }
                Way::SendFrom => {
                    let (value, id) = self.value();
                    slots.push(Slot(Some(value), unsent.clone()));
                    let arm = Arm::Send(on.unwrap_or(nobody_receives), id);
                    (Part::SendFrom(handles, id), arm)
                }
                Way::Future => {
                    let foreign = self.foreign(on.map_or(usize::MAX, |n| n + 1));
                    (
                        Part::Future(self.foreign[foreign].clone()),
                        Arm::Foreign(foreign),
                    )
                }
            };
            parts.push(part);
            law.push(arm);
        }
        (Plan { bias, parts, slots }, law)
    }

    /// Foreign futures have the same rows in all worlds.
    fn foreign(&mut self, ready_from: usize) -> ForeignId {
        self.foreign.push(Foreign::new(ready_from));
        let ids = self
            .worlds
            .iter_mut()
            .map(|world| world.foreign(ready_from));
        ids.max().expect("there is a world")
    }

    fn add_select(&mut self, bias: Bias, wants: &[Want]) -> usize {
        let unsent = Unsent::default();
        let (plan, arms) = self.plan(bias, wants, &unsent);
        let lent = lent(&plan);
        let k = self.add(Subject::Select(Box::pin(select(plan)), unsent), &arms);
        self.live[k].orders = orders(bias, wants);
        self.live[k].later = later_orders(bias, wants);
        let f = self.live[k].task.id;
        for world in &mut self.worlds {
            world.futures[f].biased = bias == Bias::Source;
        }
        self.live[k].lent = lent;
        k
    }

    fn try_select(&mut self, bias: Bias, wants: &[Want]) -> Verdict {
        let unsent = Unsent::default();
        let (plan, arms) = self.plan(bias, wants, &unsent);
        let lent = lent(&plan);
        let f = self.create(&arms);
        let said = try_select(plan);
        let said = (said, unsent.take());
        self.follow_any(&orders(bias, wants), &said, |world, order| {
            let won = world.try_in_order(f, order);
            (won, left(world, f, &lent, won))
        })
    }

    fn poll(&mut self, k: usize) -> Verdict {
        let live = &mut self.live[k];
        let waker = live.task.waker();
        let cx = &mut Context::from_waker(&waker);
        let said = live.subject.poll(cx, &mut self.permits);
        let (f, lent) = (live.task.id, mem::take(&mut live.lent));
        let orders = mem::take(&mut live.orders);
        if let Subject::Select(..) = live.subject {
            let is_first = self.worlds[0].futures[f].state == State::Fresh;
            let count = match (is_first, said.0.is_ready()) {
                (true, true) => &mut self.played.at_once,
                (true, false) => &mut self.played.parked,
                (false, true) => &mut self.played.served,
                (false, false) => &mut 0,
            };
            *count += 1;
            if matches!(said.0, Poll::Ready((_, Answer::Ready))) {
                self.played.ripe += 1;
            }
        }
        if said.0.is_ready() {
            self.retire(k);
        } else {
            live.orders.clone_from(&live.later);
            live.lent.clone_from(&lent);
        }
        self.follow_any(&orders, &said, |world, order| {
            let polled = world.poll_in_order(f, order);
            let left = match polled {
                Poll::Pending => vec![],
                Poll::Ready(won) => left(world, f, &lent, Some(won)),
            };
            (polled, left)
        })
    }

    fn drop(&mut self, k: usize) -> Verdict {
        let mut live = self.live.remove(k);
        let f = live.task.id;
        self.retired.push(live.task);
        let mut said = vec![];
        if let Subject::Select(future, unsent) = live.subject {
            if let State::Won { .. } = self.worlds[0].futures[f].state {
                self.played.undone += 1;
            }
            drop(future);
            said = unsent.take();
        }
        live.lent.sort_unstable();
        self.follow(&said, |world| {
            let mut unsent = world.drop(f);
            unsent.retain(|value| live.lent.contains(value));
            unsent
        })
    }

    fn cancel(&mut self, k: usize) -> Verdict {
        let Subject::Send(send) = &mut self.live[k].subject else {
            return Ok(());
        };
        let said: Vec<_> = send.cancel().into_iter().map(|value| value.id).collect();
        let f = self.retire(k);
        self.follow(&said, |world| world.drop(f))
    }

    /// From now on nobody may wake this task, nor keep its waker.
    fn retire(&mut self, k: usize) -> FutureId {
        let live = self.live.remove(k);
        let f = live.task.id;
        self.retired.push(live.task);
        f
    }

    // Comparing, and the end.

    /// Leaves the worlds in which the law says the same as the crate.
    fn follow<S>(&mut self, said: &S, mut law: impl FnMut(&mut Model) -> S) -> Verdict
    where
        S: PartialEq + fmt::Debug,
    {
        self.follow_any(&[vec![]], said, |world, _| law(world))
    }

    /// The same, where each world goes on in several ways.
    fn follow_any<S>(
        &mut self,
        orders: &[Vec<usize>],
        said: &S,
        mut law: impl FnMut(&mut Model, &[usize]) -> S,
    ) -> Verdict
    where
        S: PartialEq + fmt::Debug,
    {
        let mut laws = Vec::new();
        let mut next: Vec<Model> = Vec::new();
        for world in mem::take(&mut self.worlds) {
            let (last, others) = orders.split_last().expect("there is an order");
            let others = others.iter().map(|order| (world.clone(), order));
            for (mut world, order) in others
                .collect::<Vec<_>>()
                .into_iter()
                .chain([(world, last)])
            {
                let says = law(&mut world, order);
                if says != *said {
                    laws.push(says);
                } else if !next.contains(&world) {
                    next.push(world);
                }
            }
        }
        if next.is_empty() {
            return Err(format!(
                "answer: the crate says {said:?}, the law one of {laws:?}"
            ));
        }
        self.worlds = next;
        Ok(())
    }

    fn compare(&mut self) -> Verdict {
        let sight = self.look();
        let mut laws = Vec::new();
        for mut world in mem::take(&mut self.worlds) {
            let law = self.law(&mut world);
            if law != sight {
                laws.push(law);
                continue;
            }
            same("broken promises", &world.broken(), &vec![])?;
            if !self.worlds.contains(&world) {
                self.worlds.push(world);
            }
        }
        if self.worlds.is_empty() {
            return Err(format!(
                "the crate looks like {sight:?}, the law like one of {laws:?}"
            ));
        }
        self.retired.drain(..).try_for_each(|task| task.is_gone())
    }

    fn look(&mut self) -> Sight {
        let mut woken = Vec::new();
        for Live { task, .. } in &mut self.live {
            let wakes = task.wakes.count();
            woken.extend((task.expected..wakes).map(|_| task.id));
            task.expected = wakes;
        }
        let tasks = self.live.iter().map(|live| &live.task);
        let kept = tasks.flat_map(|task| (0..task.wakers_kept()).map(|_| task.id));
        Sight {
            woken,
            kept: kept.collect(),
            chans: self.chans.iter().map(|(tx, _)| looks!(tx)).collect(),
            dropped: self.drops.count(),
            polls: self.foreign.iter().map(|foreign| foreign.polls()).collect(),
        }
    }

    fn law(&self, world: &mut Model) -> Sight {
        let mut woken = mem::take(&mut world.woken);
        woken.sort_unstable();
        let live = self.live.iter().map(|live| live.task.id);
        Sight {
            woken,
            kept: live
                .filter(|&f| world.keeps_waker(f, self.chans.len()))
                .collect(),
            chans: world.chans[..self.chans.len()]
                .iter()
                .map(Looks::of)
                .collect(),
            dropped: world.out.len(),
            polls: world.foreign.iter().map(|foreign| foreign.polls).collect(),
        }
    }

    /// Drops what is left, and returns how many values there were.
    fn end(mut self) -> Result<usize, String> {
        while !self.live.is_empty() {
            self.drop(0)?;
            self.compare()?;
        }
        while !self.permits.is_empty() {
            self.step(&Op::DropPermit(0))?;
            self.compare()?;
        }
        Ok(self.worlds[0].value())
    }
}

/// The values in the slots of a plan.
fn lent(plan: &Plan<'_>) -> Vec<Value> {
    let values = plan.slots.iter().flat_map(|slot| &slot.0);
    values.map(|value| value.id).collect()
}

/// Those of the lent values that this outcome of a future leaves in their slots.
fn left(world: &Model, f: FutureId, lent: &[Value], won: Option<Won>) -> Vec<Value> {
    let mut unsent = world.unsent(f, won);
    unsent.retain(|value| lent.contains(value));
    unsent
}

/// The orders in which a select may try its arms and park them, as far as that makes a difference.
fn orders(bias: Bias, wants: &[Want]) -> Vec<Vec<usize>> {
    let in_order: Vec<_> = (0..wants.len()).collect();
    if bias == Bias::Source || wants.is_empty() {
        return vec![in_order];
    }
    let line = |&Want(way, on): &Want| (way == Way::Recv, on);
    let lines = wants.iter().map(line);
    let alone = |arm: &usize| {
        lines
            .clone()
            .filter(|&other| other == line(&wants[*arm]))
            .count()
            == 1
    };
    let futures = wants.iter().any(|want| want.0 == Way::Future);
    if !futures && in_order.iter().all(alone) {
        // Which one is first decides all.
        return in_order
            .iter()
            .map(|&first| {
                let others = in_order.iter().copied().filter(|&arm| arm != first);
                [first].into_iter().chain(others).collect()
            })
            .collect();
    }
    permutations(&in_order)
}

/// The orders in which a select may poll its futures while it is parked.
fn later_orders(bias: Bias, wants: &[Want]) -> Vec<Vec<usize>> {
    let futures = |&arm: &usize| wants[arm].0 == Way::Future;
    let in_order: Vec<_> = (0..wants.len()).filter(futures).collect();
    match bias {
        Bias::Source => vec![in_order],
        Bias::Fair => permutations(&in_order),
    }
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![vec![]];
    }
    let each = of.iter().flat_map(|&first| {
        let rest: Vec<_> = of.iter().copied().filter(|&other| other != first).collect();
        let begin = move |rest: Vec<usize>| [&[first], &rest[..]].concat();
        permutations(&rest).into_iter().map(begin)
    });
    each.collect()
}

// Long scripts, at random.

/// What a step may need.
struct Picks {
    chan: ChanId,
    n: usize,
    bias: Bias,
    arms: Vec<Want>,
}

/// Makes a step of what it needs.
type Step = fn(Picks) -> Op;

/// How often each step is taken, the simple ones first, since scripts shrink towards them.
const STEPS: [(u32, Step); 18] = [
    (6, |picks| Op::TrySend(picks.chan)),
    (6, |picks| Op::TryRecv(picks.chan)),
    (6, |picks| Op::Send(picks.chan)),
    (6, |picks| Op::Recv(picks.chan)),
    (22, |picks| Op::Select(picks.bias, picks.arms)),
    (18, |picks| Op::Poll(picks.n)),
    (9, |picks| Op::Drop(picks.n)),
    (1, |picks| Op::Close(picks.chan)),
    (6, |picks| Op::TrySelect(picks.bias, picks.arms)),
    (2, |picks| Op::NewSelect(picks.bias, picks.arms)),
    (3, |picks| Op::PollWithAnotherWaker(picks.n)),
    (2, |picks| Op::Cancel(picks.n)),
    (1, |picks| Op::ForceSend(picks.chan)),
    (4, |picks| Op::Reserve(picks.chan)),
    (2, |picks| Op::TryReserve(picks.chan)),
    (3, |picks| Op::SendReserved(picks.n)),
    (2, |picks| Op::DropPermit(picks.n)),
    (8, |picks| Op::Ripen(picks.n)),
];

/// An arm; the number says on which channel, or when its future is ready.
fn want() -> impl Strategy<Value = (Way, usize)> {
    let ways = vec![Way::Recv, Way::Recv, Way::Send, Way::SendFrom, Way::Future];
    (prop::sample::select(ways), 0..13_usize)
}

/// On one of so many channels, or of `never`. A future is ready at one of its first polls, or when told.
fn on_one_of(chans: usize, (way, n): (Way, usize)) -> Want {
    match way {
        Way::Future => Want(way, n.checked_sub(8)),
        _ => Want(way, (n < 12).then_some(n % chans)),
    }
}

fn script() -> impl Strategy<Value = Script> {
    let capacities = prop::collection::vec(0..=2_usize, 2..=3);
    let weights = STEPS.iter().map(|(weight, _)| weight).sum::<u32>();
    let bias = prop::sample::select(vec![Bias::Source, Bias::Fair]);
    let arms = prop::collection::vec(want(), 0..=4);
    let op = (0..weights, 0..6_usize, 0..8_usize, bias, arms);
    let ops = prop::collection::vec(op, 20..=100);
    (capacities, ops).prop_map(|(capacities, ops)| {
        let chans = capacities.len();
        let op = |(mut pick, c, n, bias, arms): (u32, usize, usize, Bias, Vec<_>)| {
            let mut steps = STEPS.iter();
            let step = steps.find_map(|&(weight, step)| match pick.checked_sub(weight) {
                None => Some(step),
                Some(rest) => {
                    pick = rest;
                    None
                }
            });
            let step = step.expect("picks are below the sum of weights");
            let arms = arms.into_iter().map(|arm| on_one_of(chans, arm)).collect();
            step(Picks {
                chan: c % chans,
                n,
                bias,
                arms,
            })
        };
        Script {
            ops: ops.into_iter().map(op).collect(),
            capacities,
        }
    })
}

/// Many for a release, fewer for a moment.
const CASES: u32 = match (cfg!(miri), cfg!(debug_assertions)) {
    (true, _) => 5,
    (false, true) => 2_000,
    (false, false) => 20_000,
};

fn differs_somewhere(mutation: Option<Mutation>) -> Option<(Script, String)> {
    shortest_difference(CASES, &script(), |script| play(script, mutation).map(drop))
}

#[test]
fn selects_do_as_the_model_in_long_random_scripts() {
    if let Some((script, difference)) = differs_somewhere(None) {
        panic!("{script:?} {difference}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hundreds of scripts")]
fn random_scripts_come_to_everything() {
    let mut tally = Played::default();
    let config = Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    };
    let tally_up = RefCell::new(&mut tally);
    let played = TestRunner::new(config).run(&script(), |script| {
        let played = play(&script, None).map_err(TestCaseError::fail)?;
        let mut tally = tally_up.borrow_mut();
        tally.at_once += played.at_once;
        tally.parked += played.parked;
        tally.served += played.served;
        tally.undone += played.undone;
        tally.ripe += played.ripe;
        tally.worlds = tally.worlds.max(played.worlds);
        Ok(())
    });
    assert_eq!(played, Ok(()));
    assert!(tally.at_once > 300, "{tally:?}");
    assert!(tally.parked > 300, "{tally:?}");
    assert!(tally.served > 300, "{tally:?}");
    assert!(tally.undone > 100, "{tally:?}");
    assert!(tally.ripe > 100, "{tally:?}");
    assert!(tally.worlds > 1, "{tally:?}");
}

// Short scripts, all of them.

/// The channels that short scripts are about.
const SMALL: [[usize; 2]; 3] = [[0, 0], [0, 1], [1, 1]];

/// Long enough for a select to park, to be served, to end, and for somebody else to notice.
const SHORT: usize = match (cfg!(miri), cfg!(debug_assertions)) {
    (true, _) => 2,
    (false, true) => 3,
    (false, false) => 4,
};

/// All steps but those on futures, which come as there are some. No arm is a foreign future.
fn calls() -> Vec<Op> {
    let shapes = [
        [Want(Way::Recv, Some(0)), Want(Way::Recv, Some(1))],
        [Want(Way::Send, Some(0)), Want(Way::Recv, Some(1))],
        [Want(Way::Send, Some(0)), Want(Way::Recv, Some(0))],
    ];
    let selects = shapes.iter().flat_map(|arms| {
        [
            Op::Select(Bias::Source, arms.to_vec()),
            Op::Select(Bias::Fair, arms.to_vec()),
            Op::TrySelect(Bias::Source, arms.to_vec()),
        ]
    });
    let plain = [Op::Send, Op::Recv, Op::TrySend, Op::TryRecv, Op::Close];
    let plain = plain.iter().flat_map(|call| [call(0), call(1)]);
    selects.chain(plain).collect()
}

/// Steps around selects of which one arm is a foreign future.
fn calls_with_futures() -> Vec<Op> {
    let (recv, send) = (Want(Way::Recv, Some(0)), Want(Way::Send, Some(0)));
    let when_told = Want(Way::Future, None);
    let shapes = [
        [when_told, recv],
        [recv, when_told],
        [send, when_told],
        [Want(Way::Future, Some(1)), recv],
    ];
    let biased = shapes
        .iter()
        .map(|arms| Op::Select(Bias::Source, arms.to_vec()));
    let fair = shapes
        .iter()
        .skip(1)
        .map(|arms| Op::Select(Bias::Fair, arms.to_vec()));
    let tries = [Op::TrySelect(
        Bias::Fair,
        vec![recv, Want(Way::Future, Some(0))],
    )];
    let plain = [Op::Recv(0), Op::TrySend(0), Op::TryRecv(0), Op::Close(0)];
    biased.chain(fair).chain(tries).chain(plain).collect()
}

/// Plays all scripts that begin like this one and have up to so many steps more; says how many.
fn play_all(
    script: &mut Script,
    more: usize,
    calls: &[Op],
    mutation: Option<Mutation>,
) -> Result<usize, String> {
    let played = play(script, mutation).map_err(|why| format!("{script:?} {why}"))?;
    if more == 0 {
        return Ok(1);
    }
    let futures = (0..played.live).flat_map(|k| [Op::Poll(k), Op::Drop(k)]);
    let foreign = (0..played.foreign).map(Op::Ripen);
    let mut scripts = 1;
    for op in calls.iter().cloned().chain(futures).chain(foreign) {
        script.ops.push(op);
        scripts += play_all(script, more - 1, calls, mutation)?;
        script.ops.pop();
    }
    Ok(scripts)
}

/// The first difference in all scripts up to a length, or how many there are.
fn differs_within(
    length: usize,
    calls: &[Op],
    mutation: Option<Mutation>,
) -> Result<usize, String> {
    let counts = SMALL.iter().map(|capacities| {
        let mut script = Script {
            capacities: capacities.to_vec(),
            ops: Vec::new(),
        };
        play_all(&mut script, length, calls, mutation)
    });
    counts.sum()
}

#[test]
fn selects_do_as_the_model_in_every_short_script() {
    for calls in [calls(), calls_with_futures()] {
        let scripts = differs_within(SHORT, &calls, None);
        assert!(scripts.is_ok(), "{scripts:?}");
    }
}

#[test]
fn short_scripts_are_all_that_there_are() {
    // Nothing; 19 calls; the same after each, and two more after those that park.
    let parked = [
        // Capacities 0 and 0: both directions of each shape park, as do plain calls.
        3 * 2 + 4,
        // A receive on 1 parks; a send on it does not.
        3 * 2 + 3,
        // Only what receives alone parks.
        2 + 2,
    ];
    let law: usize = parked
        .iter()
        .map(|parked| 1 + 19 + 19 * 19 + 2 * parked)
        .sum();
    assert_eq!(differs_within(2, &calls(), None), Ok(law));
}

// The model has teeth.

/// For each broken rule: the steps after which a promise does not hold.
fn stories() -> [(Mutation, Vec<Op>, Promise); 3] {
    let receives = vec![Want(Way::Recv, Some(0)), Want(Way::Recv, Some(1))];
    let both_ways = vec![Want(Way::Send, Some(0)), Want(Way::Recv, Some(0))];
    let two_are_sent = vec![
        Op::Select(Bias::Source, receives),
        Op::TrySend(0),
        Op::TrySend(1),
    ];
    [
        (
            Mutation::FiresTwice,
            two_are_sent.clone(),
            Promise::OnePlace,
        ),
        (Mutation::StaleArmAbsorbs, two_are_sent, Promise::OnePlace),
        (
            Mutation::MeetsItself,
            vec![Op::Select(Bias::Source, both_ways)],
            Promise::ProperLines,
        ),
    ]
}

/// What does not hold after these steps on the model alone, on channels of capacity 0.
fn broken_after(ops: &[Op], mutation: Option<Mutation>) -> Vec<Promise> {
    let mut model = model_of(&[0, 0], mutation);
    for op in ops {
        match *op {
            Op::Select(Bias::Source, ref wants) => {
                let arms = wants.iter().map(|want| match *want {
                    Want(Way::Recv, Some(c)) => Arm::Recv(c),
                    Want(_, Some(c)) => Arm::Send(c, model.value()),
                    Want(_, None) => unreachable!("stories are about channels"),
                });
                let arms = arms.collect();
                let f = model.create(arms);
                let _ = model.poll(f);
            }
            Op::TrySend(c) => {
                let value = model.value();
                model.try_send(c, value);
            }
            _ => unreachable!("{op:?} is in no story"),
        }
    }
    model.broken()
}

#[test]
fn each_broken_rule_breaks_a_promise() {
    for (mutation, story, promise) in stories() {
        assert_eq!(broken_after(&story, None), vec![]);
        let broken = broken_after(&story, Some(mutation));
        assert!(broken.contains(&promise), "{mutation:?} breaks {broken:?}");
    }
}

#[test]
fn each_broken_rule_is_noticed_in_a_short_script() {
    for (mutation, story, _) in stories() {
        let scripts = differs_within(story.len(), &calls(), Some(mutation));
        assert!(scripts.is_err(), "{mutation:?} is not noticed");
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes many scripts")]
fn each_broken_rule_is_noticed_in_a_random_script() {
    for (mutation, ..) in stories() {
        let differs = differs_somewhere(Some(mutation)).is_some();
        assert!(differs, "{mutation:?} is not noticed");
    }
}

/// The rules about foreign futures. No state breaks a promise if one of them is broken, but the answers differ
/// from the crate's.
const ABOUT_FUTURES: [Mutation; 3] = [
    Mutation::FuturesComeLast,
    Mutation::ServedComesFirst,
    Mutation::LosesItsPlace,
];

#[test]
fn each_broken_rule_about_futures_is_noticed_in_a_short_script() {
    for mutation in ABOUT_FUTURES {
        let scripts = differs_within(4, &calls_with_futures(), Some(mutation));
        assert!(scripts.is_err(), "{mutation:?} is not noticed");
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes many scripts")]
fn each_broken_rule_about_futures_is_noticed_in_a_random_script() {
    for mutation in ABOUT_FUTURES {
        let differs = differs_somewhere(Some(mutation)).is_some();
        assert!(differs, "{mutation:?} is not noticed");
    }
}
