//! Histories of what threads did to channels, and the question whether the rules explain them.
//!
//! A history has one event for each call: one poll, one drop, one `try_send` and so on. None of these
//! waits, so [`Model`] has a right answer for each, and a history is linearizable if its calls, put
//! into some order, get from the model the answers that they got from the crate. The order must respect
//! time: a call that returned before another began comes before it. [`explain`] looks for such an order
//! as Wing and Gong do, and as Lowe does remembers where it has been.
//!
//! A call on one channel takes place at one instant. Two kinds of call are on several channels, and
//! so take several steps, between which others may come:
//!
//! - The first poll of a select parks one arm after the other, and an arm that stands in line may be
//!   served before the next one does. So a select begins to wait at another instant on each channel.
//! - A call that ends a channel tells everybody who waits there. A select among them stands in line
//!   elsewhere until it is told. Nobody else does anything to the channel meanwhile.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use std::collections::HashSet;
use std::fmt;
use std::task::Poll;

use crate::model::{Answer, Arm, ChanId, FutureId, Model, Mutation, State, UNBOUNDED, Value};

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The first poll of a future.
    Start(FutureId),
    /// A later one.
    Poll(FutureId),
    Drop(FutureId),
    /// Takes the value back from a plain send.
    Cancel(FutureId),
    TrySelect(FutureId),
    TrySend(ChanId, Value),
    TryRecv(ChanId),
    TryLease(ChanId),
    /// Ends the lease of this value.
    TakeLease(Value),
    DropLease(Value),
    Close(ChanId),
}

/// What it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Pending,
    /// A future is ready: which arm, and what that says.
    Ready(usize, Answer),
    /// What a call says that is no future.
    Answer(Answer),
    /// A select that does not wait found no arm that can proceed.
    Default,
    /// Whether this call was the one that closed.
    Closed(bool),
    /// The value that was not sent.
    Unsent(Option<Value>),
    Dropped,
}

/// A call with the times at which it began and returned, all different.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub began: u64,
    pub returned: u64,
    pub call: Call,
    pub said: Said,
}

impl Event {
    pub fn overlaps(&self, other: &Self) -> bool {
        self.began < other.returned && other.began < self.returned
    }
}

/// What each of some threads did, one call after the other.
#[derive(Clone, Default)]
pub struct History {
    pub capacities: Vec<usize>,
    /// The arms of each future.
    pub futures: Vec<Vec<Arm>>,
    /// How many values there are.
    pub values: usize,
    pub threads: Vec<Vec<Event>>,
}

impl History {
    /// How many pairs of calls by different threads overlap.
    pub fn overlaps(&self) -> usize {
        let mut overlaps = 0;
        for (first, others) in (1..).zip(&self.threads) {
            let later = self.threads[first..].iter().flatten();
            let pairs = others
                .iter()
                .flat_map(|one| later.clone().map(move |other| (one, other)));
            overlaps += pairs.filter(|(one, other)| one.overlaps(other)).count();
        }
        overlaps
    }

    /// What each future says in the end, if it does.
    fn outcomes(&self) -> Vec<Option<(usize, Answer)>> {
        let mut outcomes = vec![None; self.futures.len()];
        for event in self.threads.iter().flatten() {
            if let (Call::Start(f) | Call::Poll(f), Said::Ready(arm, answer)) =
                (event.call, event.said)
            {
                outcomes[f] = Some((arm, answer));
            }
        }
        outcomes
    }

    /// The model before the first call.
    fn model(&self, mutation: Option<Mutation>) -> Model {
        let mut model = Model::new(&self.capacities, mutation);
        if self.capacities.len() > 1 {
            model = model.one_by_one();
        }
        for _ in 0..self.values {
            model.value();
        }
        for arms in &self.futures {
            model.create(arms.clone());
        }
        model
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channels:")?;
        for &capacity in &self.capacities {
            match capacity {
                UNBOUNDED => write!(f, " unbounded")?,
                capacity => write!(f, " capacity {capacity}")?,
            }
        }
        writeln!(f)?;
        let threads = self.threads.iter().enumerate();
        let mut rows: Vec<_> = threads
            .flat_map(|(thread, events)| events.iter().map(move |event| (thread, event)))
            .collect();
        rows.sort_by_key(|(_, event)| event.began);
        for (thread, event) in rows {
            let Event {
                began,
                returned,
                call,
                said,
            } = event;
            write!(f, "{began:4} to {returned:4}, thread {thread}: {call:?}")?;
            if let Call::Start(future) | Call::TrySelect(future) = call {
                write!(f, " {:?}", self.futures[*future])?;
            }
            writeln!(f, " says {said:?}")?;
        }
        Ok(())
    }
}

/// What the rules say to a history.
#[derive(Debug)]
pub enum Verdict {
    /// There is an order.
    Right {
        /// How many states the search came to.
        states: usize,
        /// Whether the order is another one than that in which the calls began.
        reordered: bool,
    },
    /// There is none; the story says how far the search has come.
    Wrong(String),
    /// The search came to more states than it may.
    Undecided,
}

