//! Single cells under criterion: `cargo bench --bench cells -- 'ready pair'`.
//!
//! Names are those of the driver's tables. What criterion does not do is to run the rivals in turn, so
//! where others work on the machine the driver tells more.

use std::time::Duration;

use criterion::Criterion;
use hchan_compare::cell::{self, Cell};
use hchan_compare::contest::{Entry, Look};
use hchan_compare::runtime::Runtimes;
use hchan_compare::{entries, select};

fn main() {
    let mut c = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    let on = Runtimes::new();
    bench(&mut c, &entries::channels(), &cell::channels(), &on);
    bench(&mut c, &select::entries(), &cell::selects(), &on);
    c.final_summary();
}

fn bench(c: &mut Criterion, entries: &[Entry], cells: &[Cell], on: &Runtimes) {
    for cell in cells {
        let mut group = c.benchmark_group(cell.name());
        for entry in entries {
            let run = |messages| entry.run(cell, messages, Look::Away, on);
            if run(1).is_none() {
                continue;
            }
            group.bench_function(entry.name, |b| {
                b.iter_custom(|messages| {
                    let outcome = run(messages).expect("what ran before runs again");
                    assert!(!outcome.lost, "values got lost");
                    Duration::from_nanos(outcome.nanos as u64)
                });
            });
        }
        group.finish();
    }
}
