//! Whether `event-listener` could serve `closed()`: not while it wakes under its own lock.

use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use event_listener::Event;
use hchan::Sender;

/// A waker that comes back: what it waits for, it waits for again at once.
struct ComesBack<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for ComesBack<F> {
    fn wake(self: Arc<Self>) {
        self.0();
    }
}

fn comes_back(again: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(ComesBack(again)))
}

/// Whether it ends: one that waits for itself is left alone, on its thread.
fn ends(work: impl FnOnce() + Send + 'static) -> bool {
    let (done, end) = mpsc::channel();
    thread::spawn(move || {
        work();
        done.send(()).unwrap();
    });
    end.recv_timeout(Duration::from_secs(5)).is_ok()
}

fn wait(closed: &mut (impl Future<Output = ()> + Unpin), waker: &Waker) {
    let polled = Pin::new(closed).poll(&mut Context::from_waker(waker));
    assert!(polled.is_pending());
}

#[test]
fn a_waker_that_comes_back_to_an_event_waits_for_itself() {
    let event = Arc::new(Event::new());
    let again = event.clone();
    let ended = ends(move || {
        let waker = comes_back(move || drop(again.listen()));
        let mut listener = event.listen();
        wait(&mut listener, &waker);
        event.notify(usize::MAX);
    });
    assert!(
        !ended,
        "`event-listener` wakes outside of its lock now: it may serve `closed()`"
    );
}

#[test]
fn a_waker_that_comes_back_to_closed_does_not() {
    let (tx, rx) = hchan::bounded::<()>(0);
    let again: Sender<()> = tx.clone();
    assert!(ends(move || {
        let waker = comes_back(move || {
            let _ready = pin!(again.closed()).poll(&mut Context::from_waker(Waker::noop()));
        });
        let mut closed = tx.closed();
        wait(&mut closed, &waker);
        rx.close();
    }));
}
