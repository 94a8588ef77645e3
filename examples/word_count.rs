//! Counts the words in files and folders: a walker, readers and counters, joined by channels.
//!
//! In Go: the bounded parallel digest of "Go Concurrency Patterns: Pipelines and cancellation".
//!
//! ```text
//! walker --paths--> readers --chunks--> counters --reports--> main
//! ```
//!
//! Each task drops its handles when it is done, so the end travels from left to right. Ctrl-c closes
//! `chunks` in the middle: the counters finish what is inside and report, and the program ends with
//! them, even if a reader is stuck on its disk.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use hchan::{Receiver, Sender, WeakSender};

const HELP: &str = "\
Counts the words in files and folders, and prints the most frequent ones.

Usage: word_count [--runtime tokio|async-std|smol] [--] [PATH]...

A folder stands for all files in it, except links; - is standard input. Without a PATH, the sources of
hchan are read. Bytes that are not UTF-8 count as space between words, and a word of more than 64 KiB is
counted in pieces. Ctrl-c ends the reading and prints what was counted so far.

async-std and smol have to be built in: cargo run -p hchan-examples --features smol ...

Exit status: 0; 1 if something could not be read; 2 for wrong arguments; 130 after ctrl-c.
";

/// How many words the table shows.
const TOP: usize = 20;
/// How many files are read at a time.
const READERS: usize = 4;
/// How much of a file a reader sends at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// What this program needs of a runtime.
trait Runtime {
    fn block_on<T>(main: impl Future<Output = T>) -> T;
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
    /// Runs a task that may block its thread.
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

#[cfg(feature = "async-std")]
struct AsyncStd;

#[cfg(feature = "async-std")]
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

#[cfg(feature = "smol")]
struct Smol;

#[cfg(feature = "smol")]
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
    /// So many lines have ended.
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

/// Sends the files in `pending`, a folder as all files in it.
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

/// Sends the text of one file after the other, until `chunks` is closed.
fn read(paths: &Receiver<PathBuf>, chunks: &Sender<String>, reports: &WeakSender<Report>) {
    for path in paths {
        match read_file(&path, chunks) {
            Ok(()) if chunks.is_closed() => return,
            Ok(()) => tell(reports, Report::File),
            Err(error) => tell(reports, Report::Unreadable(path, error)),
        }
    }
}

fn read_file(path: &Path, chunks: &Sender<String>) -> io::Result<()> {
    match path.to_str() {
        Some("-") => send_chunks(io::stdin().lock(), chunks),
        _ => send_chunks(File::open(path)?, chunks),
    }
}

/// Sends a text in chunks, so that it takes no more memory the longer its lines are.
fn send_chunks(mut text: impl Read, chunks: &Sender<String>) -> io::Result<()> {
    let mut chunk = Vec::new();
    loop {
        let room = CHUNK - chunk.len();
        let read = text.by_ref().take(room as u64).read_to_end(&mut chunk)?;
        let end = if read < room {
            chunk.len()
        } else {
            cut(&chunk)
        };
        let send = String::from_utf8_lossy(&chunk[..end]).into_owned();
        if chunks.send_blocking(send).is_err() || read < room {
            return Ok(());
        }
        chunk.drain(..end);
    }
}

/// Where a full chunk ends: behind a byte between two words, or else anywhere between two characters.
fn cut(chunk: &[u8]) -> usize {
    let between = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    let begins = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
    let found = chunk.iter().rposition(between).map(|last| last + 1);
    let found = found.or_else(|| chunk.iter().rposition(begins).filter(|&last| last > 0));
    found.unwrap_or(chunk.len())
}

/// Counts words until no more can come.
async fn count(chunks: Receiver<String>, reports: Sender<Report>) {
    let mut words = Words::new();
    while let Ok(chunk) = chunks.recv().await {
        for word in chunk.split(|c: char| !c.is_alphanumeric()) {
            if !word.is_empty() {
                let word = word.to_lowercase();
                *words.entry(word).or_default() += 1;
            }
        }
        send(&reports, Report::Lines(chunk.matches('\n').count()));
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
    let (chunks, to_count) = hchan::bounded(16);
    let (reports, to_show) = hchan::unbounded();

    // Only the counters keep the reports open, so these end when all is counted: the others have weak
    // handles.
    let weak = reports.downgrade();
    for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
        R::spawn(count(to_count.clone(), reports.clone()));
    }
    for _ in 0..READERS {
        let (to_read, chunks, reports) = (to_read.clone(), chunks.clone(), weak.clone());
        R::spawn_blocking(move || read(&to_read, &chunks, &reports));
    }
    let to_walk = weak.clone();
    R::spawn_blocking(move || walk(roots, &paths, &to_walk));

    let weak_chunks = chunks.downgrade();
    let on_ctrl_c = move || {
        if let Some(chunks) = weak_chunks.upgrade() {
            tell(&weak, Report::Interrupted);
            chunks.close();
        }
    };
    if let Err(error) = ctrlc::set_handler(on_ctrl_c) {
        eprintln!("word_count: cannot catch ctrl-c: {error}");
    }

    drop((to_read, chunks, to_count, reports));
    show(to_show).await
}

/// Adds up the reports, and shows on stderr how far the work is, if that is a terminal.
async fn show(reports: Receiver<Report>) -> Total {
    let mut total = Total::default();
    let mut next = Instant::now();
    // Back to the start of the line, and clear it.
    let terminal = io::stderr().is_terminal();
    let start = if terminal { "\r\x1b[K" } else { "" };
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
                eprintln!("{start}word_count: cannot read {path:?}: {error}");
            }
            Report::Interrupted => total.interrupted = true,
        }
        if terminal && Instant::now() >= next {
            next = Instant::now() + Duration::from_millis(100);
            eprint!("{start}{total} ...");
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

fn runtime(name: &str) -> Result<Program, String> {
    match name {
        "tokio" => Ok(run::<Tokio>),
        #[cfg(feature = "async-std")]
        "async-std" => Ok(run::<AsyncStd>),
        #[cfg(not(feature = "async-std"))]
        "async-std" => Err("async-std needs --features async-std".into()),
        #[cfg(feature = "smol")]
        "smol" => Ok(run::<Smol>),
        #[cfg(not(feature = "smol"))]
        "smol" => Err("smol needs --features smol".into()),
        _ => Err(format!("no runtime {name:?}: tokio, async-std or smol")),
    }
}

fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut program: Program = run::<Tokio>;
    let mut roots = Vec::new();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--") => {
                roots.extend(args.by_ref().map(PathBuf::from));
                break;
            }
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--runtime") => {
                let name = args.next().ok_or("--runtime needs a name")?;
                program = runtime(&name.to_string_lossy())?;
            }
            Some(option) if option.starts_with('-') && option != "-" => {
                return Err(format!("unknown option {option:?}"));
            }
            _ => roots.push(PathBuf::from(arg)),
        }
    }
    if roots.is_empty() {
        roots.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what is read, as the program does.
    fn count_in(text: impl Read + Send) -> (usize, Words) {
        let (chunks, to_count) = hchan::bounded(16);
        let (reports, told) = hchan::unbounded();
        thread::scope(|scope| {
            scope.spawn(move || send_chunks(text, &chunks).unwrap());
            let (mut lines, mut words) = (0, Words::new());
            futures::executor::block_on(count(to_count, reports));
            for report in told {
                match report {
                    Report::Lines(more) => lines += more,
                    Report::Words(counted) => words = counted,
                    _ => unreachable!("a counter tells of nothing else"),
                }
            }
            (lines, words)
        })
    }

    fn parsed(args: &[&str]) -> Result<Vec<PathBuf>, String> {
        match parse(args.iter().map(OsString::from))? {
            Command::Help => Err("help".into()),
            Command::Count(_, roots) => Ok(roots),
        }
    }

    #[test]
    fn a_word_that_a_chunk_would_end_in_is_counted_whole() {
        let text = "ein wörtchen\n".repeat(20_000);
        let (lines, words) = count_in(text.as_bytes());
        let counted = [("ein", 20_000), ("wörtchen", 20_000)];
        assert_eq!(lines, 20_000);
        assert_eq!(words, counted.map(|(word, n)| (word.to_string(), n)).into());
    }

    #[test]
    fn no_character_is_cut_in_two() {
        let text = "ö".repeat(CHUNK);
        let (_, words) = count_in(format!("x{text}").as_bytes());
        let letters: usize = words.iter().map(|(word, n)| word.chars().count() * n).sum();
        assert_eq!(letters, 1 + CHUNK);
    }

    /// The most memory that this process has had at once, in KiB.
    #[cfg(target_os = "linux")]
    fn peak() -> usize {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_line_of_300_megabytes_takes_less_than_64_of_memory() {
        let line = || io::repeat(b' ').take(100_000_000);
        let word = io::repeat(b'x').take(100_000_000);
        let (lines, words) = count_in(line().chain(word).chain(line()));
        assert_eq!(lines, 0);
        let letters: usize = words.iter().map(|(word, n)| word.len() * n).sum();
        assert_eq!(letters, 100_000_000);
        assert!(peak() < 64 * 1024, "{} KiB", peak());
    }

    #[test]
    fn paths_and_options_are_told_apart() {
        let paths = |names: &[&str]| Ok(names.iter().map(PathBuf::from).collect());
        assert_eq!(parsed(&["a", "-", ""]), paths(&["a", "-", ""]));
        assert_eq!(
            parsed(&["a", "--", "--help", "-"]),
            paths(&["a", "--help", "-"])
        );
        assert!(parsed(&["-x"]).is_err());
        assert!(parsed(&["--runtime", "go"]).is_err());
        assert!(parsed(&["--runtime"]).is_err());
        assert!(parsed(&["--help"]).is_err());
    }
}
