//! The rules of the channel as plain data: what every call answers, and whom it wakes.
//!
//! A second opinion, not a copy: nothing here comes from the crate. It has no lock, no waker and no
//! clever storage; a future is a row in a table, a queue is a list of rows, and each value is a number
//! that is used once. Every call is total and does not wait, for a poll that has to wait answers so.
//! So any history of calls has one right answer, which makes this the oracle for differential tests
//! and for checkers of linearizability.
//!
//! A future has a list of arms, tried in order. A plain send or receive has one; a select has several,
//! maybe on several channels, and the first to win takes the others out of line. In each line a future
//! stands once, with the first of its arms that want to stand there. Some of its arms may be futures that
//! have nothing to do with channels; they are ready when the caller says so.
//!
//! A handle that was polled itself and has to wait is a future here, too, which ends when something else
//! is done with the handle.
//!
//! [`Model::broken`] knows the promises that hold in every state. A [`Mutation`] breaks one rule, to
//! show that somebody would notice.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use std::collections::VecDeque;
use std::task::Poll;

/// A value is its number: each is sent once.
pub type Value = usize;

/// A row in the table of futures.
pub type FutureId = usize;

/// A row in the table of channels.
pub type ChanId = usize;

/// A row in the table of foreign futures.
pub type ForeignId = usize;

/// The capacity of a channel without a limit.
pub const UNBOUNDED: usize = usize::MAX;

/// Who acts when no future does, as in `try_send`.
const NOBODY: FutureId = FutureId::MAX;

/// One thing that a future waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arm {
    Send(ChanId, Value),
    Recv(ChanId),
    Reserve(ChanId),
    /// Waits for the end of the channel.
    Watch(ChanId),
    /// Waits for a foreign future.
    Foreign(ForeignId),
}

impl Arm {
    /// The channel that it is on.
    pub fn chan(self) -> Option<ChanId> {
        match self {
            Self::Send(c, _) | Self::Recv(c) | Self::Reserve(c) | Self::Watch(c) => Some(c),
            Self::Foreign(_) => None,
        }
    }
}

/// What a call or a finished future says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The value is accepted: a receiver or the buffer has it.
    Sent,
    /// Neither room nor a receiver; the value comes back.
    Full(Value),
    /// The channel is closed; the value comes back.
    Refused(Value),
    /// The value had to give way to one that was forced in.
    GaveWay(Value),
    Received(Value),
    /// Nothing to receive now.
    Empty,
    /// Nothing to receive ever again.
    Over,
    /// There is a permit.
    Granted,
    /// There is no permit now.
    Busy,
    /// There is no permit ever again.
    Denied,
    /// The channel has ended.
    Ended,
    /// The foreign future was ready.
    Ready,
}

/// How far a future has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Never polled.
    Fresh,
    /// Stands in the line of each arm.
    Parked,
    /// A counterpart has completed this arm; the next poll says so. A received value, still unclaimed,
    /// has its age with it.
    Won {
        arm: usize,
        answer: Answer,
        age: u64,
    },
    /// Has answered, or was dropped.
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Future {
    pub arms: Vec<Arm>,
    /// Arms that came when the others stood in line already; they join at the next poll.
    pub added: Vec<Arm>,
    /// Arms over handles that stand in line themselves. The first attempt gives that place up.
    pub over: Vec<(usize, FutureId)>,
    pub state: State,
    /// Whether it asks foreign futures before a receive that was served first.
    pub biased: bool,
}

/// A foreign future: it has nothing to do with channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Foreign {
    pub polls: usize,
    /// The first poll in which it is ready, counted from 1.
    pub ready_from: usize,
}

/// A place in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub future: FutureId,
    pub arm: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Chan {
    pub cap: usize,
    pub senders: usize,
    pub receivers: usize,
    /// The values inside, each with its age: the number of its acceptance.
    pub buf: VecDeque<(u64, Value)>,
    pub recvq: VecDeque<Place>,
    pub sendq: VecDeque<Place>,
    pub closeq: VecDeque<Place>,
    pub closed: bool,
    /// Values handed to receivers that have not looked yet.
    pub inflight: usize,
    /// Permits that are out.
    pub reserved: usize,
    accepted: u64,
    /// How many values of `buf` were put back; they stand at its head.
    put_back: usize,
    /// How many values have left the ring.
    taken: usize,
    /// The most values that were inside at once.
    pub peak: usize,
    /// Whether a receive has said that nothing will ever come.
    end_seen: bool,
}

impl Chan {
    pub fn has_room(&self) -> bool {
        self.buf.len() + self.reserved < self.cap
    }

    /// Where in the ring a value is put next, and where one is taken.
    pub fn cursors(&self) -> (usize, usize) {
        let sendx = self.taken + self.buf.len() - self.put_back;
        let slot = |position: usize| position.checked_rem(self.cap).unwrap_or(0);
        (slot(sendx), slot(self.taken))
    }

