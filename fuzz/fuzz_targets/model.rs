//! The crate against the model of its rules, on whatever the fuzzer comes up with.
//!
//! An input is a script of calls on one to three channels: plain operations, selects, permits, polls,
//! drops, closes. Some arms of selects are foreign futures. Crate and model take each step side by side,
//! and must agree in the answer, in who was woken, in whose wakers are kept, in what each channel looks
//! like, in how many values were dropped and in how often foreign futures were polled. What the fuzzer
//! adds to the tests at random is that it looks for code that was not run yet.
//!
//! `fuzz/run.sh SECONDS` runs it.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../../tests/support/model.rs"]
mod model;

#[path = "../../tests/support/answers.rs"]
mod answers;

#[path = "../../tests/support/script.rs"]
mod script;

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use hchan::{
    ClosedFuture, Permit, Receiver, RecvFuture, ReserveFuture, Select, SendFuture, Sender,
};
use libfuzzer_sys::fuzz_target;

use self::answers::{
    forced, received, reserved, sent, tried_to_receive, tried_to_reserve, tried_to_send,
};
use self::model::{Answer, Arm, ChanId, ForeignId, FutureId, Model, UNBOUNDED, Value};
use self::script::{Foreign, Looks, Task, Verdict, looks, poll_fused, same};
use self::support::{Counted, Drops};

fuzz_target!(|input: &[u8]| {
    let script = Script::read(input);
    if let Err(difference) = script.play() {
        panic!("{script:?}: {difference}");
    }
});

/// One step. Numbers choose among what is alive, modulo how much that is.
#[derive(Debug)]
enum Op {
    // `Send`, `Recv` and so on make a future and poll it.
    Send(ChanId),
    Recv(ChanId),
    Reserve(ChanId),
    Watch(ChanId),
    Select(Vec<Want>),
    New(Want),
    TrySelect(Vec<Want>),
    Poll(usize),
    PollWithAnotherWaker(usize),
    Drop(usize),
    Cancel(usize),
    TrySend(ChanId),
    TryRecv(ChanId),
    ForceSend(ChanId),
    TryReserve(ChanId),
    SendReserved(usize),
    DropPermit(usize),
    Close(ChanId),
    /// Makes one of the foreign futures ready.
    Ripen(usize),
}

/// An arm of a select.
#[derive(Clone, Copy, Debug)]
enum Want {
    Send(ChanId),
    Recv(ChanId),
    /// A foreign future, ready from this poll on.
    Future(usize),
}

/// Steps on new channels of these capacities.
#[derive(Debug)]
struct Script {
    capacities: Vec<usize>,
    ops: Vec<Op>,
}

/// The most steps of a script.
const STEPS: usize = 100;

impl Script {
    /// Any input is a script: first the channels, then one byte for what to do and one for details.
    fn read(input: &[u8]) -> Self {
        let mut bytes = input.iter().copied().map(usize::from);
        let mut byte = || bytes.next();
        let kind = byte().unwrap_or(0);
        let chans = 1 + kind % 3;
        let mut capacity = || [0, 0, 1, 1, 2, 3, 5, UNBOUNDED][byte().unwrap_or(0) % 8];
        let capacities: Vec<_> = (0..chans).map(|_| capacity()).collect();
        let mut ops = Vec::new();
        while let (Some(what), Some(detail)) = (byte(), byte()) {
            let c = detail % chans;
            let mut arms = || {
                let count = 1 + detail % 4;
                let arms = (0..count).map_while(|_| byte());
                arms.map(|arm| want(arm, chans)).collect()
            };
            ops.push(match what % 18 {
                0 => Op::Send(c),
                1 => Op::Recv(c),
                2 => Op::Poll(detail),
                3 => Op::Drop(detail),
                4 => Op::Select(arms()),
                5 => Op::TrySelect(arms()),
                6 => Op::Reserve(c),
                7 => Op::TryReserve(c),
                8 => Op::SendReserved(detail),
                9 => Op::DropPermit(detail),
                10 => Op::TrySend(c),
                11 => Op::TryRecv(c),
                12 => Op::ForceSend(c),
                13 => Op::Close(c),
                14 => Op::Watch(c),
                15 => Op::PollWithAnotherWaker(detail),
                16 if detail < 128 => Op::Cancel(detail),
                16 => Op::Ripen(detail),
                _ => Op::New(on_channel(detail, chans)),
            });
            if ops.len() == STEPS {
                break;
            }
        }
        Self { capacities, ops }
    }

