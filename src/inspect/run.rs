//! Tasks on one thread, which notices when all of them are asleep.
//!
//! A task is asleep for good if all its wakers are in lines of channels: then only another task can wake it, and
//! none can run. So each task is polled with a waker that is counted, and a channel's record tells whose wakers
//! are in its lines.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Mutex, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

use futures_executor::{LocalPool, LocalSpawner};
use futures_task::{LocalFutureObj, LocalSpawn as _};

use super::{dump, record};

/// For how long nothing may happen while a waker is held elsewhere.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look whether it still is.
const LOOK: Duration = Duration::from_millis(20);

/// Runs a test's tasks on this thread, and panics with the [`dump`](dump()) when all of them are asleep.
///
/// `main` gets a spawner for more tasks. The run ends with its result, and tasks that are still there are dropped
/// then. If no task can run and none will be woken, it panics with "all tasks are asleep - deadlock!" and the
/// dump.
///
/// It sees exactly what tasks wait for on channels of this crate; the timers of [`after`](crate::after) and
/// [`tick`](crate::tick) count as pending. A waker that is kept anywhere else, such as by another timer, a socket
/// or a combinator with wakers of its own (`FuturesUnordered`, a large `join_all`), may wake its task at any time.
/// Then `run` waits until nothing has happened for a minute, and panics too. It cannot see a thread that will use
/// a channel's handle: run such a test elsewhere.
///
/// # Panics
///
/// As above; and if a task panics.
///
/// # Examples
///
/// Two workers that send to each other:
///
/// ```should_panic
/// let (a, from_a) = hchan::bounded(0);
/// let (b, from_b) = hchan::bounded(0);
/// hchan::inspect::run(async |tasks| {
///     tasks.spawn(async move {
///         a.send("ping").await.unwrap();
///         from_b.recv().await.unwrap();
///     });
///     b.send("pong").await.unwrap(); // each waits for the other to receive
///     from_a.recv().await.unwrap();
/// });
/// ```
///
/// If tokio's clock is paused, it advances when all tasks are asleep, so there a long timeout is enough. The test
/// is lent to it, so that its operations still wait when the dump is made:
///
/// ```
/// # async fn test() {}
/// # #[tokio::main(flavor = "current_thread")] // #[tokio::test(start_paused = true)]
/// # async fn main() {
/// use std::{pin::pin, time::Duration};
///
/// // #[tokio::test(start_paused = true)]
/// let mut test = pin!(test());
/// let slept = tokio::time::timeout(Duration::from_secs(3600), &mut test).await;
/// assert!(slept.is_ok(), "all tasks are asleep - deadlock!\n\n{}", hchan::inspect::dump());
/// # }
/// ```
///
/// From Go: "fatal error: all goroutines are asleep - deadlock!"
#[track_caller]
pub fn run<R>(main: impl AsyncFnOnce(&Tasks) -> R) -> R {
    let mut pool = LocalPool::new();
    let tasks = Tasks {
        spawner: pool.spawner(),
        bells: Rc::default(),
    };
    let bell = tasks.bell();
    let waker = Waker::from(bell.clone());
    let mut main = pin!(main(&tasks));
    let mut last = Instant::now();
    loop {
        if bell.take_ring() {
            if let Poll::Ready(result) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                return result;
            }
        }
        pool.run_until_stalled();
        if tasks.take_rings() || bell.is_rung() {
            last = Instant::now();
            continue;
        }
        match tasks.outlook() {
            Outlook::Asleep => panic!("all tasks are asleep - deadlock!\n\n{}", dump()),
            Outlook::Unknown if last.elapsed() > PATIENCE => panic!(
                "all tasks are asleep for {PATIENCE:?}, though wakers are kept outside of channels\n\n{}",
                dump()
            ),
            Outlook::Timer | Outlook::Unknown => thread::park_timeout(LOOK),
        }
    }
}

/// Spawns tasks within [`run`].
pub struct Tasks {
    spawner: LocalSpawner,
    bells: Rc<RefCell<Vec<Weak<Bell>>>>,
}

