//! A timer's interrupt sends and receives, and so does the program that it interrupts.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::fmt::{self, Write};
use core::future::Future;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use critical_section::RawRestoreState;
use hchan::{bounded, select};

global_asm!(
    ".section .vectors, \"a\"",
    ".word 0x20400000", // the stack begins at the end of memory
    ".word reset",
    ".rept 13",
    ".word fault",
    ".endr",
    ".word tick",
    ".text",
);

/// How much is sent in each test.
const ROUNDS: u32 = 300;

/// How this machine masks interrupts.
struct Interrupts;

critical_section::set_impl!(Interrupts);

unsafe impl critical_section::Impl for Interrupts {
    /// Whether they were let in before.
    unsafe fn acquire() -> RawRestoreState {
        let masked: u32;
        unsafe { asm!("mrs {}, PRIMASK", "cpsid i", out(reg) masked) };
        masked & 1 == 0
    }

    unsafe fn release(let_in: RawRestoreState) {
        if let_in {
            unsafe { asm!("cpsie i") };
        }
    }
}

/// Uses a channel: with interrupts masked, if the program is to see to that.
fn masked<R>(work: impl FnOnce() -> R) -> R {
    match cfg!(feature = "by-hand") {
        true => critical_section::with(|_| work()),
        false => work(),
    }
}

/// What the interrupt handler has to itself while the timer runs.
struct Handler(UnsafeCell<Option<Box<dyn FnMut()>>>);

unsafe impl Sync for Handler {}

static HANDLER: Handler = Handler(UnsafeCell::new(None));

#[unsafe(no_mangle)]
extern "C" fn tick() {
    set_timer();
    if let Some(handle) = unsafe { &mut *HANDLER.0.get() } {
        handle();
    }
}

/// Sets how many ticks are between the interrupt after the next and the one before it: at times fewer than the
/// handler takes, at times enough to let the program do some work.
fn set_timer() {
    const RELOAD: *mut u32 = 0xe000_e014 as *mut u32;
    static RANDOM: AtomicU32 = AtomicU32::new(0);

    let random = RANDOM.load(Ordering::Relaxed);
    let random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    RANDOM.store(random, Ordering::Relaxed);
    unsafe { RELOAD.write_volatile(50 + (random >> 16) % 1_000) };
}

/// Does some work while a timer calls the handler.
fn interrupted(handler: impl FnMut() + 'static, work: impl Future<Output = ()>) {
    const CONTROL: *mut u32 = 0xe000_e010 as *mut u32;

    unsafe { *HANDLER.0.get() = Some(Box::new(handler)) };
    set_timer();
    unsafe { CONTROL.write_volatile(7) };
    run_to_end(work);
    unsafe { CONTROL.write_volatile(0) };
    masked(|| unsafe { *HANDLER.0.get() = None });
}

/// Set by a wake.
static WOKEN: AtomicBool = AtomicBool::new(false);

/// Polls, and sleeps until an interrupt has woken the future.
fn run_to_end(future: impl Future<Output = ()>) {
    const WAKES: RawWakerVTable = RawWakerVTable::new(|_| WAKER, |_| wake(), |_| wake(), |_| ());
    const WAKER: RawWaker = RawWaker::new(core::ptr::null(), &WAKES);
    fn wake() {
        WOKEN.store(true, Ordering::Relaxed);
    }
    let waker = unsafe { Waker::from_raw(WAKER) };
    let mut future = Box::pin(future);
    while masked(|| future.as_mut().poll(&mut Context::from_waker(&waker))) == Poll::Pending {
        while !WOKEN.load(Ordering::Relaxed) {
            unsafe { asm!("wfi") };
        }
        WOKEN.store(false, Ordering::Relaxed);
    }
    masked(|| drop(future));
}

