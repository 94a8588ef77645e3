//! The crate against a model of its rules: the same script for both, compared after every step.
//!
//! What a script is, and what is compared, says [`bench`](self::bench). Short scripts are tried
//! exhaustively, long ones at random. The model proves itself: with any of its rules broken it is refuted,
//! by its own promises and by the crate.

mod support;

#[path = "support/model.rs"]
mod model;

#[path = "support/answers.rs"]
mod answers;

#[path = "support/script.rs"]
mod script;

#[path = "support/bench.rs"]
mod bench;

use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;

use self::bench::{
    Give, Op, Picks, Receive, STEPS, Script, Side, Want, play, play_and_tell, step, weights,
};
use self::model::{Arm, ChanId, FutureId, Model, Mutation, Promise, UNBOUNDED};
use self::script::{Verdict, shortest_difference};

/// The only channel of short scripts.
const CHAN: ChanId = 0;

// Short scripts, all of them.

/// What short scripts are made of: capacities that they can fill, and calls.
#[derive(Clone, Copy)]
struct Kit<'a> {
    capacities: &'a [usize],
    calls: &'a [Op],
}

/// The basic calls; `Poll` and `Drop` come with the futures.
const BASIC: Kit<'_> = Kit {
    capacities: &[0, 1, 2],
    calls: &[
        Op::Recv(CHAN),
        Op::Send(CHAN),
        Op::TrySend(CHAN),
        Op::TryRecv(CHAN),
        Op::Close(CHAN),
    ],
};

/// Calls around permits; `SendReserved` and `DropPermit` come with them.
const WITH_PERMITS: Kit<'_> = Kit {
    capacities: &[1, 2],
    calls: &[
        Op::Recv(CHAN),
        Op::Send(CHAN),
        Op::TryRecv(CHAN),
        Op::Reserve(CHAN),
    ],
};

/// Calls around leases; `TakeLease` and `DropLease` come with them.
const WITH_LEASES: Kit<'_> = Kit {
    capacities: &[0, 1],
    calls: &[
        Op::TryLease(CHAN),
        Op::Recv(CHAN),
        Op::Send(CHAN),
        Op::Close(CHAN),
    ],
};

/// Calls around a receiver that stands in line itself.
const WITH_PLACE: Kit<'_> = Kit {
    capacities: &[0, 1],
    calls: &[
        Op::PollRecv(0),
        Op::UseReceiver(0, Receive::Try),
        Op::UseReceiver(0, Receive::One),
        Op::Recv(CHAN),
        Op::TrySend(CHAN),
        Op::Close(CHAN),
    ],
};

/// What the steps of a short script come to on the model alone.
#[derive(Clone)]
struct Sketch {
    model: Model,
    /// The place in line of the receiver that is polled itself.
    place: Option<FutureId>,
}

impl Sketch {
    fn new(capacity: usize, mutation: Option<Mutation>) -> Self {
        Self {
            model: Model::new(&[capacity], mutation),
            place: None,
        }
    }

    /// The futures that are polled and dropped by number.
    fn live(&self) -> Vec<FutureId> {
        let live = self.model.live();
        live.filter(|&f| Some(f) != self.place).collect()
    }

    fn act(&mut self, op: &Op) {
        let live = self.live();
        let model = &mut self.model;
        match *op {
            Op::Send(c) => {
                let value = model.value();
                start(model, Arm::Send(c, value));
            }
            Op::Recv(c) => drop(start(model, Arm::Recv(c))),
            Op::Reserve(c) => drop(start(model, Arm::Reserve(c))),
            Op::Poll(k) => drop(model.poll(live[k])),
            Op::Drop(k) => drop(model.drop(live[k])),
            Op::TrySend(c) => {
                let value = model.value();
                model.try_send(c, value);
            }
            Op::TryRecv(c) => drop(model.try_recv(c)),
            Op::TryLease(c) => drop(model.try_lease(c)),
            Op::TakeLease(k) => drop(model.take_lease(k)),
            Op::DropLease(k) => model.drop_lease(k),
            Op::Close(c) => drop(model.close(c)),
            Op::SendReserved(_) => {
                let value = model.value();
                model.send_reserved(CHAN, value);
            }
            Op::DropPermit(_) => model.release_permit(CHAN),
            Op::PollRecv(_) => {
                self.place = match self.place {
                    Some(f) => model.poll(f).is_pending().then_some(f),
                    None => start(model, Arm::Recv(CHAN)),
                };
            }
            Op::UseReceiver(_, how) => {
                if let Some(f) = self.place.take() {
                    model.drop(f);
                }
                if how == Receive::Try {
                    model.try_recv(CHAN);
                } else if let Some(f) = start(model, Arm::Recv(CHAN)) {
                    model.drop(f);
                }
            }
            _ => unreachable!("{op:?} is for random scripts"),
        }
    }
}

