//! A timer's interrupt sends numbers, and the program that it interrupts receives them.
//!
//! Wherever else the channel is used, interrupts are masked, as the crate's docs ask for.
#![no_std]
#![no_main]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::fmt::{self, Write};
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use hchan::{Sender, bounded};

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

/// Runs something that no interrupt comes into.
fn masked<R>(work: impl FnOnce() -> R) -> R {
    if cfg!(not(feature = "unmasked")) {
        unsafe { asm!("cpsid i") };
    }
    let result = work();
    unsafe { asm!("cpsie i") };
    result
}

/// What the interrupt handler has to itself once the timer runs.
struct Handlers(UnsafeCell<Option<(Sender<u32>, u32)>>);

unsafe impl Sync for Handlers {}

static HANDLERS: Handlers = Handlers(UnsafeCell::new(None));
static REFUSED: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
extern "C" fn tick() {
    let Some((tx, next)) = (unsafe { &mut *HANDLERS.0.get() }) else {
        return;
    };
    match tx.try_send(*next) {
        Ok(()) => *next += 1,
        Err(_) => REFUSED.store(REFUSED.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
    }
}

/// Set by a wake.
static WOKEN: AtomicBool = AtomicBool::new(false);

/// Polls with interrupts masked, and sleeps until one has woken the future.
fn run_to_end<F: Future + Unpin>(mut future: F) -> F::Output {
    const WAKES: RawWakerVTable = RawWakerVTable::new(|_| WAKER, |_| wake(), |_| wake(), |_| ());
    const WAKER: RawWaker = RawWaker::new(core::ptr::null(), &WAKES);
    fn wake() {
        WOKEN.store(true, Ordering::Relaxed);
    }
    let waker = unsafe { Waker::from_raw(WAKER) };
    loop {
        let polled = masked(|| Pin::new(&mut future).poll(&mut Context::from_waker(&waker)));
        if let Poll::Ready(output) = polled {
            masked(|| drop(future));
            return output;
        }
        while !WOKEN.load(Ordering::Relaxed) {
            unsafe { asm!("wfi") };
        }
        WOKEN.store(false, Ordering::Relaxed);
    }
}

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    const CONTROL: *mut u32 = 0xe000_e010 as *mut u32;
    const RELOAD: *mut u32 = 0xe000_e014 as *mut u32;

    for capacity in [0, 1, 4] {
        let (tx, rx) = bounded(capacity);
        unsafe {
            *HANDLERS.0.get() = Some((tx, 0));
            RELOAD.write_volatile(2_500);
            CONTROL.write_volatile(7);
        }
        for n in 0..1000 {
            assert_eq!(run_to_end(rx.recv()), Ok(n));
        }
        unsafe { CONTROL.write_volatile(0) };
        masked(|| unsafe { *HANDLERS.0.get() = None });
        let left = masked(|| rx.try_iter().count());
        assert!(rx.is_closed());
        let refused = REFUSED.load(Ordering::Relaxed);
        let _ = writeln!(
            Host,
            "capacity {capacity}: 1000 received, {left} left, {refused} refused"
        );
    }
    let _ = writeln!(Host, "test result: ok. 3 passed; 0 failed");
    exit(0x2_0026)
}

/// The debugger that the machine runs under.
struct Host;

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
    let _ = writeln!(Host, "{panic}");
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

// Only called with interrupts masked, or in one.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe {
            let start = (*self.used.get()).next_multiple_of(layout.align());
            *self.used.get() = start + layout.size();
            assert!(
                *self.used.get() <= size_of_val(&*self.bytes.get()),
                "out of memory"
            );
            self.bytes.get().cast::<u8>().add(start)
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
