//! The crate against the model of its rules, on whatever the fuzzer comes up with.
//!
//! An input is a script of calls on one to three channels, as `tests/model.rs` plays them at random.
//! Crate and model take each step side by side, and must agree in all that is seen of it. What the fuzzer
//! adds to those tests is that it looks for code that was not run yet.
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

#[path = "../../tests/support/bench.rs"]
mod bench;

use libfuzzer_sys::fuzz_target;

use self::bench::{Op, Picks, Script, Side, Want, play, step, weights};
use self::model::UNBOUNDED;

fuzz_target!(|input: &[u8]| {
    let script = read(input);
    if let Err(difference) = play(&script, None) {
        panic!("{script:?} {difference}");
    }
});

/// The most steps of a script.
const STEPS: usize = 100;

/// Any input is a script: first the channels, then for each step one byte for what to do and two for
/// details, and one for each arm of a select.
fn read(input: &[u8]) -> Script {
    let mut bytes = input.iter().copied().map(usize::from);
    let mut byte = || bytes.next();
    let kind = byte().unwrap_or(0);
    let chans = 1 + kind % 3;
    let mut capacity = || [0, 0, 1, 1, 2, 3, 5, UNBOUNDED][byte().unwrap_or(0) % 8];
    let capacities: Vec<_> = (0..chans).map(|_| capacity()).collect();
    let mut ops = Vec::new();
    while let (Some(pick), Some(n), Some(k)) = (byte(), byte(), byte()) {
        let picks = Picks {
            chan: n % chans,
            n,
            k,
            wants: vec![want(k, chans)],
        };
        let mut op = step(pick % weights(), picks);
        if let Op::Select(wants) | Op::TrySelect(wants) = &mut op {
            let more = (0..k % 4).map_while(|_| byte());
            wants.extend(more.map(|byte| want(byte, chans)));
        }
        ops.push(op);
        if ops.len() == STEPS {
            break;
        }
    }
    // The last steps are taken when the handles of one side have gone.
    let after = ops.split_off(ops.len() - ops.len() / 5);
    Script {
        capacities,
        before: ops,
        leaves_first: [Side::Senders, Side::Receivers][kind / 3 % 2],
        after,
    }
}

/// An arm of a select.
fn want(byte: usize, chans: usize) -> Want {
    match byte / 4 % 8 {
        0..=2 => Want::Recv(byte % chans),
        3..=5 => Want::Send(byte % chans),
        6 => Want::With(byte % 4),
        // One in two waits until it is told.
        _ => Want::Future(if byte < 128 { usize::MAX } else { 1 + byte % 4 }),
    }
}