/// What may wake a task, when none can run.
enum Outlook {
    /// Nothing.
    Asleep,
    /// A timer of the crate's.
    Timer,
    /// Something that keeps a waker that is in no line.
    Unknown,
}

impl Tasks {
    /// Runs a task beside the others, until it ends or the run does.
    ///
    /// # Examples
    ///
    /// ```
    /// let sum = hchan::inspect::run(async |tasks| {
    ///     let (tx, rx) = hchan::bounded(0);
    ///     for n in 1..=3 {
    ///         let tx = tx.clone();
    ///         tasks.spawn(async move { tx.send(n).await.unwrap() });
    ///     }
    ///     drop(tx);
    ///     let mut sum = 0;
    ///     while let Ok(n) = rx.recv().await {
    ///         sum += n;
    ///     }
    ///     sum
    /// });
    /// assert_eq!(sum, 6);
    /// ```
    ///
    /// From Go: `go`.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let bell = self.bell();
        let counted = Counted {
            task: Box::pin(task),
            waker: Waker::from(bell.clone()),
            bell,
        };
        let counted = LocalFutureObj::new(Box::new(counted));
        if self.spawner.spawn_local_obj(counted).is_err() {
            unreachable!("nobody has this after the run");
        }
    }

    fn bell(&self) -> Arc<Bell> {
        let bell = Arc::new(Bell {
            is_rung: AtomicBool::new(true),
            task: Mutex::new(None),
            thread: thread::current(),
        });
        let mut bells = self.bells.borrow_mut();
        bells.retain(|bell| bell.strong_count() > 0);
        bells.push(Arc::downgrade(&bell));
        bell
    }

    /// Whether a task was woken since the last call, other than the first.
    fn take_rings(&self) -> bool {
        let bells = self.bells.borrow();
        let others = bells.iter().skip(1).filter_map(Weak::upgrade);
        others.fold(false, |rung, bell| bell.take_ring() | rung)
    }

    fn outlook(&self) -> Outlook {
        let mut in_line: HashMap<usize, usize> = HashMap::new();
        let mut for_clock = HashSet::new();
        let mut offers = HashSet::new();
        record::each(|_, look| {
            for waiting in look.waits.iter().filter(|waiting| !waiting.is_woken) {
                let visit = &waiting.visit;
                // The arms of a select have one waker.
                if visit.offer == 0 || offers.insert(visit.offer) {
                    *in_line.entry(visit.task).or_default() += 1;
                }
                if look.is_timer {
                    for_clock.insert(visit.task);
                }
            }
        });
        let mut outlook = Outlook::Asleep;
        for bell in self.bells.borrow().iter() {
            let task = bell.as_ptr().addr();
            let kept = in_line.get(&task).copied().unwrap_or(0);
            // Two are the task's own.
            if bell.strong_count() > 2 + kept {
                return Outlook::Unknown;
            }
            if for_clock.contains(&task) {
                outlook = Outlook::Timer;
            }
        }
        // Ordering: a waker that is not counted any more has rung its bell before it was dropped.
        fence(Ordering::Acquire);
        let bells = self.bells.borrow();
        let mut bells = bells.iter().filter_map(Weak::upgrade);
        if bells.any(|bell| bell.is_rung()) {
            Outlook::Unknown
        } else {
            outlook
        }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tasks { .. }")
    }
}

/// What wakes a task, and is counted: the task has it, and the waker that the task is polled with.
struct Bell {
    /// Whether it was rung since the last poll, or the last look.
    is_rung: AtomicBool,
    /// The executor's waker.
    task: Mutex<Option<Waker>>,
    thread: Thread,
}

impl Bell {
    fn is_rung(&self) -> bool {
        self.is_rung.load(Ordering::Acquire)
    }

    fn take_ring(&self) -> bool {
        self.is_rung.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        self.is_rung.store(true, Ordering::Release);
        if let Some(task) = task {
            task.wake();
        }
        self.thread.unpark();
    }
}

/// A task that is polled with its bell.
struct Counted {
    task: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
    bell: Arc<Bell>,
}

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let waker = Some(cx.waker().clone());
        *this
            .bell
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = waker;
        this.task
            .as_mut()
            .poll(&mut Context::from_waker(&this.waker))
    }
}
