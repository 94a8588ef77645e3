//! Counts the words in files and folders: a walker, readers and counters, joined by channels.
//!
//! In Go: the bounded parallel digest of "Go Concurrency Patterns: Pipelines and cancellation".
//!
//! ```text
//! walker --paths--> readers --lines--> counters --reports--> main
//! ```
//!
//! Whoever comes to its end drops its handles, so the end travels from left to right. Ctrl-c closes
//! `lines` in the middle: the counters finish what is inside and report, and the program ends with
//! them, even if a reader is stuck on its disk.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use hchan::{Receiver, Sender, WeakSender};

const HELP: &str = "\
Counts the words in files and folders, and prints the most frequent ones.

Usage: word_count [--runtime tokio|async-std|smol] [PATH]...

Without a PATH, the sources of hchan are read. Folders are read with all that is in them, except
links. What is not UTF-8 counts as space between words. Ctrl-c ends the reading and prints what was
counted so far.

Exit status: 0; 1 if something could not be read; 2 for wrong arguments; 130 after ctrl-c.
";

/// How many words the table shows.
const TOP: usize = 20;
/// How many files are read at a time.
const READERS: usize = 4;

/// What this program needs of a runtime.
trait Runtime {
    fn block_on<T>(main: impl Future<Output = T>) -> T;
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
    /// Runs a task that may wait for the disk, and for channels, with the thread that it is on.
    fn spawn_blocking(task: impl FnOnce() + Send + 'static);
}

struct Tokio;

impl Runtime for Tokio {
    fn block_on<T>(main: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Runtime::new().expect("tokio starts its threads");
        let output = runtime.block_on(main);
        runtime.shutdown_background();
        output
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn spawn_blocking(task: impl FnOnce() + Send + 'static) {
        tokio::task::spawn_blocking(task);
    }
}

struct AsyncStd;

impl Runtime for AsyncStd {
    fn block_on<T>(main: impl Future<Output = T>) -> T {
        async_std::task::block_on(main)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(task);
    }

    fn spawn_blocking(task: impl FnOnce() + Send + 'static) {
        async_std::task::spawn_blocking(task);
    }
}

struct Smol;

impl Runtime for Smol {
    fn block_on<T>(main: impl Future<Output = T>) -> T {
        smol::block_on(main)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }

    fn spawn_blocking(task: impl FnOnce() + Send + 'static) {
        smol::unblock(task).detach();
    }
}

type Words = HashMap<String, usize>;

/// What the tasks have to tell.
enum Report {
    /// A file was read to its end.
    File,
    /// So many lines were counted.
    Lines(usize),
    /// A counter has counted its share.
    Words(Words),
    Unreadable(PathBuf, io::Error),
    Interrupted,
}

/// Reports, if anyone still counts.
fn tell(reports: &WeakSender<Report>, report: Report) {
    if let Some(reports) = reports.upgrade() {
        send(&reports, report);
    }
}

fn send(reports: &Sender<Report>, report: Report) {
    let sent = reports.try_send(report);
    sent.expect("the channel has no limit, and is read to its end");
}

/// Sends the files in `pending`; a folder stands for all files in it.
fn walk(mut pending: Vec<PathBuf>, paths: &Sender<PathBuf>, reports: &WeakSender<Report>) {
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            if let Err(error) = list(&path, &mut pending) {
                tell(reports, Report::Unreadable(path, error));
            }
        } else if paths.send_blocking(path).is_err() {
            return;
        }
    }
}

fn list(folder: &Path, pending: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() || kind.is_file() {
            pending.push(entry.path());
        }
    }
    Ok(())
}

/// Sends the lines of one file after the other, until `lines` is closed.
fn read(paths: &Receiver<PathBuf>, lines: &Sender<String>, reports: &WeakSender<Report>) {
    for path in paths {
        match read_file(&path, lines) {
            Ok(()) if lines.is_closed() => return,
            Ok(()) => tell(reports, Report::File),
            Err(error) => tell(reports, Report::Unreadable(path, error)),
        }
    }
}

fn read_file(path: &Path, lines: &Sender<String>) -> io::Result<()> {
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if lines.send_blocking(line).is_err() {
            break;
        }
    }
    Ok(())
}

/// Counts lines until no more can come.
async fn count(lines: Receiver<String>, reports: Sender<Report>) {
    let (mut burst, mut words) = (Vec::new(), Words::new());
    while let Ok(received) = lines.recv_many(&mut burst, 256).await {
        for line in burst.drain(..) {
            for word in line.split(|c: char| !c.is_alphanumeric()) {
                if !word.is_empty() {
                    *words.entry(word.to_lowercase()).or_default() += 1;
                }
            }
        }
        send(&reports, Report::Lines(received));
    }
    send(&reports, Report::Words(words));
}

