//! Who is ahead, and by how much.

use crate::cell::Shape;
use crate::contest::Contest;
use crate::runtime::Runtime;

/// How an entry stands against the best of the others.
pub struct Standing {
    /// For each of its cells, the time of the best other over its own: above one, it is ahead.
    pub leads: Vec<(usize, f64)>,
}

impl Standing {
    pub fn of(contest: &Contest, entry: usize) -> Self {
        let lead = |cell| Some((cell, contest.lead(cell, entry)?));
        Self {
            leads: (0..contest.cells.len()).filter_map(lead).collect(),
        }
    }

    pub fn mean(&self) -> f64 {
        geometric_mean(self.leads.iter().map(|&(_, lead)| lead))
    }

    /// The mean of a shape, on one runtime or on all.
    pub fn of_shape(
        &self,
        contest: &Contest,
        shape: Shape,
        runtime: Option<Runtime>,
    ) -> Option<f64> {
        let leads = self.leads.iter().filter(|&&(cell, _)| {
            let cell = &contest.cells[cell];
            cell.shape == shape && runtime.is_none_or(|runtime| cell.runtime == runtime)
        });
        let mean = geometric_mean(leads.map(|&(_, lead)| lead));
        Some(mean).filter(|mean| mean.is_finite())
    }

    /// The cell in which it is worst.
    pub fn worst(&self) -> Option<(usize, f64)> {
        self.leads
            .iter()
            .copied()
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Contest {
    pub fn median(&self, cell: usize, entry: usize) -> Option<f64> {
        self.results[cell][entry].as_ref()?.times.median()
    }

    /// Whether an entry is shown only.
    pub fn is_aside(&self, entry: usize) -> bool {
        self.aside.contains(&self.entries[entry].name)
    }

    /// The best of the others in a cell, and its time.
    pub fn best_other(&self, cell: usize, entry: usize) -> Option<(usize, f64)> {
        let others =
            (0..self.entries.len()).filter(|&other| other != entry && !self.is_aside(other));
        let times = others.filter_map(|other| Some((other, self.median(cell, other)?)));
        times.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The time of the best other over that of the entry.
    pub fn lead(&self, cell: usize, entry: usize) -> Option<f64> {
        let own = self.median(cell, entry)?;
        Some(self.best_other(cell, entry)?.1 / own)
    }

    /// The times of an entry over ours, for the cells that both have.
    pub fn against_ours(&self, entry: usize) -> impl Iterator<Item = (usize, f64)> {
        let ratio = move |cell| {
            let ratio = self.median(cell, entry)? / self.median(cell, 0)?;
            Some((cell, ratio))
        };
        (0..self.cells.len()).filter_map(ratio)
    }
}

/// `NaN` of nothing.
pub fn geometric_mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0), |(sum, count), n| (sum + n.ln(), count + 1));
    (sum / f64::from(count)).exp()
}

/// The times of several rounds.
#[derive(Default)]
pub struct Times(pub Vec<f64>);

impl Times {
    pub fn extend(&mut self, time: Option<f64>) {
        self.0.extend(time);
    }

    pub fn median(&self) -> Option<f64> {
        let mut times = self.0.clone();
        times.sort_by(f64::total_cmp);
        let upper = times.get(times.len() / 2)?;
        let lower = times.get((times.len() - 1) / 2)?;
        Some((lower + upper) / 2.0)
    }
}