fn an_interrupt_sends(capacity: usize) {
    static REFUSED: AtomicU32 = AtomicU32::new(0);

    REFUSED.store(0, Ordering::Relaxed);
    let (tx, rx) = bounded(capacity);
    let mut next = 0;
    let send = move || match tx.try_send(next) {
        Ok(()) => next += 1,
        Err(_) => REFUSED.store(REFUSED.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
    };
    interrupted(send, async {
        for n in 0..ROUNDS {
            assert_eq!(rx.recv().await, Ok(n));
        }
    });
    let left = masked(|| rx.try_iter().count());
    assert!(rx.is_closed());
    let refused = REFUSED.load(Ordering::Relaxed);
    say!("capacity {capacity}: {ROUNDS} received, {left} left, {refused} refused");
}

fn an_interrupt_receives(capacity: usize) {
    let (tx, rx) = bounded(capacity);
    let mut received = 0;
    let receive = move || {
        while let Ok(n) = rx.try_recv() {
            assert_eq!(n, received);
            received += 1;
        }
    };
    interrupted(receive, async {
        for n in 0..ROUNDS {
            tx.send(n).await.unwrap();
        }
    });
    assert!(tx.is_closed());
    say!("capacity {capacity}: {ROUNDS} sent");
}

/// Also clones, looks and gives up sends, wherever the interrupt may come.
fn a_select_waits_for_an_interrupt(capacity: usize) {
    let (left, right) = (bounded(capacity), bounded(capacity));
    let (back, returned) = bounded(1);
    let senders = [left.0, right.0];
    let mut next = [0; 2];
    let mut side = 0;
    let send = move || {
        if senders[side].clone().try_send(next[side]).is_ok() {
            next[side] += 1;
        }
        side = 1 - side;
        let _returned = returned.try_recv();
    };
    interrupted(send, async {
        let mut received = [0; 2];
        while received.iter().sum::<u32>() < ROUNDS {
            let (side, value) = select! {
                recv(left.1) -> value => (0, value),
                recv(right.1) -> value => (1, value),
                send(back, 1) -> sent => {
                    sent.unwrap();
                    continue;
                }
            };
            assert_eq!(value, Ok(received[side]));
            received[side] += 1;
            assert!(left.1.clone().len() <= capacity && !right.1.is_closed());
            let mut given_up = back.send(2);
            drop(
                core::future::poll_fn(|cx| {
                    Poll::Ready(core::pin::Pin::new(&mut given_up).poll(cx))
                })
                .await,
            );
        }
    });
    say!("capacity {capacity}: {ROUNDS} selected");
}

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    let tests: [(&str, fn(usize)); 3] = [
        ("an interrupt sends", an_interrupt_sends),
        ("an interrupt receives", an_interrupt_receives),
        (
            "a select waits for an interrupt",
            a_select_waits_for_an_interrupt,
        ),
    ];
    for (name, test) in tests {
        for capacity in [0, 1, 4] {
            say!("{name}");
            test(capacity);
        }
    }
    say!("test result: ok. 9 passed; 0 failed");
    exit(0x2_0026)
}

/// The debugger that the machine runs under.
struct Host;

macro_rules! say {
    ($($text:tt)+) => {{
        let _ = writeln!(Host, $($text)+);
    }};
}
use say;

fn call(number: u32, argument: u32) {
    unsafe { asm!("bkpt 0xab", inout("r0") number => _, in("r1") argument) };
}

impl Write for Host {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            call(3, &raw const byte as u32);
        }
        Ok(())
    }
}

fn exit(why: u32) -> ! {
    call(0x18, why);
    loop {}
}

#[unsafe(no_mangle)]
extern "C" fn fault() -> ! {
    panic!("a fault")
}

#[panic_handler]
fn panic(panic: &core::panic::PanicInfo<'_>) -> ! {
    say!("{panic}");
    exit(0x2_0023)
}

/// Hands out memory, and takes none back.
struct Memory {
    bytes: UnsafeCell<[u64; 0x1_0000]>,
    used: UnsafeCell<usize>,
}

unsafe impl Sync for Memory {}

#[global_allocator]
static MEMORY: Memory = Memory {
    bytes: UnsafeCell::new([0; 0x1_0000]),
    used: UnsafeCell::new(0),
};

unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        critical_section::with(|_| unsafe {
            let start = (*self.used.get()).next_multiple_of(layout.align());
            *self.used.get() = start + layout.size();
            assert!(
                *self.used.get() <= size_of_val(&*self.bytes.get()),
                "out of memory"
            );
            self.bytes.get().cast::<u8>().add(start)
        })
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
