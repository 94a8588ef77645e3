//! What was found, as Markdown.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::cell::{runtimes, shapes};
use crate::contest::{Contest, Measured};
use crate::runtime::Runtime;
use crate::scaling::{LINES, Scaling};
use crate::shapes::FOUND;
use crate::standing::{Standing, Times, geometric_mean};

pub struct Results {
    /// What it was measured on, and with.
    pub machine: Vec<(String, String)>,
    pub contests: Vec<Contest>,
    pub scaling: Vec<Scaling>,
}

impl Results {
    /// Writes all of it into a folder.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("times.md"), self.times())?;
        fs::write(folder.join("polls.md"), self.polls())?;
        fs::write(folder.join("results.json"), self.json().to_string())
    }

    /// The times, and who is ahead.
    pub fn times(&self) -> String {
        let mut out = String::from("# hchan and its rivals\n\n| | |\n|---|---|\n");
        for (what, value) in &self.machine {
            line(&mut out, [what.clone(), value.clone()]);
        }
        for contest in &self.contests {
            let _ = writeln!(out, "\n## {}\n", contest.title);
            standings(&mut out, contest);
            overview(&mut out, contest);
            times(&mut out, contest);
        }
        if !self.scaling.is_empty() {
            scaling(&mut out, &self.scaling);
        }
        out
    }

    /// What a close look at each cell has found.
    pub fn polls(&self) -> String {
        let mut out = String::from(
            "# A close look\n\nNanoseconds of a single poll; allocations and wakes for each message; \
             the messages of the least served over those of the most served, of the senders and of \
             the receivers.\n",
        );
        for contest in &self.contests {
            for (cell, results) in contest.cells.iter().zip(&contest.results) {
                let _ = writeln!(out, "\n## {}\n", cell.name());
                let titles = FOUND.join(" | ");
                let _ = writeln!(out, "| | {titles} |\n|---|{}", "--:|".repeat(FOUND.len()));
                for (entry, result) in contest.entries.iter().zip(results) {
                    let numbers = result.as_ref().and_then(Measured::found);
                    if let Some(numbers) = numbers {
                        let numbers = numbers.map(short);
                        line(&mut out, [entry.name.into()].into_iter().chain(numbers));
                    }
                }
            }
        }
        out
    }
}

pub fn line(out: &mut String, cells: impl IntoIterator<Item = String>) {
    for cell in cells {
        let _ = write!(out, "| {cell} ");
    }
    out.push_str("|\n");
}

/// Three digits or so.
pub fn short(number: f64) -> String {
    match number {
        0.0 => "0".into(),
        n if n.abs() < 0.005 => "<0.01".into(),
        n if n < 10.0 => format!("{n:.2}"),
        n if n < 100.0 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

pub fn dash(number: Option<f64>) -> String {
    number.map_or_else(|| "-".into(), short)
}

fn standings(out: &mut String, contest: &Contest) {
    out.push_str(
        "The first number is the time of the best of the others over that of the entry, as geometric \
         mean; above 1 it is ahead.\n\n\
         | | best other / it | cells | behind in | worst | its time / ours |\n|---|--:|--:|--:|---|--:|\n",
    );
    for (index, entry) in contest.entries.iter().enumerate() {
        let ours = geometric_mean(contest.against_ours(index).map(|(_, ratio)| ratio));
        let mut row = vec![entry.name.to_owned()];
        if contest.is_aside(index) {
            row.resize(5, String::new());
        } else {
            let standing = Standing::of(contest, index);
            let behind = standing.leads.iter().filter(|&&(_, lead)| lead < 1.0);
            row.push(short(standing.mean()));
            row.push(standing.leads.len().to_string());
            row.push(behind.count().to_string());
            row.push(standing.worst().map_or_else(String::new, |(cell, lead)| {
                format!("{} ({})", short(lead), contest.cells[cell].name())
            }));
        }
        row.push(short(ours));
        line(out, row);
    }
}

/// Our lead in short: a geometric mean for each shape on each runtime.
fn overview(out: &mut String, contest: &Contest) {
    let runtimes = runtimes(&contest.cells);
    let names = runtimes.iter().map(|runtime| runtime.name());
    let ours = contest.entries[0].name;
    let _ = writeln!(
        out,
        "\nThe first number of {ours}, for each shape on each runtime:\n"
    );
    line(out, [""].into_iter().chain(names).map(Into::into));
    let _ = writeln!(out, "|---|{}", "--:|".repeat(runtimes.len()));
    let standing = Standing::of(contest, 0);
    for shape in shapes(&contest.cells) {
        let lead = |&runtime: &Runtime| dash(standing.of_shape(contest, shape, Some(runtime)));
        line(
            out,
            [shape.name()].into_iter().chain(runtimes.iter().map(lead)),
        );
    }
}

fn times(out: &mut String, contest: &Contest) {
    out.push_str(
        "\nNanoseconds for each message, and how far we are ahead of the best rival (in **bold** where \
         we are behind).\n",
    );
    let shown = |entry: usize| {
        contest
            .results
            .iter()
            .any(|results| results[entry].is_some())
    };
    let entries: Vec<_> = (0..contest.entries.len())
        .filter(|&entry| shown(entry))
        .collect();
    let mut shape = None;
    for (index, cell) in contest.cells.iter().enumerate() {
        if shape != Some(cell.shape) {
            shape = Some(cell.shape);
            let _ = writeln!(out, "\n### {}\n", cell.shape.name());
            let names = entries.iter().map(|&entry| contest.entries[entry].name);
            let titles = ["runtime", "capacity", "value", "ahead"].into_iter();
            line(out, titles.chain(names).map(Into::into));
            let _ = writeln!(out, "|---|--:|---|{}", "--:|".repeat(entries.len() + 1));
        }
        let lead = match contest.lead(index, 0) {
            Some(lead) if lead < 1.0 => format!("**{}**", short(lead)),
            lead => dash(lead),
        };
        let by = match cell.batch {
            1 => String::new(),
            n => format!(" by {n}"),
        };
        let key = [
            cell.runtime.name().to_owned(),
            cell.capacity_name(),
            format!("{}{by}", cell.kind.name()),
            lead,
        ];
        let medians = entries
            .iter()
            .map(|&entry| dash(contest.median(index, entry)));
        line(out, key.into_iter().chain(medians));
    }
}

fn scaling(out: &mut String, rows: &[Scaling]) {
    out.push_str(
        "\n## scaling\n\nBytes of a channel of capacity 1, of its futures, and of what a parked send or \
         receive allocates beside its future; nanoseconds to cancel one of many that are parked and to \
         park another.\n\n| | channel | send | recv | parked send | parked recv |",
    );
    for side in ["sends", "recvs"] {
        for many in LINES {
            let _ = write!(out, " 1 of {many} {side} |");
        }
    }
    let _ = writeln!(out, "\n|---|{}", "--:|".repeat(5 + 2 * LINES.len()));
    for row in rows {
        let mut cells = vec![row.name.to_owned(), row.channel.to_string()];
        cells.extend([row.send.to_string(), row.recv.to_string()]);
        cells.extend([row.parked_send, row.parked_recv].map(dash));
        let medians = row.sends.iter().chain(&row.recvs).map(Times::median);
        cells.extend(medians.map(dash));
        line(out, cells);
    }
}