/// A future that is polled once; `None` if it is ready.
fn start(model: &mut Model, arm: Arm) -> Option<FutureId> {
    let f = model.create(vec![arm]);
    model.poll(f).is_pending().then_some(f)
}

/// Visits all scripts up to a length, beginnings first, until a visit fails.
fn each_script(
    calls: &[Op],
    length: usize,
    sketch: &Sketch,
    script: &mut Vec<Op>,
    visit: &mut impl FnMut(&[Op], &Model) -> Verdict,
) -> Verdict {
    visit(script, &sketch.model)?;
    if script.len() == length {
        return Ok(());
    }
    let futures = (0..sketch.live().len()).flat_map(|k| [Op::Poll(k), Op::Drop(k)]);
    let permits = sketch.model.permits(CHAN) > 0;
    let permits = permits.then_some([Op::SendReserved(0), Op::DropPermit(0)]);
    let leases = 0..sketch.model.leases.len();
    let leases = leases.flat_map(|k| [Op::TakeLease(k), Op::DropLease(k)]);
    let steps = calls.iter().cloned().chain(futures).chain(leases);
    for op in steps.chain(permits.into_iter().flatten()) {
        let mut next = sketch.clone();
        next.act(&op);
        script.push(op);
        each_script(calls, length, &next, script, visit)?;
        script.pop();
    }
    Ok(())
}

