//! Ends the program when a rival has hung.

use std::process::exit;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

static RUN: Mutex<Option<(String, Instant)>> = Mutex::new(None);

/// Begins to watch.
pub fn start(patience: Duration) {
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_secs(1));
            if let Some((what, since)) = &*RUN.lock().unwrap() {
                if since.elapsed() > patience {
                    eprintln!("hangs: {what}");
                    exit(1);
                }
            }
        }
    });
}

/// Tells what runs now.
pub fn runs(what: impl Into<Option<String>>) {
    *RUN.lock().unwrap() = what.into().map(|what| (what, Instant::now()));
}
