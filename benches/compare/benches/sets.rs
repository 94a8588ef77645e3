//! Selects over 10 and over 100 receivers, again and again, beside crossbeam's: for callgrind, which counts the same
//! each time however busy the machine is.
//!
//! `sets WHO CASE RECEIVERS ROUNDS` runs one of them; without arguments it runs each for a moment, to see that it
//! works. `WHO` is `set`, `any` or `crossbeam`, `crossbeam-anew`, which makes its select for each round.

use std::env;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Select;
use hchan::RecvSet;

const WHO: [&str; 4] = ["set", "any", "crossbeam", "crossbeam-anew"];
const CASES: [&str; 4] = ["ready-one", "ready-all", "in-vain", "threads"];

/// Where the value of this round is sent, so that all have their turn, in no order that is easy to foresee.
fn place(round: usize, receivers: usize) -> usize {
    (round * 7 + 3) % receivers
}

fn run_hchan(who: &str, case: &str, receivers: usize, rounds: usize) -> usize {
    let capacity = usize::from(case != "threads");
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..receivers).map(|_| hchan::bounded(capacity)).unzip();
    let mut set: RecvSet<usize> = rxs.iter().cloned().collect();
    let mut receive = || match who {
        "set" => set.wait(),
        _ => hchan::recv_any_blocking(&rxs),
    };
    match case {
        "in-vain" => {
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..rounds {
                let is_pending = match who {
                    "set" => pin!(set.next()).poll(&mut cx).is_pending(),
                    _ => pin!(hchan::recv_any(&rxs)).poll(&mut cx).is_pending(),
                };
                assert!(is_pending);
            }
            0
        }
        "threads" => thread::scope(|scope| {
            scope.spawn(move || {
                (0..rounds).for_each(|n| txs[place(n, receivers)].send_blocking(n).unwrap());
            });
            (0..rounds).map(|_| receive().1.unwrap()).sum()
        }),
        _ => {
            let is_all = case == "ready-all";
            if is_all {
                txs.iter().for_each(|tx| tx.try_send(1).unwrap());
            }
            let mut sum = 0;
            for n in 0..rounds {
                if !is_all {
                    txs[place(n, receivers)].try_send(1).unwrap();
                }
                let (index, value) = receive();
                sum += value.unwrap();
                if is_all {
                    txs[index].try_send(1).unwrap();
                }
            }
            sum
        }
    }
}

fn run_crossbeam(who: &str, case: &str, receivers: usize, rounds: usize) -> usize {
    let capacity = usize::from(case != "threads");
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..receivers)
        .map(|_| crossbeam_channel::bounded(capacity))
        .unzip();
    let make = || {
        let mut select = Select::new();
        for rx in &rxs {
            select.recv(rx);
        }
        select
    };
    let mut kept = make();
    let mut receive = || {
        let mut anew;
        let select = match who {
            "crossbeam" => &mut kept,
            _ => {
                anew = make();
                &mut anew
            }
        };
        let operation = select.select();
        let index = operation.index();
        (index, operation.recv(&rxs[index]))
    };
    match case {
        "in-vain" => {
            for _ in 0..rounds {
                let is_late = match who {
                    "crossbeam" => kept.select_timeout(Duration::ZERO).is_err(),
                    _ => make().select_timeout(Duration::ZERO).is_err(),
                };
                assert!(is_late);
            }
            0
        }
        "threads" => thread::scope(|scope| {
            scope.spawn(move || {
                (0..rounds).for_each(|n| txs[place(n, receivers)].send(n).unwrap());
            });
            (0..rounds).map(|_| receive().1.unwrap()).sum()
        }),
        _ => {
            let is_all = case == "ready-all";
            if is_all {
                txs.iter().for_each(|tx| tx.try_send(1).unwrap());
            }
            let mut sum = 0;
            for n in 0..rounds {
                if !is_all {
                    txs[place(n, receivers)].try_send(1).unwrap();
                }
                let (index, value) = receive();
                sum += value.unwrap();
                if is_all {
                    txs[index].try_send(1).unwrap();
                }
            }
            sum
        }
    }
}

fn run(who: &str, case: &str, receivers: usize, rounds: usize) {
    let sum = match who {
        "set" | "any" => run_hchan(who, case, receivers, black_box(rounds)),
        _ => run_crossbeam(who, case, receivers, black_box(rounds)),
    };
    let expected = match case {
        "in-vain" => 0,
        "threads" => (0..rounds).sum(),
        _ => rounds,
    };
    assert_eq!(sum, expected);
}

fn main() {
    let args: Vec<_> = env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    match &args[..] {
        [who, case, receivers, rounds] => {
            run(
                who,
                case,
                receivers.parse().unwrap(),
                rounds.parse().unwrap(),
            );
        }
        _ => {
            for who in WHO {
                for case in CASES {
                    run(who, case, 10, 100);
                }
            }
        }
    }
}