    fn take(&mut self) -> Option<(u64, Value)> {
        let oldest = self.buf.pop_front()?;
        match self.put_back {
            0 => self.taken += 1,
            _ => self.put_back -= 1,
        }
        Some(oldest)
    }

    /// The first receiver that a send of this future may meet: two arms of one select do not.
    fn receiver_for(&self, by: FutureId) -> Option<Place> {
        let mut receivers = self.recvq.iter();
        receivers.find(|receiver| receiver.future != by).copied()
    }

    fn insert(&mut self, age: u64, value: Value) {
        let older = self.buf.partition_point(|&(other, _)| other < age);
        self.buf.insert(older, (age, value));
        self.peak = self.peak.max(self.buf.len());
    }

    /// How many values were accepted, and how many of them have left for good.
    pub fn totals(&self) -> (u64, u64) {
        let stays = self.buf.len() + self.inflight;
        (self.accepted, self.accepted - stays as u64)
    }
}

/// A rule that the model breaks on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// A dropped receive takes the value that it was handed with it.
    LosesUnclaimed,
    /// A value that is put back goes before everything else.
    PutsBackInFront,
    /// A value that is put back goes into the buffer, past parked receivers.
    PutsBackPastReceivers,
    /// On capacity 0 a receive looks at parked senders first, then at what was put back.
    TakesFromSendersFirst,
    /// A closed channel is over although a value is unclaimed.
    ClosedIgnoresUnclaimed,
    /// Who waits on a closed channel is not told when the last unclaimed value is claimed.
    ClaimReleasesNobody,
    /// A receive leaves the slot that it freed to whoever comes.
    RecvAdmitsNobody,
    /// The other arms of a select that has won stay in line, and may win as well.
    FiresTwice,
    /// The other arms of a select that has won stay in line, and what meets them is lost.
    StaleArmAbsorbs,
    /// A send and a receive of the same select meet.
    MeetsItself,
    /// The futures of a select are polled after all its channels were tried.
    FuturesComeLast,
    /// A receive that was served wins before the futures that stand before it are asked.
    ServedComesFirst,
    /// A select that polls its futures and waits on goes to the end of its lines.
    LosesItsPlace,
}

/// What holds in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// Each value is in one place: with its send, inside, unclaimed, out again, or not yet brought.
    OnePlace,
    /// Values stand in the order in which they were accepted.
    InOrder,
    /// Receivers are parked only while nothing is inside.
    NoReceiverBesideValues,
    /// Senders are parked only while there is no room.
    NoSenderBesideRoom,
    /// No value comes after a receive has said that none will.
    ClosedIsFinal,
    /// No parked future could be completed.
    NoLostWakeup,
    /// Parked futures stand once in the line of each arm, others nowhere; what is unclaimed is counted.
    ProperLines,
    /// A value that leaves is older than all that stay.
    OldestFirst,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    pub chans: Vec<Chan>,
    pub futures: Vec<Future>,
    pub foreign: Vec<Foreign>,
    /// Whom the calls so far have woken, once for each wake; whoever looks empties it.
    pub woken: Vec<FutureId>,
    /// The values that are out: received, given back, or dropped with their send.
    pub out: Vec<Value>,
    /// The values that their callers have not brought yet.
    pub in_hand: Vec<Value>,
    /// The values that may come back, each with its age.
    pub leases: Vec<(ChanId, u64, Value)>,
    /// How many values there are.
    values: usize,
    broken: Vec<Promise>,
    mutation: Option<Mutation>,
    /// Whether those whom the end of a channel concerns are told by [`Model::tell`], not at once.
    one_by_one: bool,
}

// The rules.
impl Model {
    /// Channels of these capacities.
    pub fn new(capacities: &[usize], mutation: Option<Mutation>) -> Self {
        let chan = |&cap| Chan {
            cap,
            senders: 1,
            receivers: 1,
            ..Chan::default()
        };
        Self {
            chans: capacities.iter().map(chan).collect(),
            futures: Vec::new(),
            foreign: Vec::new(),
            woken: Vec::new(),
            out: Vec::new(),
            in_hand: Vec::new(),
            leases: Vec::new(),
            values: 0,
            broken: Vec::new(),
            mutation,
            one_by_one: false,
        }
    }

    /// A value that has not been used, for the caller to bring.
    pub fn value(&mut self) -> Value {
        self.in_hand.push(self.values);
        self.values += 1;
        self.values - 1
    }

    /// The caller drops a value instead of bringing it.
    pub fn discard(&mut self, value: Value) {
        self.bring(value);
        self.out.push(value);
    }