    fn play(&self) -> Verdict {
        let drops = Drops::default();
        let chans = self.capacities.iter().map(|&capacity| match capacity {
            UNBOUNDED => hchan::unbounded(),
            capacity => hchan::bounded(capacity),
        });
        let chans: Vec<_> = chans.collect();
        let mut bench = Bench {
            chans: &chans,
            live: Vec::new(),
            permits: Vec::new(),
            foreign: Vec::new(),
            retired: Vec::new(),
            drops: drops.clone(),
            model: Model::new(&self.capacities, None),
        };
        for (step, op) in self.ops.iter().enumerate() {
            let compared = bench.step(op).and_then(|()| bench.compare());
            compared.map_err(|difference| format!("step {step}, {op:?}: {difference}"))?;
        }
        let values = bench.end()?;
        drop(chans);
        same("values dropped with the channels", &drops.count(), &values)
    }
}

fn want(byte: usize, chans: usize) -> Want {
    match byte.checked_sub(192) {
        None => on_channel(byte, chans),
        // One in two waits until it is told.
        Some(n) => Want::Future([1, 2, 3, 4].get(n % 8).copied().unwrap_or(usize::MAX)),
    }
}

fn on_channel(byte: usize, chans: usize) -> Want {
    match byte / 4 % 2 {
        0 => Want::Recv(byte % chans),
        _ => Want::Send(byte % chans),
    }
}

/// The arm that won, and what it says.
type Won = (usize, Answer);

