//! Who takes part, and the measuring, round by round.

use crate::cell::{Cell, Kind, Shape};
use crate::rival::Rival;
use crate::runtime::{Runtime, Runtimes};
use crate::shapes::{self, FOUND, Outcome};
use crate::standing::Times;
use crate::watch;
use crate::watchdog;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Away,
    Close,
}

/// Runs a cell with so many messages; `None` if that cannot be.
pub type Run = Box<dyn Fn(&Cell, u64, Look, &Runtimes) -> Option<Outcome>>;

/// A rival, with several ways to run if its channels are of several types.
pub struct Entry {
    pub name: &'static str,
    /// None if its results come from a file.
    pub runs: Vec<Run>,
}

impl Entry {
    pub fn new(name: &'static str, run: Run) -> Self {
        let runs = vec![run];
        Self { name, runs }
    }

    /// The same for one shape and no other.
    pub fn only(self, shape: Shape) -> Self {
        let only = |run: Run| -> Run {
            Box::new(move |cell, messages, look, on| match cell.shape == shape {
                true => run(cell, messages, look, on),
                false => None,
            })
        };
        Self {
            runs: self.runs.into_iter().map(only).collect(),
            ..self
        }
    }

    /// Runs a cell; `None` if it cannot.
    pub fn run(&self, cell: &Cell, messages: u64, look: Look, on: &Runtimes) -> Option<Outcome> {
        self.runs
            .iter()
            .find_map(|run| run(cell, messages, look, on))
    }
}

/// Adds a rival for threads, or for tasks.
pub fn add<R: Rival>(entries: &mut Vec<Entry>, threads: bool) {
    use shapes::run;
    use watch::{Away, Close};
    let run: Run = Box::new(move |cell, messages, look, on| {
        if (cell.runtime == Runtime::Threads) != threads {
            return None;
        }
        let run = match (cell.kind, look) {
            (Kind::Word, Look::Away) => run::<R, u64, Away>,
            (Kind::Word, Look::Close) => run::<R, u64, Close>,
            (Kind::Bytes256, Look::Away) => run::<R, [u64; 32], Away>,
            (Kind::Bytes256, Look::Close) => run::<R, [u64; 32], Close>,
            (Kind::Boxed, Look::Away) => run::<R, Box<u64>, Away>,
            (Kind::Boxed, Look::Close) => run::<R, Box<u64>, Close>,
        };
        run(cell, messages, on)
    });
    match entries.iter_mut().find(|entry| entry.name == R::NAME) {
        Some(entry) => entry.runs.push(run),
        None => entries.push(Entry::new(R::NAME, run)),
    }
}

/// How long and how often to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub looks: usize,
    /// The time of a run.
    pub nanos: f64,
}

/// Entries that are compared in the same cells.
pub struct Contest {
    pub title: &'static str,
    /// The first is ours.
    pub entries: Vec<Entry>,
    /// Those that are shown, but are not rivals to be beaten.
    pub aside: &'static [&'static str],
    pub cells: Vec<Cell>,
    /// Who is left out where, as the watchdog calls it.
    pub without: Vec<String>,
    /// For each cell and entry.
    pub results: Vec<Vec<Option<Measured>>>,
    /// Where values got lost.
    pub lost: Vec<String>,
}

/// What is known of an entry in a cell.
#[derive(Default)]
pub struct Measured {
    /// In a run.
    pub messages: u64,
    /// Nanoseconds for each message.
    pub times: Times,
    /// What each close look has found.
    pub looks: Vec<[f64; FOUND.len()]>,
}

impl Measured {
    /// What the close looks have found: the median of each number, and the greatest of the longest polls.
    pub fn found(&self) -> Option<[f64; FOUND.len()]> {
        self.looks.first()?;
        Some(std::array::from_fn(|index| {
            let numbers = self.looks.iter().map(|look| look[index]);
            match FOUND[index] {
                "max" => numbers.fold(0.0, f64::max),
                _ => Times(numbers.collect()).median().unwrap_or(0.0),
            }
        }))
    }
}

impl Contest {
    pub fn new(
        title: &'static str,
        entries: Vec<Entry>,
        aside: &'static [&'static str],
        cells: Vec<Cell>,
    ) -> Self {
        Self {
            title,
            entries,
            aside,
            cells,
            without: Vec::new(),
            results: Vec::new(),
            lost: Vec::new(),
        }
    }

    pub fn measure(&mut self, effort: Effort, on: &Runtimes) {
        self.calibrate(effort, on);
        for round in 1..=effort.rounds {
            eprintln!("{}: round {round} of {}", self.title, effort.rounds);
            self.pass(Look::Away, round, on);
        }
        for look in 1..=effort.looks {
            eprintln!("{}: close look {look} of {}", self.title, effort.looks);
            self.pass(Look::Close, look, on);
        }
        watchdog::runs(None);
    }

    /// Finds out who can do what, and how many messages fill the time.
    fn calibrate(&mut self, effort: Effort, on: &Runtimes) {
        eprintln!("{}: {} cells", self.title, self.cells.len());
        for cell in &self.cells {
            let calibrate = |entry: &Entry| {
                let name = format!("{}, {}", entry.name, cell.name());
                if self.without.contains(&name) {
                    return None;
                }
                watchdog::runs(name);
                let most = cell.most_messages();
                let mut messages = 1000;
                loop {
                    let nanos = entry.run(cell, messages, Look::Away, on)?.nanos;
                    let fitting = (messages as f64 * effort.nanos / nanos) as u64;
                    // Nearly all of it: of few messages most of the time is spent on making the tasks.
                    if messages == most || nanos > effort.nanos * 0.7 {
                        let messages = fitting.clamp(100, most);
                        return Some(Measured {
                            messages,
                            ..Measured::default()
                        });
                    }
                    messages = fitting.min(messages * 8).clamp(messages + 1, most);
                }
            };
            self.results
                .push(self.entries.iter().map(calibrate).collect());
        }
    }

    /// Runs everyone once in each cell. Each round begins with another.
    fn pass(&mut self, look: Look, round: usize, on: &Runtimes) {
        for (cell, results) in self.cells.iter().zip(&mut self.results) {
            for turn in 0..self.entries.len() {
                let turn = (turn + round) % self.entries.len();
                let (entry, Some(result)) = (&self.entries[turn], &mut results[turn]) else {
                    continue;
                };
                watchdog::runs(format!("{}, {}", entry.name, cell.name()));
                let Some(outcome) = entry.run(cell, result.messages, look, on) else {
                    continue;
                };
                if outcome.lost {
                    self.lost.push(format!("{}: {}", entry.name, cell.name()));
                }
                match look {
                    Look::Away => result.times.extend(Some(outcome.nanos_each())),
                    Look::Close => {
                        result
                            .looks
                            .extend(outcome.close.map(|close| close.numbers()));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Contest, Effort};
    use crate::runtime::Runtimes;
    use crate::{cell, entries, select};

    /// Every rival in every cell, and looked at, for a moment.
    #[test]
    fn nothing_is_lost() {
        let on = Runtimes::new();
        let effort = Effort {
            rounds: 1,
            looks: 1,
            nanos: 1e3,
        };
        let mut channels = Contest::new("channels", entries::channels(), &[], cell::channels());
        let mut selects = Contest::new("selects", select::entries(), &[], cell::selects());
        for contest in [&mut channels, &mut selects] {
            contest.measure(effort, &on);
            assert!(contest.lost.is_empty(), "{:?}", contest.lost);
            assert!(
                contest
                    .results
                    .iter()
                    .flatten()
                    .flatten()
                    .all(|m| m.found().is_some())
            );
        }
    }
}