    pub fn create(&mut self, arms: Vec<Arm>) -> FutureId {
        for arm in &arms {
            if let Arm::Send(_, value) = *arm {
                self.bring(value);
            }
        }
        self.futures.push(Future {
            arms,
            added: Vec::new(),
            over: Vec::new(),
            state: State::Fresh,
            biased: false,
        });
        self.futures.len() - 1
    }

    /// Gives a select one more arm.
    pub fn add_arm(&mut self, f: FutureId, arm: Arm) {
        if let Arm::Send(_, value) = arm {
            self.bring(value);
        }
        match self.futures[f].state {
            State::Fresh => self.futures[f].arms.push(arm),
            _ => self.futures[f].added.push(arm),
        }
    }

    /// A foreign future, for the caller to make an arm of.
    pub fn foreign(&mut self, ready_from: usize) -> ForeignId {
        let polls = 0;
        self.foreign.push(Foreign { polls, ready_from });
        self.foreign.len() - 1
    }

    /// The first poll does it or parks, later ones look what became of it. Says which arm it was.
    pub fn poll(&mut self, f: FutureId) -> Poll<(usize, Answer)> {
        self.poll_in_order(f, &self.in_order(f))
    }

    /// Its arms, in the order in which they came.
    pub fn in_order(&self, f: FutureId) -> Vec<usize> {
        let Future { arms, added, .. } = &self.futures[f];
        (0..arms.len() + added.len()).collect()
    }

    /// A poll that tries the arms, and parks them, in this order.
    pub fn poll_in_order(&mut self, f: FutureId, order: &[usize]) -> Poll<(usize, Answer)> {
        let Some((arm, answer)) = self.look(f, order) else {
            self.park(f, order);
            return Poll::Pending;
        };
        self.end(f, arm, answer);
        Poll::Ready((arm, answer))
    }

    /// Does it at once, trying the arms in this order, or gives up.
    pub fn try_in_order(&mut self, f: FutureId, order: &[usize]) -> Option<(usize, Answer)> {
        if self.is_parked(f) {
            self.begin_anew(f);
        }
        let won = self.look(f, order);
        match won {
            Some((arm, answer)) => self.end(f, arm, answer),
            None => drop(self.drop(f)),
        }
        won
    }

    /// Leaves all lines, to try all arms again.
    fn begin_anew(&mut self, f: FutureId) {
        self.leave(f);
        let future = &mut self.futures[f];
        future.arms.append(&mut future.added);
        future.state = State::Fresh;
    }

    /// What has become of it, or becomes of it if it is new or has arms that are new. Futures among its arms
    /// are polled in this order; what was served may have to ask those before it first.
    fn look(&mut self, f: FutureId, order: &[usize]) -> Option<(usize, Answer)> {
        if self.is_parked(f) && !self.futures[f].added.is_empty() {
            self.begin_anew(f);
        }
        match self.futures[f].state {
            State::Done => panic!("polled after it was ready"),
            State::Parked => {
                let won = self.poll_foreign(f, order);
                if won.is_some() {
                    self.leave(f);
                } else if self.mutation == Some(Mutation::LosesItsPlace) && self.has_foreign(f) {
                    self.leave(f);
                    self.enqueue_all(f, &self.in_order(f));
                }
                won
            }
            State::Fresh => {
                let mut order = order.to_vec();
                if self.mutation == Some(Mutation::FuturesComeLast) {
                    order.sort_by_key(|&arm| self.futures[f].arms[arm].chan().is_none());
                }
                let mut order = order.into_iter();
                order.find_map(|arm| Some((arm, self.attempt(f, arm)?)))
            }
            State::Won { arm, answer, age } => {
                if self.stays_in_line() {
                    self.leave(f);
                }
                let Arm::Recv(c) = self.futures[f].arms[arm] else {
                    return Some((arm, answer));
                };
                let is_first = self.mutation == Some(Mutation::ServedComesFirst);
                let asks = self.futures[f].biased && !is_first;
                let before: Vec<_> = (0..arm).filter(|_| asks).collect();
                let ready = self.poll_foreign(f, &before);
                match answer {
                    Answer::Received(value) if ready.is_some() => self.put_back(c, age, value),
                    Answer::Received(_) => {
                        self.chans[c].inflight -= 1;
                        if self.mutation != Some(Mutation::ClaimReleasesNobody) {
                            self.settle(c);
                        }
                    }
                    _ => {}
                }
                ready.or(Some((arm, answer)))
            }
        }
    }

    /// Polls the futures among these arms, until one is ready.
    fn poll_foreign(&mut self, f: FutureId, arms: &[usize]) -> Option<(usize, Answer)> {
        let mut arms = arms.iter().copied();
        arms.find_map(|arm| match self.futures[f].arms[arm] {
            Arm::Foreign(_) => Some((arm, self.attempt(f, arm)?)),
            _ => None,
        })
    }