/// A future of the crate.
enum Subject<'a> {
    Send(SendFuture<'a, Counted>),
    Recv(RecvFuture<'a, Counted>),
    Reserve(ReserveFuture<'a, Counted>, ChanId),
    Watch(ClosedFuture<'a>),
    Select(Select<'a, Won>),
}

type Handles = (Sender<Counted>, Receiver<Counted>);

/// Channels of the crate and their model, side by side.
struct Bench<'a> {
    chans: &'a [Handles],
    live: Vec<(Task, Subject<'a>)>,
    permits: Vec<(ChanId, Permit<'a, Counted>)>,
    /// The foreign futures.
    foreign: Vec<Arc<Foreign>>,
    /// Those that have ended in this step.
    retired: Vec<Task>,
    drops: Drops,
    model: Model,
}

impl<'a> Bench<'a> {
    /// One step, unless there is nothing to take it on.
    fn step(&mut self, op: &Op) -> Verdict {
        match *op {
            Op::Send(c) => {
                let k = self.add_want(Want::Send(c));
                self.poll(k)
            }
            Op::Recv(c) => {
                let k = self.add_want(Want::Recv(c));
                self.poll(k)
            }
            Op::New(want) => {
                self.add_want(want);
                Ok(())
            }
            Op::Reserve(c) => {
                let reserve = Subject::Reserve(self.chans[c].0.reserve(), c);
                let k = self.add(reserve, vec![Arm::Reserve(c)]);
                self.poll(k)
            }
            Op::Watch(c) => {
                let watch = Subject::Watch(self.chans[c].1.closed());
                let k = self.add(watch, vec![Arm::Watch(c)]);
                self.poll(k)
            }
            Op::Select(ref wants) => {
                let (select, arms) = self.select(wants);
                let k = self.add(Subject::Select(select), arms);
                self.model.futures[self.live[k].0.id].biased = true;
                self.poll(k)
            }
            Op::TrySelect(ref wants) => {
                let (select, arms) = self.select(wants);
                let order: Vec<_> = (0..arms.len()).collect();
                let f = self.model.create(arms);
                let law = self.model.try_in_order(f, &order);
                same("answer", &select.try_select(), &law)
            }
            Op::Ripen(n) => {
                if let Some(k) = n.checked_rem(self.foreign.len()) {
                    self.foreign[k].ripen();
                    self.model.foreign[k].ready_from = 0;
                }
                Ok(())
            }
            Op::Poll(n) => self.nth(n).map_or(Ok(()), |k| self.poll(k)),
            Op::PollWithAnotherWaker(n) => self.nth(n).map_or(Ok(()), |k| {
                let task = &mut self.live[k].0;
                let old = mem::replace(task, Task::new(task.id));
                self.retired.push(old);
                self.poll(k)
            }),
            Op::Drop(n) => {
                if let Some(k) = self.nth(n) {
                    self.drop(k);
                }
                Ok(())
            }
            Op::Cancel(n) => self.nth(n).map_or(Ok(()), |k| self.cancel(k)),
            Op::Close(c) => {
                let said = self.chans[c].0.close();
                same("close", &said, &self.model.close(c))
            }
            Op::TryRecv(c) => {
                let said = tried_to_receive(self.chans[c].1.try_recv());
                same("answer", &said, &self.model.try_recv(c))
            }
            Op::TrySend(c) => {
                let (value, id) = self.value();
                let said = tried_to_send(self.chans[c].0.try_send(value));
                same("answer", &said, &self.model.try_send(c, id))
            }
            Op::ForceSend(c) => {
                let (value, id) = self.value();
                let said = forced(self.chans[c].0.force_send(value));
                same("answer", &said, &self.model.force_send(c, id))
            }
            Op::TryReserve(c) => {
                let keep = |permit| self.permits.push((c, permit));
                let said = tried_to_reserve(self.chans[c].0.try_reserve(), keep);
                same("answer", &said, &self.model.try_reserve(c))
            }
            Op::SendReserved(n) => {
                let Some(k) = n.checked_rem(self.permits.len()) else {
                    return Ok(());
                };
                let (value, id) = self.value();
                let (c, permit) = self.permits.remove(k);
                let said = sent(permit.send(value));
                same("answer", &said, &self.model.send_reserved(c, id))
            }
            Op::DropPermit(n) => {
                if let Some(k) = n.checked_rem(self.permits.len()) {
                    let (c, permit) = self.permits.remove(k);
                    drop(permit);
                    self.model.release_permit(c);
                }
                Ok(())
            }
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

    fn add(&mut self, subject: Subject<'a>, arms: Vec<Arm>) -> usize {
        let task = Task::new(self.model.create(arms));
        self.live.push((task, subject));
        self.live.len() - 1
    }

    fn add_want(&mut self, want: Want) -> usize {
        match want {
            Want::Send(c) => {
                let (value, id) = self.value();
                let send = Subject::Send(self.chans[c].0.send(value));
                self.add(send, vec![Arm::Send(c, id)])
            }
            Want::Recv(c) => {
                let recv = Subject::Recv(self.chans[c].1.recv());
                self.add(recv, vec![Arm::Recv(c)])
            }
            Want::Future(_) => unreachable!("only a select has such an arm"),
        }
    }

    fn foreign(&mut self, ready_from: usize) -> (Arc<Foreign>, ForeignId) {
        let foreign = Foreign::new(ready_from);
        self.foreign.push(foreign.clone());
        (foreign, self.model.foreign(ready_from))
    }

    /// A select that tries its arms in order, so that there is one right answer.
    fn select(&mut self, wants: &[Want]) -> (Select<'a, Won>, Vec<Arm>) {
        let mut select = Select::new().biased();
        let mut arms = Vec::new();
        for (index, &want) in wants.iter().enumerate() {
            match want {
                Want::Send(c) => {
                    let (value, id) = self.value();
                    arms.push(Arm::Send(c, id));
                    let tx = &self.chans[c].0;
                    select = select.send(tx, value, move |said| (index, sent(said)));
                }
                Want::Recv(c) => {
                    arms.push(Arm::Recv(c));
                    let rx = &self.chans[c].1;
                    select = select.recv(rx, move |said| (index, received(said)));
                }
                Want::Future(ready_from) => {
                    let (foreign, id) = self.foreign(ready_from);
                    arms.push(Arm::Foreign(id));
                    select = select.future(foreign.future(), move |()| (index, Answer::Ready));
                }
            }
        }
        (select, arms)
    }

    fn poll(&mut self, k: usize) -> Verdict {
        let (task, subject) = &mut self.live[k];
        let waker = task.waker();
        let cx = &mut Context::from_waker(&waker);
        let said = match subject {
            Subject::Send(future) => poll_fused(future, cx).map(|said| (0, sent(said))),
            Subject::Recv(future) => poll_fused(future, cx).map(|said| (0, received(said))),
            Subject::Select(future) => poll_fused(future, cx),
            Subject::Watch(future) => poll_fused(future, cx).map(|()| (0, Answer::Ended)),
            Subject::Reserve(future, c) => {
                let keep = |permit| self.permits.push((*c, permit));
                poll_fused(future, cx).map(|said| (0, reserved(said, keep)))
            }
        };
        let law = self.model.poll(task.id);
        if let (Poll::Ready(_), Poll::Ready(_)) = (said, law) {
            self.retire(k);
        }
        same("answer", &said, &law)
    }

    fn drop(&mut self, k: usize) {
        let f = self.retire(k);
        self.model.drop(f);
    }

    fn cancel(&mut self, k: usize) -> Verdict {
        let Subject::Send(send) = &mut self.live[k].1 else {
            return Ok(());
        };
        let said: Vec<_> = send.cancel().into_iter().map(|value| value.id).collect();
        let f = self.retire(k);
        same("value that was not sent", &said, &self.model.drop(f))
    }

    /// From now on nobody may wake this task, nor keep its waker.
    fn retire(&mut self, k: usize) -> FutureId {
        let (task, _) = self.live.remove(k);
        let f = task.id;
        self.retired.push(task);
        f
    }

    // Comparing, and the end.

    fn compare(&mut self) -> Verdict {
        for id in self.model.woken.drain(..) {
            let mut tasks = self.live.iter_mut().map(|(task, _)| task);
            let woken = tasks.find(|task| task.id == id);
            woken.expect("only the living are woken").expected += 1;
        }
        for (task, _) in &self.live {
            same("wakes", &task.wakes.count(), &task.expected)?;
            let keeps = self.model.keeps_waker(task.id, self.chans.len());
            same("wakers kept", &task.wakers_kept(), &usize::from(keeps))?;
        }
        self.retired.drain(..).try_for_each(|task| task.is_gone())?;
        for ((tx, _), law) in self.chans.iter().zip(&self.model.chans) {
            same("channel", &looks!(tx), &Looks::of(law))?;
        }
        for (foreign, law) in self.foreign.iter().zip(&self.model.foreign) {
            same("polls", &foreign.polls(), &law.polls)?;
        }
        same("values dropped", &self.drops.count(), &self.model.out.len())
    }

    /// Drops what is left, and returns how many values there were.
    fn end(mut self) -> Result<usize, String> {
        same("broken promises", &self.model.broken(), &vec![])?;
        while !self.live.is_empty() {
            self.drop(0);
            self.compare()?;
        }
        while !self.permits.is_empty() {
            self.step(&Op::DropPermit(0))?;
            self.compare()?;
        }
        Ok(self.model.value())
    }
}
