//! COMPARE.md as programs, a file for each of its tables and a module for each row. If a newer version of a rival does
//! better than the table says, a test here fails, and the table is to be changed.

use std::future::Future;
use std::panic::{UnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

mod there_is;
mod values;
mod wakers;

/// Polls once, for nobody.
fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn panics<T>(make: impl FnOnce() -> T + UnwindSafe) -> bool {
    catch_unwind(make).is_err()
}

/// Whether it runs to its end; if not, its thread is left behind.
fn ends(story: impl FnOnce() + Send + 'static) -> bool {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        story();
        done.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(5)).is_ok()
}

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Count {
    fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }

    fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// What the type of a value can do: `(&Is(&value)).is_unpin()`.
#[allow(dead_code, reason = "the type is enough")]
struct Is<'a, T>(&'a T);

trait No {
    fn is_unpin(&self) -> bool {
        false
    }

    fn is_fused(&self) -> bool {
        false
    }

    fn is_clone(&self) -> bool {
        false
    }
}

trait Unpinned {
    fn is_unpin(&self) -> bool {
        true
    }
}

trait Fused {
    fn is_fused(&self) -> bool {
        true
    }
}

trait Cloned {
    fn is_clone(&self) -> bool {
        true
    }
}

// The compiler takes the method of the other traits if it can, and that of `No` otherwise: it needs one more reference.
impl<T> No for &Is<'_, T> {}
impl<T: Unpin> Unpinned for Is<'_, T> {}
impl<T: futures::future::FusedFuture> Fused for Is<'_, T> {}
impl<T: Clone> Cloned for Is<'_, T> {}