    fn has_foreign(&self, f: FutureId) -> bool {
        let mut arms = self.futures[f].arms.iter();
        arms.any(|arm| arm.chan().is_none())
    }

    fn end(&mut self, f: FutureId, arm: usize, answer: Answer) {
        if let Arm::Recv(c) = self.futures[f].arms[arm] {
            self.observe(c, answer);
        }
        self.out.extend(self.unsent(f, Some((arm, answer))));
        self.futures[f].state = State::Done;
    }

    /// Gives up; returns the values that were not sent.
    pub fn drop(&mut self, f: FutureId) -> Vec<Value> {
        let mut won = None;
        if let State::Won { arm, answer, age } = self.futures[f].state {
            won = Some((arm, answer));
            match (self.futures[f].arms[arm], answer) {
                (Arm::Recv(c), Answer::Received(value)) => self.put_back(c, age, value),
                (Arm::Reserve(c), Answer::Granted) => self.release_permit(c),
                _ => {}
            }
        }
        let unsent = self.unsent(f, won);
        self.leave(f);
        self.futures[f].state = State::Done;
        self.out.extend(&unsent);
        unsent
    }

    pub fn try_send(&mut self, c: ChanId, value: Value) -> Answer {
        self.bring(value);
        let answer = self.send(c, value, NOBODY);
        self.out.extend((answer != Answer::Sent).then_some(value));
        answer
    }

    pub fn try_recv(&mut self, c: ChanId) -> Answer {
        let answer = self.recv(c);
        self.observe(c, answer);
        answer
    }

    /// A value that is received may come back: until it is taken, it is unclaimed.
    pub fn try_lease(&mut self, c: ChanId) -> Answer {
        let (answer, age) = self.recv_aged(c);
        match answer {
            Answer::Received(value) => {
                self.chans[c].inflight += 1;
                self.lease(c, age, value);
            }
            answer => self.observe(c, answer),
        }
        answer
    }

    /// The same as a poll of a receive.
    pub fn poll_lease(&mut self, f: FutureId) -> Poll<(usize, Answer)> {
        let Arm::Recv(c) = self.futures[f].arms[0] else {
            panic!("only a receive leases");
        };
        let answer = match self.futures[f].state {
            State::Fresh => match self.try_lease(c) {
                Answer::Received(value) => Answer::Received(value),
                _ => return self.poll(f),
            },
            State::Won {
                answer: Answer::Received(value),
                age,
                ..
            } => {
                self.lease(c, age, value);
                Answer::Received(value)
            }
            _ => return self.poll(f),
        };
        self.futures[f].state = State::Done;
        Poll::Ready((0, answer))
    }

    fn lease(&mut self, c: ChanId, age: u64, value: Value) {
        self.leases.push((c, age, value));
        if self.chans[c].end_seen {
            self.broken.push(Promise::ClosedIsFinal);
        }
    }

    pub fn take_lease(&mut self, k: usize) -> Value {
        let (c, _, value) = self.leases.remove(k);
        self.chans[c].inflight -= 1;
        self.out.push(value);
        if self.mutation != Some(Mutation::ClaimReleasesNobody) {
            self.settle(c);
        }
        value
    }

    pub fn drop_lease(&mut self, k: usize) {
        let (c, age, value) = self.leases.remove(k);
        self.put_back(c, age, value);
    }

    /// Gives a receive up, unless it was handed a value.
    pub fn cancel_recv(&mut self, f: FutureId) -> Option<Value> {
        if let State::Won {
            answer: Answer::Received(value),
            ..
        } = self.futures[f].state
        {
            let polled = self.poll(f);
            assert!(polled.is_ready(), "it was handed a value");
            return Some(value);
        }
        self.drop(f);
        None
    }

    /// Senders fail with their values, watchers are told; receivers, once nothing can come.
    pub fn close(&mut self, c: ChanId) -> bool {
        if self.chans[c].closed {
            return false;
        }
        self.chans[c].closed = true;
        self.settle(c);
        true
    }

    pub fn add_sender(&mut self, c: ChanId) {
        self.chans[c].senders += 1;
    }

    pub fn add_receiver(&mut self, c: ChanId) {
        self.chans[c].receivers += 1;
    }

    /// The last one closes.
    pub fn drop_sender(&mut self, c: ChanId) {
        self.chans[c].senders -= 1;
        if self.chans[c].senders == 0 {
            self.close(c);
        }
    }

    /// The last one closes, and what is inside goes with it.
    pub fn drop_receiver(&mut self, c: ChanId) {
        self.chans[c].receivers -= 1;
        if self.chans[c].receivers == 0 {
            self.close(c);
            let torn = self.chans[c].buf.drain(..).map(|(_, value)| value);
            self.out.extend(torn);
            self.chans[c].put_back = 0;
        }
    }