/// The most states of a search. Usually a hundredth of that is enough.
const LIMIT: usize = 100_000;

/// Looks for an order of the calls in which the model answers as the crate did.
pub fn explain(history: &History, mutation: Option<Mutation>) -> Verdict {
    let mut search = Search {
        history,
        outcomes: history.outcomes(),
        seen: HashSet::new(),
        order: Vec::new(),
        longest: Vec::new(),
    };
    let start = vec![At::default(); history.threads.len()];
    if search.goes_on(&history.model(mutation), &start) {
        let began = search.order.iter().map(|event| event.began);
        return Verdict::Right {
            states: search.seen.len(),
            reordered: !began.is_sorted(),
        };
    }
    if search.seen.len() >= LIMIT {
        return Verdict::Undecided;
    }
    let mut story = format!("{history:?}no order explains this; the longest that begins one:\n");
    for Event { call, said, .. } in &search.longest {
        story += &format!("  {call:?} says {said:?}\n");
    }
    Verdict::Wrong(story)
}

/// How far a thread has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct At {
    /// How many of its calls are done.
    done: usize,
    /// The channel that the next one has ended, while it tells.
    tells: Option<ChanId>,
}

struct Search<'h> {
    history: &'h History,
    outcomes: Vec<Option<(usize, Answer)>>,
    /// The states that the search has come to.
    seen: HashSet<(Vec<At>, Model)>,
    order: Vec<Event>,
    longest: Vec<Event>,
}

impl Search<'_> {
    /// Whether all calls that are left can be put into order.
    fn goes_on(&mut self, model: &Model, at: &[At]) -> bool {
        let threads = self.history.threads.iter().zip(at).enumerate();
        let mut waiting: Vec<_> = threads
            .filter_map(|(thread, (events, at))| Some((thread, *events.get(at.done)?)))
            .collect();
        // What returned first was usually first.
        waiting.sort_by_key(|(_, event)| event.returned);
        let Some(&(_, first)) = waiting.first() else {
            return true;
        };
        waiting.retain(|(_, event)| event.began < first.returned);
        waiting.into_iter().any(|(thread, event)| {
            let mut steps = self.steps(model, at[thread], &event).into_iter();
            steps.any(|(next, then)| {
                let mut at = at.to_vec();
                let is_done = at[thread].done < then.done;
                at[thread] = then;
                self.tries(next, &at, is_done.then_some(event))
            })
        })
    }

    /// Goes on from a state, unless that was tried already.
    fn tries(&mut self, mut model: Model, at: &[At], done: Option<Event>) -> bool {
        // What does not change what comes must not make states different.
        model.woken.clear();
        model.out.sort_unstable();
        model.leases.sort_unstable();
        if self.seen.len() >= LIMIT
            || !self.is_promising(&model)
            || !self.seen.insert((at.to_vec(), model.clone()))
        {
            return false;
        }
        self.order.extend(done);
        if self.order.len() > self.longest.len() {
            self.longest.clone_from(&self.order);
        }
        let found = self.goes_on(&model, at);
        if !found && done.is_some() {
            self.order.pop();
        }
        found
    }

    /// Whether no future has won what it will not say: a dead end that would be seen only later.
    fn is_promising(&self, model: &Model) -> bool {
        let mut futures = model.futures.iter().zip(&self.outcomes);
        futures.all(|(future, outcome)| match (future.state, outcome) {
            (State::Won { arm, answer, .. }, &Some(outcome)) => (arm, answer) == outcome,
            _ => true,
        })
    }

    /// The states to which the next step of a call may lead.
    fn steps(&self, model: &Model, at: At, event: &Event) -> Vec<(Model, At)> {
        if let Some(c) = at.tells {
            let mut next = model.clone();
            next.tell(c);
            let at = after(&next, at, &[c], true);
            return vec![(next, at)];
        }
        match event.call {
            Call::Start(f) if self.history.futures[f].len() > 1 => {
                self.steps_of_select(model, at, f, event.said)
            }
            call => {
                let on = self.channels(model, event);
                let does = |model: &mut Model| (act(model, call, event.said), true);
                step(model, at, &on, event.said, does).into_iter().collect()
            }
        }
    }

    /// The first poll of a select.
    fn steps_of_select(&self, model: &Model, at: At, f: FutureId, said: Said) -> Vec<(Model, At)> {
        let arms = &self.history.futures[f];
        let mut next = Vec::new();
        match (model.futures[f].state, said) {
            // An arm that stood in line was served before all did.
            (State::Won { .. }, Said::Pending) => next.push((model.clone(), at.done())),
            (State::Won { arm, .. }, _) => {
                let does = |model: &mut Model| (act(model, Call::Poll(f), said), true);
                next.extend(step(model, at, &[chan(arms[arm])], said, does));
            }
            (State::Fresh, Said::Ready(arm, _)) => {
                let does = |model: &mut Model| (act(model, Call::TrySelect(f), said), true);
                next.extend(step(model, at, &[chan(arms[arm])], said, does));
            }
            _ => {}
        }
        if let State::Fresh | State::Parked = model.futures[f].state {
            let outside = (0..arms.len()).filter(|&arm| !model.stands(f, arm));
            // The select stands in each line once.
            let line = |arm: usize| (matches!(arms[arm], Arm::Recv(_)), chan(arms[arm]));
            let first = outside.clone().next().map(line);
            let is_last = outside.clone().all(|arm| Some(line(arm)) == first);
            for arm in outside.filter(|_| !is_last || said == Said::Pending) {
                let does = |model: &mut Model| match model.park_arm(f, arm) {
                    true => (said, is_last),
                    false => (Said::Dropped, false),
                };
                next.extend(step(model, at, &[chan(arms[arm])], said, does));
            }
        }
        next
    }

    /// The channels at which a call is.
    fn channels(&self, model: &Model, event: &Event) -> Vec<ChanId> {
        match event.call {
            Call::TrySend(c, _) | Call::TryRecv(c) | Call::TryLease(c) | Call::Close(c) => vec![c],
            Call::TakeLease(value) | Call::DropLease(value) => {
                vec![model.leases[lease(model, value)].0]
            }
            Call::Start(f) | Call::Poll(f) | Call::Drop(f) | Call::Cancel(f) => {
                let arms = &self.history.futures[f];
                match model.futures[f].state {
                    State::Won { arm, .. } => vec![chan(arms[arm])],
                    _ if arms.len() == 1 => vec![chan(arms[0])],
                    // A parked select looks at nothing but its offer.
                    _ => vec![],
                }
            }
            Call::TrySelect(f) => {
                let arms = &self.history.futures[f];
                match event.said {
                    Said::Ready(arm, _) => vec![chan(arms[arm])],
                    _ => arms.iter().copied().map(chan).collect(),
                }
            }
        }
    }
}