/// The first difference between crate and model in all scripts of a length, or how many there are.
fn differs_at(length: usize, kit: Kit<'_>, mutation: Option<Mutation>) -> Result<usize, String> {
    let mut scripts = 0;
    for &capacity in kit.capacities {
        let sketch = Sketch::new(capacity, mutation);
        each_script(kit.calls, length, &sketch, &mut vec![], &mut |ops, _| {
            if ops.len() < length {
                return Ok(());
            }
            scripts += 1;
            let script = Script {
                capacities: vec![capacity],
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
fn breaks_within(length: usize, kit: Kit<'_>, mutation: Option<Mutation>) -> Result<usize, String> {
    let mut scripts = 0;
    for &capacity in kit.capacities {
        let sketch = Sketch::new(capacity, mutation);
        each_script(
            kit.calls,
            length,
            &sketch,
            &mut vec![],
            &mut |ops, model| {
                scripts += 1;
                match model.broken() {
                    broken if broken.is_empty() => Ok(()),
                    broken => Err(format!("capacity {capacity}: {ops:?} breaks {broken:?}")),
                }
            },
        )?;
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
    for kit in [BASIC, WITH_PERMITS, WITH_LEASES, WITH_PLACE] {
        let scripts = breaks_within(SHORT, kit, None);
        assert!(scripts.is_ok(), "{scripts:?}");
    }
}

#[test]
fn channel_does_as_the_model_in_every_short_script() {
    let scripts = differs_at(SHORT, BASIC, None);
    assert!(scripts.is_ok(), "{scripts:?}");
}

#[test]
fn channel_does_as_the_model_in_every_short_script_with_permits() {
    let scripts = differs_at(SHORT.min(6), WITH_PERMITS, None);
    assert!(scripts.is_ok(), "{scripts:?}");
}

#[test]
fn channel_does_as_the_model_in_every_short_script_with_leases() {
    let scripts = differs_at(SHORT.min(6), WITH_LEASES, None);
    assert!(scripts.is_ok(), "{scripts:?}");
}

#[test]
fn channel_does_as_the_model_in_every_short_script_with_a_receiver_in_line() {
    let scripts = differs_at(SHORT.min(5), WITH_PLACE, None);
    assert!(scripts.is_ok(), "{scripts:?}");
}

#[test]
fn short_scripts_are_all_that_there_are() {
    let mut visited = Vec::new();
    let sketch = Sketch::new(0, None);
    let visits = each_script(BASIC.calls, 2, &sketch, &mut vec![], &mut |ops, _| {
        visited.push(ops.to_vec());
        Ok(())
    });
    assert_eq!(visits, Ok(()));
    // Nothing; five calls; the same five after each, and two more after the two that park.
    assert_eq!(visited.len(), 1 + 5 + 5 * 5 + 2 * 2);
    assert!(visited.contains(&vec![Op::Recv(CHAN), Op::Drop(0)]));
}

// Long scripts, at random.

/// An arm of a select; of the numbers the last says whether it has a handle of its own, or is another future.
fn want() -> impl Strategy<Value = (bool, usize, usize)> {
    (any::<bool>(), 0..6_usize, 0..22_usize)
}

/// A step on one of so many channels, once their number is known.
type Ask = (usize, usize, usize, usize, Vec<(bool, usize, usize)>);

fn ask() -> impl Strategy<Value = Ask> {
    let wants = prop::collection::vec(want(), 0..=4);
    (0..weights(), 0..6_usize, 0..8_usize, 0..42_usize, wants)
}

fn op((pick, chan, n, k, wants): Ask, chans: usize) -> Op {
    let want = |(sends, chan, n): (bool, usize, usize)| match (sends, n) {
        (true, 16..) => Want::Future(n - 15),
        (false, 16..) => Want::Future(usize::MAX),
        (_, 12..) => Want::With(n - 12),
        (false, _) => Want::Recv(chan % chans),
        (true, _) => Want::Send(chan % chans),
    };
    let picks = Picks {
        chan: chan % chans,
        n,
        k,
        wants: wants.into_iter().map(want).collect(),
    };
    step(pick, picks)
}

/// Sixty steps on the average; half of the scripts are about one channel.
fn script() -> impl Strategy<Value = Script> {
    let capacity = prop::sample::select(vec![0, 1, 2, 3, 5, UNBOUNDED]);
    let capacities = prop_oneof![
        prop::collection::vec(capacity.clone(), 1),
        prop::collection::vec(capacity, 2..=3),
    ];
    let before = prop::collection::vec(ask(), 0..=100);
    let leaves_first = prop::sample::select(vec![Side::Senders, Side::Receivers]);
    let after = prop::collection::vec(ask(), 0..=20);
    let parts = (capacities, before, leaves_first, after);
    parts.prop_map(|(capacities, before, leaves_first, after)| {
        let ops = |asks: Vec<Ask>| asks.into_iter().map(|ask| op(ask, capacities.len()));
        Script {
            before: ops(before).collect(),
            leaves_first,
            after: ops(after).collect(),
            capacities,
        }
    })
}

/// A difference between crate and model that a random script leads to; no step of it is needless.
fn differs_somewhere(cases: u32, mutation: Option<Mutation>) -> Option<(Script, String)> {
    shortest_difference(cases, &script(), |script| play(script, mutation))
}

/// Many in a release build, fewer in a debug build, which is tens of times slower.
const CASES: u32 = match (cfg!(miri), cfg!(debug_assertions)) {
    (true, _) => 20,
    (false, true) => 2_000,
    (false, false) => 20_000,
};

#[test]
fn channel_does_as_the_model_in_long_random_scripts() {
    if let Some((script, difference)) = differs_somewhere(CASES, None) {
        panic!("{script:?} {difference}");
    }
}

/// What a step does, numbers apart: `UseReceiver Try`.
fn name(op: &Op) -> String {
    let shown = format!("{op:?}");
    let words = shown.split(|c: char| !c.is_alphabetic());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    match op {
        Op::UseReceiver(..) | Op::UseSender(..) => words[..2].join(" "),
        _ => words[0].to_owned(),
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hundreds of scripts")]
fn random_scripts_come_to_everything() {
    let (taken, in_line) = (RefCell::new(HashMap::new()), RefCell::new(HashMap::new()));
    let difference = shortest_difference(2_000, &script(), |script| {
        for (op, is_in_line) in play_and_tell(script, None)? {
            *taken.borrow_mut().entry(name(&op)).or_insert(0) += 1;
            if is_in_line {
                *in_line.borrow_mut().entry(name(&op)).or_insert(0) += 1;
            }
        }
        Ok(())
    });
    assert!(difference.is_none(), "{difference:?}");
    let (taken, in_line) = (taken.into_inner(), in_line.into_inner());
    let picks = Picks {
        chan: 0,
        n: 0,
        k: 0,
        wants: vec![],
    };
    for (_, step) in STEPS {
        let name = name(&step(picks.clone()));
        assert!(taken.get(&name) > Some(&20), "{name} is rare: {taken:?}");
    }
    let receives = Receive::ALL.map(|how| Op::UseReceiver(0, how));
    let gives = Give::ALL.map(|how| Op::UseSender(0, how));
    let others = [
        Op::Select(vec![]),
        Op::LendReceiver(0, Receive::One),
        Op::CloneReceiver(0),
        Op::DropReceiver(0),
        Op::LendSender(0, 0),
        Op::CloneSender(0),
        Op::DropSender(0),
        Op::CloseSink(0),
    ];
    for op in receives.into_iter().chain(gives).chain(others) {
        let name = name(&op);
        assert!(in_line.get(&name) > Some(&5), "{name} is rare: {in_line:?}");
    }
}

// The model has teeth.

/// For each broken rule: the shortest script in which somebody notices, and what does not hold then.
const STORIES: [(Mutation, usize, &[Op], Promise); 7] = [
    (
        Mutation::LosesUnclaimed,
        0,
        &[Op::Recv(CHAN), Op::TrySend(CHAN), Op::Drop(0)],
        Promise::OnePlace,
    ),
    (
        Mutation::PutsBackInFront,
        0,
        &[
            Op::Recv(CHAN),
            Op::TrySend(CHAN),
            Op::Recv(CHAN),
            Op::TrySend(CHAN),
            Op::Drop(0),
            Op::Drop(0),
        ],
        Promise::InOrder,
    ),
    (
        Mutation::PutsBackPastReceivers,
        0,
        &[
            Op::Recv(CHAN),
            Op::TrySend(CHAN),
            Op::Recv(CHAN),
            Op::Drop(0),
        ],
        Promise::NoReceiverBesideValues,
    ),
    (
        Mutation::TakesFromSendersFirst,
        0,
        &[
            Op::Recv(CHAN),
            Op::TrySend(CHAN),
            Op::Send(CHAN),
            Op::Drop(0),
            Op::TryRecv(CHAN),
        ],
        Promise::OldestFirst,
    ),
    (
        Mutation::ClosedIgnoresUnclaimed,
        0,
        &[
            Op::Recv(CHAN),
            Op::TrySend(CHAN),
            Op::Close(CHAN),
            Op::TryRecv(CHAN),
            Op::Poll(0),
        ],
        Promise::ClosedIsFinal,
    ),
    (
        Mutation::ClaimReleasesNobody,
        0,
        &[
            Op::Recv(CHAN),
            Op::TrySend(CHAN),
            Op::Recv(CHAN),
            Op::Close(CHAN),
            Op::Poll(0),
        ],
        Promise::NoLostWakeup,
    ),
    (
        Mutation::RecvAdmitsNobody,
        1,
        &[Op::Send(CHAN), Op::Send(CHAN), Op::TryRecv(CHAN)],
        Promise::NoLostWakeup,
    ),
];

#[test]
#[cfg_attr(miri, ignore = "takes thousands of scripts")]
fn each_broken_rule_breaks_a_promise_in_its_shortest_script() {
    for (mutation, capacity, story, promise) in STORIES {
        let mut sketch = Sketch::new(capacity, Some(mutation));
        story.iter().for_each(|op| sketch.act(op));
        assert!(
            sketch.model.broken().contains(&promise),
            "{mutation:?} keeps {promise:?}"
        );
        let shorter = breaks_within(story.len() - 1, BASIC, Some(mutation));
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
            (1..=story.len()).any(|length| differs_at(length, BASIC, Some(mutation)).is_err());
        assert!(differs, "{mutation:?} is not noticed");
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes thousands of scripts")]
fn each_broken_rule_is_noticed_in_a_random_script() {
    for (mutation, ..) in STORIES {
        let differs = differs_somewhere(20_000, Some(mutation)).is_some();
        assert!(differs, "{mutation:?} is not noticed");
    }
}