    /// Whether a weak sender still makes a sender: not of a closed channel.
    pub fn upgrade_sender(&mut self, c: ChanId) -> bool {
        let upgrades = !self.chans[c].closed;
        self.chans[c].senders += usize::from(upgrades);
        upgrades
    }

    /// Whether a weak receiver still makes a receiver: as long as there is one.
    pub fn upgrade_receiver(&mut self, c: ChanId) -> bool {
        let upgrades = self.chans[c].receivers > 0;
        self.chans[c].receivers += usize::from(upgrades);
        upgrades
    }

    /// A full buffer gives up its oldest value, before the parked senders get a chance.
    pub fn force_send(&mut self, c: ChanId, value: Value) -> Answer {
        self.bring(value);
        let answer = match self.send(c, value, NOBODY) {
            Answer::Full(value) if self.chans[c].cap == 0 => Answer::GaveWay(value),
            Answer::Full(value) => match self.chans[c].take() {
                Some((_, oldest)) => {
                    self.push(c, value);
                    Answer::GaveWay(oldest)
                }
                None => Answer::GaveWay(value),
            },
            answer => answer,
        };
        if let Answer::GaveWay(value) | Answer::Refused(value) = answer {
            self.out.push(value);
        }
        answer
    }

    /// A permit holds a slot, and on capacity 0 there is none.
    pub fn try_reserve(&mut self, c: ChanId) -> Answer {
        let chan = &mut self.chans[c];
        assert_ne!(chan.cap, 0, "the call panics");
        match (chan.closed, chan.has_room()) {
            (true, _) => Answer::Denied,
            (false, false) => Answer::Busy,
            (false, true) => {
                chan.reserved += 1;
                Answer::Granted
            }
        }
    }

    /// The slot of a permit is the next in line's.
    pub fn release_permit(&mut self, c: ChanId) {
        self.chans[c].reserved -= 1;
        self.admit(c);
    }

    /// Uses a permit: the value goes to the first in line, and the slot to the next one, or it goes inside.
    pub fn send_reserved(&mut self, c: ChanId, value: Value) -> Answer {
        self.bring(value);
        self.chans[c].reserved -= 1;
        if self.chans[c].closed {
            self.out.push(value);
            return Answer::Refused(value);
        }
        match self.chans[c].recvq.front().copied() {
            Some(receiver) => {
                let age = self.accept(c);
                self.hand(c, receiver, age, value);
                self.admit(c);
            }
            None => self.push(c, value),
        }
        Answer::Sent
    }

    fn send(&mut self, c: ChanId, value: Value, by: FutureId) -> Answer {
        let chan = &self.chans[c];
        if chan.closed {
            return Answer::Refused(value);
        }
        if let Some(receiver) = chan.receiver_for(by) {
            let age = self.accept(c);
            self.hand(c, receiver, age, value);
            return Answer::Sent;
        }
        if chan.has_room() {
            self.push(c, value);
            return Answer::Sent;
        }
        Answer::Full(value)
    }

    fn recv(&mut self, c: ChanId) -> Answer {
        self.recv_aged(c).0
    }

    /// The age of what was received comes along.
    fn recv_aged(&mut self, c: ChanId) -> (Answer, u64) {
        let senders = self.chans[c].sendq.iter();
        // Reservations bring nothing yet: they are passed by.
        let sender = senders.copied().find_map(|place| match self.arm(place) {
            Arm::Send(_, value) => Some((place, value)),
            _ => None,
        });
        let senders_first = self.mutation == Some(Mutation::TakesFromSendersFirst)
            && self.chans[c].cap == 0
            && sender.is_some();
        if !senders_first {
            if let Some((age, value)) = self.chans[c].take() {
                self.leaves(c, age);
                if self.mutation != Some(Mutation::RecvAdmitsNobody) {
                    self.admit(c);
                }
                return (Answer::Received(value), age);
            }
        }
        if let Some((place, value)) = sender {
            let age = self.accept(c);
            self.leaves(c, age);
            self.win(place, Answer::Sent, 0);
            return (Answer::Received(value), age);
        }
        if self.is_over(c) {
            (Answer::Over, 0)
        } else {
            (Answer::Empty, 0)
        }
    }

    /// Does what this arm wants, unless that takes waiting.
    fn attempt(&mut self, f: FutureId, arm: usize) -> Option<Answer> {
        self.give_up_place(f, arm);
        let answer = match self.futures[f].arms[arm] {
            Arm::Send(c, value) if self.mutation == Some(Mutation::MeetsItself) => {
                self.send(c, value, NOBODY)
            }
            Arm::Send(c, value) => self.send(c, value, f),
            Arm::Recv(c) => self.recv(c),
            Arm::Reserve(c) => self.try_reserve(c),
            Arm::Watch(c) if self.chans[c].closed => Answer::Ended,
            Arm::Watch(_) => return None,
            Arm::Foreign(foreign) => {
                let foreign = &mut self.foreign[foreign];
                foreign.polls += 1;
                return (foreign.polls >= foreign.ready_from).then_some(Answer::Ready);
            }
        };
        let waits = matches!(answer, Answer::Full(_) | Answer::Empty | Answer::Busy);
        (!waits).then_some(answer)
    }

