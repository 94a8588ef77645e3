//! The driver: everyone in every cell, round by round.

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hchan_compare::contest::Contest;
use hchan_compare::go::Go;
use hchan_compare::options::Options;
use hchan_compare::report::Results;
use hchan_compare::runtime::Runtimes;
use hchan_compare::{cell, chart, clock, entries, machine, scaling, select, watchdog};

/// Entries that nobody has to beat in Rust.
const ASIDE: &[&str] = &["Go", "plain recv", "locked queue"];

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

    fs::create_dir_all(&options.out)?;
    let write = |name, text| fs::write(options.out.join(name), text);
    write("times.md", results.times())?;
    write("polls.md", results.polls())?;
    write("results.json", results.json().to_string())?;
    if let Some(channels) = results
        .contests
        .iter()
        .find(|contest| contest.title == "channels")
    {
        write("overall.svg", chart::draw_overall(channels))?;
    }
    for contest in &results.contests {
        let name = format!("{}.svg", contest.title);
        chart::draw(contest, &options.out.join(name))?;
    }
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
    let mut contests = vec![
        Contest::new("channels", entries::channels(), ASIDE, cell::channels()),
        Contest::new("selects", select::entries(), ASIDE, cell::selects()),
    ];
    contests.retain(|contest| options.part(contest.title));
    for contest in &mut contests {
        contest.cells.retain(|cell| options.cell(cell));
        contest.without.clone_from(&options.without);
        contest.entries.extend(go.map(Go::entry));
        let ours = contest.entries[0].name;
        contest
            .entries
            .retain(|entry| entry.name == ours || options.rival(entry.name));
    }
    contests.retain(|contest| !contest.cells.is_empty());
    contests
}
