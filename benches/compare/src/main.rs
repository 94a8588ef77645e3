//! The driver: everyone in every cell, round by round.

use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hchan_compare::contest::Contest;
use hchan_compare::go::Go;
use hchan_compare::options::Options;
use hchan_compare::report::Results;
use hchan_compare::runtime::Runtimes;
use hchan_compare::{clock, entries, machine, scaling, watchdog};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::read();
    clock::BY_PROCESSOR.store(options.processor, Relaxed);
    watchdog::start(Duration::from_secs(60));
    // Crossfire asks for it, where it may run on a virtual machine.
    crossfire::detect_backoff_cfg();

    let mut results = Results {
        machine: machine::machine(),
        contests: Vec::new(),
        scaling: Vec::new(),
    };
    let go = Go::new();
    results.machine.push(match &go {
        Ok(go) => ("Go".into(), go.version.clone()),
        Err(reason) => ("Go".into(), format!("left out: {reason}")),
    });
    results.contests = contests(&options, go.as_ref().ok());
    let on = Runtimes::new();
    for contest in &mut results.contests {
        contest.measure(options.effort, &on);
    }
    if options.part("scaling") {
        let mut rivals = entries::scaling();
        rivals.retain(|rival| options.rival(rival.name));
        results.scaling = scaling::measure(&rivals, options.effort.rounds);
    }
    results.machine.push(("load after".into(), machine::load()));

    results.write(&options.out)?;
    print!("{}", results.times());
    println!("\nWritten to {}", options.out.display());

    let lost = results.contests.iter().flat_map(|contest| &contest.lost);
    Ok(lost.fold(ExitCode::SUCCESS, |_, lost| {
        eprintln!("values got lost: {lost}");
        ExitCode::FAILURE
    }))
}

/// What was asked for.
fn contests(options: &Options, go: Option<&Go>) -> Vec<Contest> {
    let mut contests = entries::contests(|| go.map(Go::entry));
    contests.retain(|contest| options.part(contest.title));
    for contest in &mut contests {
        contest.cells.retain(|cell| options.cell(cell));
        contest.without.clone_from(&options.without);
        let ours = contest.entries[0].name;
        contest
            .entries
            .retain(|entry| entry.name == ours || options.rival(entry.name));
    }
    contests.retain(|contest| !contest.cells.is_empty());
    contests
}