    /// A handle that stood in line leaves it when it is used for something else.
    fn give_up_place(&mut self, f: FutureId, arm: usize) {
        let over = &self.futures[f].over;
        let place = over.iter().find(|&&(over, _)| over == arm);
        if let Some(&(_, place)) = place {
            self.futures[f].over.retain(|&(_, other)| other != place);
            self.drop(place);
        }
    }

    /// Stands in line for all arms.
    fn park(&mut self, f: FutureId, order: &[usize]) {
        if self.is_parked(f) {
            return;
        }
        self.futures[f].state = State::Parked;
        self.enqueue_all(f, order);
        if self.mutation == Some(Mutation::MeetsItself) {
            (0..self.chans.len()).for_each(|c| self.admit(c));
        }
    }

    /// Stands in each line with the first of its arms, behind all others.
    fn enqueue_all(&mut self, f: FutureId, order: &[usize]) {
        for &arm in order {
            if !self.stands(f, arm) {
                self.enqueue(Place { future: f, arm });
            }
        }
    }

    /// Where this arm stands when it waits.
    fn line(&self, arm: Arm) -> Option<&VecDeque<Place>> {
        let chan = &self.chans[arm.chan()?];
        match arm {
            Arm::Send(..) | Arm::Reserve(_) => Some(&chan.sendq),
            Arm::Recv(_) => Some(&chan.recvq),
            Arm::Watch(_) => Some(&chan.closeq),
            Arm::Foreign(_) => None,
        }
    }

    fn line_mut(&mut self, arm: Arm) -> Option<&mut VecDeque<Place>> {
        let chan = &mut self.chans[arm.chan()?];
        match arm {
            Arm::Send(..) | Arm::Reserve(_) => Some(&mut chan.sendq),
            Arm::Recv(_) => Some(&mut chan.recvq),
            Arm::Watch(_) => Some(&mut chan.closeq),
            Arm::Foreign(_) => None,
        }
    }

    fn enqueue(&mut self, place: Place) {
        let arm = self.arm(place);
        if let Some(line) = self.line_mut(arm) {
            line.push_back(place);
        }
    }

    /// Serves parked senders and reservations, first come, first served.
    fn admit(&mut self, c: ChanId) {
        let mut next = 0;
        while let Some(&place) = self.chans[c].sendq.get(next) {
            match self.attempt(place.future, place.arm) {
                Some(answer) => {
                    self.win(place, answer, 0);
                    next = 0;
                }
                None => next += 1,
            }
        }
    }

    fn bring(&mut self, value: Value) {
        self.in_hand.retain(|&other| other != value);
    }

    fn accept(&mut self, c: ChanId) -> u64 {
        self.chans[c].accepted += 1;
        self.chans[c].accepted
    }

    fn push(&mut self, c: ChanId, value: Value) {
        let age = self.accept(c);
        self.chans[c].insert(age, value);
    }

    fn hand(&mut self, c: ChanId, receiver: Place, age: u64, value: Value) {
        self.leaves(c, age);
        self.chans[c].inflight += 1;
        self.win(receiver, Answer::Received(value), age);
    }

    /// An unclaimed value goes to the first receiver in line, else where it was.
    fn put_back(&mut self, c: ChanId, age: u64, value: Value) {
        let chan = &mut self.chans[c];
        chan.inflight -= 1;
        let first = chan.recvq.front().copied();
        match (self.mutation, first) {
            (Some(Mutation::LosesUnclaimed), _) => {}
            (mutation, Some(receiver)) if mutation != Some(Mutation::PutsBackPastReceivers) => {
                self.hand(c, receiver, age, value);
            }
            (mutation, _) => {
                match mutation {
                    Some(Mutation::PutsBackInFront) => chan.buf.push_front((age, value)),
                    _ => chan.insert(age, value),
                }
                chan.put_back += 1;
            }
        }
        self.settle(c);
    }

    /// Tells everybody whom the end of the channel concerns.
    fn settle(&mut self, c: ChanId) {
        while !self.one_by_one && self.tell(c) {}
    }

