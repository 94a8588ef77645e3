//! A page asks, and its worker looks for primes.
//!
//! They are two threads with one memory, and the channels lie in it. The page may not block, so it awaits; the worker
//! has nothing else to do, so it blocks. A page has no executor: here JavaScript polls its one task whenever that was
//! woken, by a message if the worker wakes it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::panic;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use hchan::{Receiver, RecvError, Sender, bounded};

mod host {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        /// Shows a line on the page.
        pub(crate) safe fn show(text: *const u8, len: usize);
        /// Asks the page to call `poll` soon.
        pub(crate) safe fn wake();
    }
}

fn show(line: &str) {
    host::show(line.as_ptr(), line.len());
}

/// What the page wants to know: the primes below a limit, one by one.
struct Ask {
    limit: u32,
    primes: Sender<u32>,
}

/// The worker's ends of the channels, until it takes them: what it is asked, and what is closed when it ends.
static ENDS: Mutex<Option<(Receiver<Ask>, Sender<Infallible>)>> = Mutex::new(None);

thread_local! {
    /// The page's task, until it ends.
    static TASK: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(None) };
}

async fn ask(asks: Sender<Ask>, end: Receiver<Infallible>) {
    for limit in [10, 1_000, 100_000] {
        let (primes, found) = bounded(8);
        asks.send(Ask { limit, primes })
            .await
            .expect("the worker listens");
        let (mut count, mut last) = (0, 0);
        while let Ok(prime) = found.recv().await {
            (count, last) = (count + 1, prime);
        }
        show(&format!("{count} primes below {limit}, the last is {last}"));
    }
    drop(asks);
    assert_eq!(end.recv().await, Err(RecvError));
    show("the worker has ended");
}

/// Begins, on the page.
#[unsafe(no_mangle)]
extern "C" fn begin() {
    panic::set_hook(Box::new(|panic| show(&panic.to_string())));
    let (asks, asked) = bounded(0);
    let (lives, end) = bounded(0);
    *ENDS.lock().expect("nobody panics with it") = Some((asked, lives));
    TASK.set(Some(Box::pin(ask(asks, end))));
}

/// Polls the page's task.
#[unsafe(no_mangle)]
extern "C" fn poll() {
    struct Page;

    impl Wake for Page {
        fn wake(self: Arc<Self>) {
            host::wake();
        }
    }

    let waker = Waker::from(Arc::new(Page));
    TASK.with_borrow_mut(|task| {
        let polled = task
            .as_mut()
            .map(|task| task.as_mut().poll(&mut Context::from_waker(&waker)));
        if polled.is_some_and(|polled| polled.is_ready()) {
            *task = None;
        }
    });
}

/// What the worker does, on its own thread.
#[unsafe(no_mangle)]
extern "C" fn work() {
    let ends = ENDS.lock().expect("nobody panics with it").take();
    let (asked, _lives) = ends.expect("the page has begun");
    for Ask { limit, primes } in asked {
        let found = (2..limit).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
        found.for_each(|prime| primes.send_blocking(prime).expect("the page receives"));
    }
}

/// Memory for the worker's stack and its thread-local storage.
#[unsafe(no_mangle)]
extern "C" fn room(bytes: usize) -> *mut u128 {
    vec![0_u128; bytes.div_ceil(16)].leak().as_mut_ptr()
}
