//! Go's own channels: a program in `go/`, which is built if there is a Go.

use std::cell::RefCell;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

use crate::cell::{Cell, Kind, Shape};
use crate::clock::BY_PROCESSOR;
use crate::contest::{Entry, Look, Run};
use crate::shapes::Outcome;

pub struct Go {
    pub version: String,
    program: Rc<RefCell<Program>>,
}

struct Program {
    /// Ends when its input does.
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Go {
    /// Builds and starts the program, or says why it cannot.
    pub fn new() -> Result<Self, String> {
        let version = Command::new("go").arg("version").output();
        let version = version.map_err(|error| format!("no `go` here ({error})"))?;
        let built = env::current_exe()
            .unwrap()
            .with_file_name("hchan-compare-go");
        let status = Command::new("go")
            .args(["build", "-o"])
            .arg(&built)
            .arg(".")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("go"))
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err("`go build` fails".into());
        }
        let mut child = Command::new(built)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Ok(Self {
            version: String::from_utf8_lossy(&version.stdout).trim().into(),
            program: Rc::new(RefCell::new(Program {
                _child: child,
                input,
                output,
            })),
        })
    }

    pub fn entry(&self) -> Entry {
        let program = self.program.clone();
        let run: Run = Box::new(move |cell, messages, look, _| match look {
            Look::Away => program.borrow_mut().run(cell, messages),
            Look::Close => None,
        });
        Entry::new("Go", run)
    }
}

impl Program {
    fn run(&mut self, cell: &Cell, messages: u64) -> Option<Outcome> {
        let (shape, senders, receivers) = match cell.shape {
            Shape::Fan { senders, receivers } => ("fan", senders, receivers),
            Shape::PingPong => ("ping-pong", 1, 1),
            Shape::Ready => ("ready", 1, 1),
            Shape::SelectReady => ("select-ready", 1, 1),
            Shape::SelectPing => ("select-ping", 1, 1),
            Shape::ParkedRecv | Shape::ParkedSend | Shape::SelectParked => return None,
        };
        let kind = match cell.kind {
            Kind::Word => "u64",
            Kind::Bytes256 => "256",
            Kind::Boxed => "boxed",
        };
        let capacity = cell.capacity?;
        let processors = cell.runtime.processors()?;
        let wall = processors > 1 || !BY_PROCESSOR.load(Relaxed);
        if cell.batch > 1 || !wall {
            return None;
        }
        writeln!(
            self.input,
            "{shape} {senders} {receivers} {capacity} {kind} {messages} {processors}"
        )
        .unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let mut words = line.split_whitespace();
        Some(Outcome {
            nanos: words.next()?.parse().ok()?,
            messages: words.next()?.parse().ok()?,
            lost: words.next()? != "ok",
            close: None,
        })
    }
}