    /// The next one whom the end of the channel concerns: a receiver, once nothing can come any more.
    fn concerned(&self, c: ChanId) -> Option<(Place, Answer)> {
        let chan = &self.chans[c];
        if !chan.closed {
            return None;
        }
        let sender = chan.sendq.front().map(|&place| match self.arm(place) {
            Arm::Send(_, value) => (place, Answer::Refused(value)),
            _ => (place, Answer::Denied),
        });
        let watcher = chan.closeq.front().map(|&place| (place, Answer::Ended));
        let receiver = chan.recvq.front().filter(|_| self.is_over(c));
        let receiver = receiver.map(|&place| (place, Answer::Over));
        sender.or(watcher).or(receiver)
    }

    fn is_over(&self, c: ChanId) -> bool {
        let chan = &self.chans[c];
        let decided = chan.inflight == 0 || self.mutation == Some(Mutation::ClosedIgnoresUnclaimed);
        chan.closed && chan.buf.is_empty() && decided
    }

    /// Completes a parked future: all its arms leave their lines, and it is woken.
    fn win(&mut self, Place { future, arm }: Place, answer: Answer, age: u64) {
        if self.stays_in_line() {
            self.leave_place(Place { future, arm });
            let is_stale = self.futures[future].state != State::Parked;
            if is_stale && self.mutation == Some(Mutation::StaleArmAbsorbs) {
                return;
            }
        } else {
            self.leave(future);
        }
        self.futures[future].state = State::Won { arm, answer, age };
        self.woken.push(future);
    }

    fn leave(&mut self, f: FutureId) {
        self.retain_places(|place| place.future != f);
    }

    /// Leaves one line, and stands in the others still.
    fn leave_place(&mut self, left: Place) {
        self.retain_places(|&place| place != left);
    }

    fn retain_places(&mut self, stays: impl Fn(&Place) -> bool) {
        for chan in &mut self.chans {
            for queue in [&mut chan.recvq, &mut chan.sendq, &mut chan.closeq] {
                queue.retain(&stays);
            }
        }
    }

    /// Whether the other arms of a future that has won wait for its next poll, by mutation.
    fn stays_in_line(&self) -> bool {
        matches!(
            self.mutation,
            Some(Mutation::FiresTwice | Mutation::StaleArmAbsorbs)
        )
    }

    fn arm(&self, place: Place) -> Arm {
        self.futures[place.future].arms[place.arm]
    }

    /// The values of the send arms that did not send.
    pub fn unsent(&self, f: FutureId, won: Option<(usize, Answer)>) -> Vec<Value> {
        let Future { arms, added, .. } = &self.futures[f];
        let arms = arms.iter().chain(added).enumerate();
        arms.filter_map(|(arm, on)| match *on {
            Arm::Send(_, value) if won != Some((arm, Answer::Sent)) => Some(value),
            _ => None,
        })
        .collect()
    }
}

// Under threads: what one call does to several channels, it does in several steps.
impl Model {
    /// From now on a call that ends a channel is not done before it has told everybody.
    pub fn one_by_one(mut self) -> Self {
        self.one_by_one = true;
        self
    }

    /// Whether a call that ends the channel is not done yet.
    pub fn is_telling(&self, c: ChanId) -> bool {
        self.one_by_one && self.concerned(c).is_some()
    }

    /// Tells the next one whom the end of the channel concerns; false if there is none.
    pub fn tell(&mut self, c: ChanId) -> bool {
        let Some((place, answer)) = self.concerned(c) else {
            return false;
        };
        self.win(place, answer, 0);
        true
    }

    /// A future that has not won stands in line for one more arm; false if that arm could proceed instead,
    /// or stands there already.
    pub fn park_arm(&mut self, f: FutureId, arm: usize) -> bool {
        // The other arms of the same future are no counterparts.
        let mut others = self.clone();
        others.leave(f);
        if self.stands(f, arm) || others.attempt(f, arm).is_some() {
            return false;
        }
        self.futures[f].state = State::Parked;
        self.enqueue(Place { future: f, arm });
        true
    }

    /// Whether the future stands in the line of this arm, with this or an earlier one; or the arm has none.
    pub fn stands(&self, f: FutureId, arm: usize) -> bool {
        let line = self.line(self.futures[f].arms[arm]);
        line.is_none_or(|line| line.iter().any(|place| place.future == f))
    }
}

// The promises.
impl Model {
    /// The promises that do not hold, or did not hold on the way here.
    pub fn broken(&self) -> Vec<Promise> {
        let mut broken = self.broken.clone();
        let mut expect = |promise, holds: bool| {
            if !holds {
                broken.push(promise);
            }
        };
        expect(Promise::OnePlace, self.each_value_is_in_one_place());
        expect(Promise::ProperLines, self.lines_are_proper());
        for chan in &self.chans {
            let in_order = chan.buf.iter().is_sorted_by(|(a, _), (b, _)| a < b);
            expect(Promise::InOrder, in_order);
            let idle = chan.recvq.is_empty() || chan.buf.is_empty();
            expect(Promise::NoReceiverBesideValues, idle);
            let full = chan.sendq.is_empty() || !chan.has_room();
            expect(Promise::NoSenderBesideRoom, full);
            expect(Promise::NoLostWakeup, !self.someone_sleeps_in_vain(chan));
        }
        broken
    }