impl At {
    fn done(self) -> Self {
        Self {
            done: self.done + 1,
            tells: None,
        }
    }
}

/// One step of a call at these channels, if nobody else is at them and it says what was said.
fn step(
    model: &Model,
    at: At,
    on: &[ChanId],
    said: Said,
    does: impl FnOnce(&mut Model) -> (Said, bool),
) -> Option<(Model, At)> {
    if on.iter().any(|&c| model.is_telling(c)) {
        return None;
    }
    let mut next = model.clone();
    let (says, is_last) = does(&mut next);
    let at = after(&next, at, on, is_last);
    (says == said).then_some((next, at))
}

/// How far a thread has come with a step, which may leave it something to tell.
fn after(model: &Model, at: At, on: &[ChanId], is_last: bool) -> At {
    let tells = on.iter().copied().find(|&c| model.is_telling(c));
    match (is_last, tells) {
        (true, None) => at.done(),
        (_, tells) => At { tells, ..at },
    }
}

/// What the model says to a call at one instant. A fair select tries the arm that has won first.
fn act(model: &mut Model, call: Call, said: Said) -> Said {
    match call {
        Call::Start(f) | Call::Poll(f) => match model.poll(f) {
            Poll::Pending => Said::Pending,
            Poll::Ready((arm, answer)) => Said::Ready(arm, answer),
        },
        Call::Drop(f) => {
            model.drop(f);
            Said::Dropped
        }
        Call::Cancel(f) => Said::Unsent(model.drop(f).pop()),
        Call::TrySelect(f) => {
            let order = match said {
                Said::Ready(arm, _) => vec![arm],
                _ => (0..model.futures[f].arms.len()).collect(),
            };
            match model.try_in_order(f, &order) {
                Some((arm, answer)) => Said::Ready(arm, answer),
                None => Said::Default,
            }
        }
        Call::TrySend(c, value) => Said::Answer(model.try_send(c, value)),
        Call::TryRecv(c) => Said::Answer(model.try_recv(c)),
        Call::TryLease(c) => Said::Answer(model.try_lease(c)),
        Call::TakeLease(value) => {
            let taken = model.take_lease(lease(model, value));
            Said::Answer(Answer::Received(taken))
        }
        Call::DropLease(value) => {
            model.drop_lease(lease(model, value));
            Said::Dropped
        }
        Call::Close(c) => Said::Closed(model.close(c)),
    }
}

fn chan(arm: Arm) -> ChanId {
    arm.chan().expect("arms of histories are on channels")
}

/// Where the lease of a value is. Its thread has been told of it.
fn lease(model: &Model, value: Value) -> usize {
    let mut leases = model.leases.iter();
    let place = leases.position(|&(_, _, leased)| leased == value);
    place.expect("only what is leased is ended")
}