/// What became of it all.
#[derive(Default)]
struct Total {
    files: usize,
    lines: usize,
    words: Words,
    unreadable: usize,
    interrupted: bool,
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            f.write_str("interrupted after ")?;
        }
        write!(f, "files: {}, lines: {}", self.files, self.lines)
    }
}

/// The whole program on one runtime.
fn run<R: Runtime>(roots: Vec<PathBuf>) -> Total {
    R::block_on(count_all::<R>(roots))
}

/// Sets all tasks to work, and follows their reports to the end.
async fn count_all<R: Runtime>(roots: Vec<PathBuf>) -> Total {
    let (paths, to_read) = hchan::bounded(0);
    let (lines, to_count) = hchan::bounded(1024);
    let (reports, to_show) = hchan::unbounded();

    // Only the counters keep the reports open, so that these end when all is counted; the others,
    // with weak handles, do not.
    let weak = reports.downgrade();
    for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
        R::spawn(count(to_count.clone(), reports.clone()));
    }
    for _ in 0..READERS {
        let (to_read, lines, reports) = (to_read.clone(), lines.clone(), weak.clone());
        R::spawn_blocking(move || read(&to_read, &lines, &reports));
    }
    let to_walk = weak.clone();
    R::spawn_blocking(move || walk(roots, &paths, &to_walk));

    let weak_lines = lines.downgrade();
    let on_ctrl_c = move || {
        if let Some(lines) = weak_lines.upgrade() {
            tell(&weak, Report::Interrupted);
            lines.close();
        }
    };
    ctrlc::set_handler(on_ctrl_c).expect("nobody else handles ctrl-c");

    drop((to_read, lines, to_count, reports));
    show(to_show).await
}

/// Adds up the reports, and shows on stderr how far the work is.
async fn show(reports: Receiver<Report>) -> Total {
    let mut total = Total::default();
    let mut next = Instant::now();
    // Back to the start of the line, and clear it.
    let (start, end) = if io::stderr().is_terminal() {
        ("\r\x1b[K", "")
    } else {
        ("", "\n")
    };
    while let Ok(report) = reports.recv().await {
        match report {
            Report::File => total.files += 1,
            Report::Lines(lines) => total.lines += lines,
            Report::Words(words) => {
                for (word, times) in words {
                    *total.words.entry(word).or_default() += times;
                }
            }
            Report::Unreadable(path, error) => {
                total.unreadable += 1;
                eprintln!("{start}word_count: cannot read {}: {error}", path.display());
            }
            Report::Interrupted => total.interrupted = true,
        }
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_millis(100);
            eprint!("{start}{total} ...{end}");
        }
    }
    let different = total.words.len();
    eprintln!("{start}{total}, different words: {different}");
    total
}

/// Prints the most frequent words; those that are as frequent in the order of the alphabet.
fn print_table(words: Words) -> io::Result<()> {
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_unstable_by(|(a, a_times), (b, b_times)| b_times.cmp(a_times).then(a.cmp(b)));
    let mut out = io::stdout().lock();
    for (word, times) in words.iter().take(TOP) {
        writeln!(out, "{times:>9}  {word}")?;
    }
    out.flush()
}

/// What the arguments ask for.
enum Command {
    Help,
    Count(Program, Vec<PathBuf>),
}

/// [`run`] on some runtime.
type Program = fn(Vec<PathBuf>) -> Total;

fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut program: Program = run::<Tokio>;
    let mut roots = Vec::new();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--runtime") => {
                let name = args.next().ok_or("--runtime needs a name")?;
                program = match name.to_str() {
                    Some("tokio") => run::<Tokio>,
                    Some("async-std") => run::<AsyncStd>,
                    Some("smol") => run::<Smol>,
                    _ => return Err(format!("no runtime {name:?}: tokio, async-std or smol")),
                };
            }
            Some(option) if option.starts_with('-') => {
                return Err(format!("unknown option {option:?}"));
            }
            _ => roots.push(PathBuf::from(arg)),
        }
    }
    if roots.is_empty() {
        roots.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    }
    Ok(Command::Count(program, roots))
}

fn main() -> ExitCode {
    let (printed, code) = match parse(env::args_os().skip(1)) {
        Ok(Command::Help) => (io::stdout().write_all(HELP.as_bytes()), 0),
        Ok(Command::Count(program, roots)) => {
            let total = program(roots);
            let code = match total.interrupted {
                true => 130,
                false => u8::from(total.unreadable > 0),
            };
            (print_table(total.words), code)
        }
        Err(error) => {
            eprintln!("word_count: {error}; try --help");
            (Ok(()), 2)
        }
    };
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("word_count: cannot print: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::from(code),
    }
}