    /// How many permits are in the hands of users; others are promised to reservations.
    pub fn permits(&self, c: ChanId) -> usize {
        let granted = |future: &&Future| match future.state {
            State::Won { arm, answer, .. } => {
                (future.arms[arm], answer) == (Arm::Reserve(c), Answer::Granted)
            }
            _ => false,
        };
        self.chans[c].reserved - self.futures.iter().filter(granted).count()
    }

    pub fn is_parked(&self, f: FutureId) -> bool {
        self.futures[f].state == State::Parked
    }

    /// Whether the future keeps the waker of its last poll, since somebody may serve it on one of the
    /// first `chans` channels.
    pub fn keeps_waker(&self, f: FutureId, chans: usize) -> bool {
        let mut arms = self.futures[f].arms.iter();
        self.is_parked(f) && arms.any(|arm| arm.chan().is_some_and(|c| c < chans))
    }

    /// The futures that can still be polled, oldest first.
    pub fn live(&self) -> impl Iterator<Item = FutureId> + '_ {
        (0..self.futures.len()).filter(|&f| self.futures[f].state != State::Done)
    }

    fn observe(&mut self, c: ChanId, answer: Answer) {
        match answer {
            Answer::Received(value) => {
                self.out.push(value);
                if self.chans[c].end_seen {
                    self.broken.push(Promise::ClosedIsFinal);
                }
            }
            Answer::Over => self.chans[c].end_seen = true,
            _ => {}
        }
    }

    fn leaves(&mut self, c: ChanId, age: u64) {
        if self.chans[c].buf.iter().any(|&(other, _)| other < age) {
            self.broken.push(Promise::OldestFirst);
        }
    }

    fn each_value_is_in_one_place(&self) -> bool {
        let mut places = vec![0; self.values];
        let inside = self.chans.iter().flat_map(|chan| &chan.buf);
        inside.for_each(|&(_, value)| places[value] += 1);
        let leased = self.leases.iter().map(|(_, _, value)| value);
        let outside = self.out.iter().chain(&self.in_hand).chain(leased);
        outside.for_each(|&value| places[value] += 1);
        for f in self.live() {
            let mut won = None;
            if let State::Won { arm, answer, .. } = self.futures[f].state {
                won = Some((arm, answer));
                if let Answer::Received(value) = answer {
                    places[value] += 1;
                }
            }
            let unsent = self.unsent(f, won);
            unsent.into_iter().for_each(|value| places[value] += 1);
        }
        places.iter().all(|&count| count == 1)
    }

    fn lines_are_proper(&self) -> bool {
        let mut places = vec![0; self.futures.len()];
        for chan in &self.chans {
            let lines = [&chan.recvq, &chan.sendq, &chan.closeq].into_iter();
            lines.flatten().for_each(|place| places[place.future] += 1);
        }
        let mut unclaimed = vec![0; self.chans.len()];
        self.leases.iter().for_each(|&(c, ..)| unclaimed[c] += 1);
        for (f, future) in self.futures.iter().enumerate() {
            let mut lines = vec![];
            for arm in future.arms.iter().filter(|_| self.is_parked(f)) {
                let line = self.line(*arm).map(std::ptr::from_ref);
                if line.is_some() && !lines.contains(&line) {
                    lines.push(line);
                }
            }
            let in_each = (0..future.arms.len()).all(|arm| self.stands(f, arm));
            if places[f] != lines.len() || (self.is_parked(f) && !in_each) {
                return false;
            }
            if let State::Won {
                arm,
                answer: Answer::Received(_),
                ..
            } = future.state
            {
                if let Arm::Recv(c) = future.arms[arm] {
                    unclaimed[c] += 1;
                }
            }
        }
        self.chans.iter().map(|chan| chan.inflight).eq(unclaimed)
    }

    fn someone_sleeps_in_vain(&self, chan: &Chan) -> bool {
        let receivers_in_vain = !chan.buf.is_empty() || (chan.closed && chan.inflight == 0);
        let senders_in_vain = chan.closed || chan.has_room();
        // Two arms of one select do not meet, and a reservation brings nothing.
        let could_meet = chan.sendq.iter().any(|&sender| {
            let brings = matches!(self.arm(sender), Arm::Send(..));
            brings && chan.receiver_for(sender.future).is_some()
        });
        (receivers_in_vain && !chan.recvq.is_empty())
            || (senders_in_vain && !chan.sendq.is_empty())
            || (chan.closed && !chan.closeq.is_empty())
            || could_meet
    }
}
