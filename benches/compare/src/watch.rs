//! How closely a run is looked at: for its time not at all, or at each poll, allocation and wake.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::alloc;

/// Stands beside a task.
pub trait Watch: Send + 'static {
    /// What the tasks of a run have in common.
    type Run;

    fn run(messages: u64) -> Self::Run;

    /// For a task that is to send about `share` messages.
    fn new(run: &Self::Run, share: u64) -> Self;

    /// Whether the task is to send one more.
    fn more(&mut self) -> bool;

    /// Whatever is done with the channel.
    fn over<F: Future>(&mut self, make: impl FnOnce() -> F) -> Over<'_, Self, F>
    where
        Self: Sized,
    {
        let future = self.look(make);
        Over {
            watch: self,
            future,
        }
    }

    /// Does a part of that.
    fn look<R>(&mut self, part: impl FnOnce() -> R) -> R;

    /// Polls it.
    fn poll<F: Future>(&mut self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output>;

    /// Around the whole task.
    fn task(run: &Self::Run, task: Task) -> Task;

    fn findings(self) -> Option<Findings>;

    /// How often tasks were woken.
    fn wakes(run: &Self::Run) -> Option<u64>;
}

pin_project! {
    /// A future that is watched.
    pub struct Over<'a, W, F> {
        watch: &'a mut W,
        #[pin]
        future: F,
    }
}

impl<W: Watch, F: Future> Future for Over<'_, W, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.watch.poll(this.future, cx)
    }
}

/// Something to run, and what it reports.
pub type Task = Pin<Box<dyn Future<Output = Report> + Send>>;

/// What a task has sent or received.
#[derive(Default, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    pub sum: u64,
}

impl Tally {
    pub fn add(&mut self, number: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(number);
    }

    /// The next number to send.
    pub fn next_number(&mut self) -> u64 {
        let next = self.count;
        self.add(next);
        next
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

#[derive(Default)]
pub struct Report {
    pub sent: Option<Tally>,
    pub received: Option<Tally>,
    pub findings: Vec<Findings>,
    /// If not all that the task did is to be timed.
    pub nanos: Option<f64>,
}

impl Report {
    pub fn new(watch: impl Watch) -> Self {
        Self::default().and(watch)
    }

    pub fn and(mut self, watch: impl Watch) -> Self {
        self.findings.extend(watch.findings());
        self
    }

    pub fn sent(self, tally: Tally) -> Self {
        let sent = Some(tally);
        Self { sent, ..self }
    }

    pub fn received(self, tally: Tally) -> Self {
        let received = Some(tally);
        Self { received, ..self }
    }
}

/// Looks away.
pub struct Away {
    left: u64,
}

impl Watch for Away {
    type Run = ();

    fn run(_: u64) {}

    fn new((): &(), share: u64) -> Self {
        Self { left: share }
    }

    fn more(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }

    fn look<R>(&mut self, part: impl FnOnce() -> R) -> R {
        part()
    }

    fn poll<F: Future>(&mut self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        future.poll(cx)
    }

    fn task((): &(), task: Task) -> Task {
        task
    }

    fn findings(self) -> Option<Findings> {
        None
    }

    fn wakes((): &()) -> Option<u64> {
        None
    }
}

/// Looks at everything.
pub struct Close {
    /// Messages that are left for all senders together: who is served more sends more.
    left: Arc<AtomicI64>,
    findings: Findings,
}

pub struct CloseRun {
    left: Arc<AtomicI64>,
    wakes: Arc<AtomicU64>,
}

impl Watch for Close {
    type Run = CloseRun;

    fn run(messages: u64) -> CloseRun {
        CloseRun {
            left: Arc::new(AtomicI64::new(messages as i64)),
            wakes: Arc::default(),
        }
    }

    fn new(run: &CloseRun, _share: u64) -> Self {
        Self {
            left: run.left.clone(),
            findings: Findings::default(),
        }
    }

    fn more(&mut self) -> bool {
        self.left.fetch_sub(1, Relaxed) > 0
    }

    fn look<R>(&mut self, part: impl FnOnce() -> R) -> R {
        let (result, used) = alloc::counted(part);
        self.findings.allocations += used.allocations;
        result
    }

    fn poll<F: Future>(&mut self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let start = Instant::now();
        let poll = self.look(|| future.poll(cx));
        self.findings.polls.add(start.elapsed().as_nanos() as u64);
        poll
    }

    fn task(run: &CloseRun, task: Task) -> Task {
        Box::pin(Woken {
            task,
            waker: None,
            wakes: run.wakes.clone(),
        })
    }

    fn findings(self) -> Option<Findings> {
        Some(self.findings)
    }

    fn wakes(run: &CloseRun) -> Option<u64> {
        Some(run.wakes.load(Relaxed))
    }
}

/// A task whose wakes are counted.
struct Woken {
    task: Task,
    waker: Option<Waker>,
    wakes: Arc<AtomicU64>,
}

struct Waking {
    inner: Waker,
    wakes: Arc<AtomicU64>,
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    // What the executor allocates is none of the channel's.
    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, Relaxed);
        alloc::uncounted(|| self.inner.wake_by_ref());
    }
}

impl Future for Woken {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let this = &mut *self;
        let new = || {
            let waking = Waking {
                inner: cx.waker().clone(),
                wakes: this.wakes.clone(),
            };
            Waker::from(Arc::new(waking))
        };
        // An executor has one waker for a task, for as long as it lives.
        let waker = this.waker.get_or_insert_with(new);
        this.task.as_mut().poll(&mut Context::from_waker(waker))
    }
}

/// What a close look finds.
#[derive(Default)]
pub struct Findings {
    pub polls: Histogram,
    pub allocations: i64,
}

/// Times in nanoseconds, by their first five binary digits.
pub struct Histogram {
    counts: Vec<u64>,
    pub max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; 1024],
            max: 0,
        }
    }
}

impl Histogram {
    pub fn add(&mut self, nanos: u64) {
        self.counts[Self::class(nanos)] += 1;
        self.max = self.max.max(nanos);
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.max = self.max.max(other.max);
    }

    pub fn quantile(&self, q: f64) -> u64 {
        let rank = self.counts.iter().sum::<u64>() as f64 * q;
        let mut seen = 0;
        let class = self.counts.iter().position(|count| {
            seen += count;
            seen > 0 && seen as f64 >= rank
        });
        class.map_or(0, |class| Self::top(class).min(self.max))
    }

    fn class(nanos: u64) -> usize {
        let exponent = (nanos | 16).ilog2() - 4;
        exponent as usize * 16 + (nanos >> exponent) as usize
    }

    /// The greatest time of a class.
    fn top(class: usize) -> u64 {
        let exponent = (class / 16).saturating_sub(1);
        (((class - exponent * 16) as u64 + 1) << exponent) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn quantiles_are_near() {
        for scale in [1, 100, 10_000, 1_000_000] {
            let mut histogram = Histogram::default();
            (1..=1000).for_each(|n| histogram.add(n * scale));
            for q in [0.01, 0.5, 0.99, 0.999, 1.0] {
                let exact = 1000.0 * q * scale as f64;
                let ratio = histogram.quantile(q) as f64 / exact;
                assert!((1.0..1.07).contains(&ratio), "{q} of {scale}: {ratio}");
            }
        }
    }
}
