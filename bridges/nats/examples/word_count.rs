//! Counts the words of files on several machines: a reader, counters and a collector, each a process of its own, that
//! find each other through a server.
//!
//! ```text
//! reader --lines--> PIECES ==> counters ==> COUNTS ==> collector --> a file with the totals
//! ```
//!
//! ```text
//! word_count collector totals.json &
//! word_count counter &
//! word_count counter &
//! word_count reader *.txt
//! ```
//!
//! Each may be killed and started again at any time, and the totals are right. A piece of a file has an id, which is
//! its file and place. A reader that starts again publishes all of it again, with the same ids. A counter acknowledges
//! a piece once its counts are in the second stream, under the same id. The collector keeps the ids beside the totals,
//! writes both to its file in one go, and acknowledges after that. So what comes twice is seen to be there already.
//!
//! Ctrl-c ends a process once what it has begun is done, with exit status 130: what it has not begun is left to the
//! others, or to itself when it is started again. Progress is on standard error.
//!
//! `word_count here FILE...` runs the same stages in one process, without a server.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::env;
use std::error::Error;
use std::fs;
use std::future::Future;
use std::ops::Deref;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use hchan::{Receiver, Sender};
use hchan_nats::{ConnectOptions, Delivery, FromStream, Nats, Postcard, Queue, ToStream};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// How many lines a piece has.
const LINES: usize = 50;
/// How many values wait in each channel.
const CAPACITY: usize = 16;
/// The exit status after ctrl-c.
const INTERRUPTED: u8 = 130;
/// How long a reader that is interrupted waits for the server.
const PATIENCE: Duration = Duration::from_secs(2);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Some lines of a file, or the news of how many pieces there are.
#[derive(Clone, Serialize, Deserialize)]
struct Piece {
    id: String,
    text: String,
    pieces: Option<usize>,
}

/// The words of a piece, and the piece, which is not sent.
#[derive(Serialize)]
struct Counted<J> {
    counts: Counts,
    #[serde(skip)]
    piece: J,
}

#[derive(Clone, Serialize, Deserialize)]
struct Counts {
    id: String,
    words: BTreeMap<String, u64>,
    pieces: Option<usize>,
}

/// What the collector keeps.
#[derive(Default, Serialize, Deserialize)]
struct Totals {
    words: BTreeMap<String, u64>,
    seen: BTreeSet<String>,
    pieces: Option<usize>,
}

impl Totals {
    fn add(&mut self, counts: &Counts) {
        if let Some(pieces) = counts.pieces {
            self.pieces = Some(pieces);
        } else if self.seen.insert(counts.id.clone()) {
            for (word, count) in &counts.words {
                *self.words.entry(word.clone()).or_default() += count;
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.pieces == Some(self.seen.len())
    }

    fn read(file: &Path) -> Result<Self> {
        match fs::read(file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(_) => Ok(Self::default()),
        }
    }

    /// In one go: the file is the old one or the new one.
    fn write(&self, file: &Path) -> Result<()> {
        let beside = file.with_extension("new");
        fs::write(&beside, serde_json::to_vec(self)?)?;
        Ok(fs::rename(beside, file)?)
    }

    fn show(&self) {
        let mut most: Vec<_> = self.words.iter().collect();
        most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (word, count) in most.into_iter().take(10) {
            println!("{count:>8} {word}");
        }
        println!(
            "{} words in {} pieces",
            self.words.values().sum::<u64>(),
            self.seen.len()
        );
    }
}

/// Tells how far a process is.
fn progress(pieces: &mut u64, what: &str) {
    *pieces += 1;
    if pieces.is_multiple_of(100) {
        eprintln!("{pieces} pieces {what}");
    }
}

/// The first stage.
async fn read(files: Vec<String>, tx: Sender<Piece>) -> Result<()> {
    let mut pieces = 0;
    for file in files {
        let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        for (place, lines) in lines.chunks(LINES).enumerate() {
            let (id, text) = (format!("{file} {place}"), lines.join("\n"));
            tx.send(Piece {
                id,
                text,
                pieces: None,
            })
            .await?;
            pieces += 1;
        }
    }
    let last = Piece {
        id: format!("{pieces} pieces"),
        text: String::new(),
        pieces: Some(pieces),
    };
    Ok(tx.send(last).await?)
}

/// The second stage. `J` is a piece, or its delivery.
async fn count<J: Deref<Target = Piece>>(pieces: Receiver<J>, tx: Sender<Counted<J>>) {
    while let Ok(piece) = pieces.recv().await {
        let mut words = BTreeMap::new();
        for word in piece
            .text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            *words.entry(word.to_lowercase()).or_default() += 1;
        }
        let (id, pieces) = (piece.id.clone(), piece.pieces);
        let counts = Counts { id, words, pieces };
        if tx.send(Counted { counts, piece }).await.is_err() {
            return;
        }
    }
}

async fn connect() -> Result<Nats> {
    let url = env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".into());
    let nats = Nats::connect(&url, ConnectOptions::new()).await?;
    nats.work_queue(Queue::new("PIECES", "pieces")).await?;
    nats.work_queue(Queue::new("COUNTS", "counts")).await?;
    Ok(nats)
}

/// Returns whether it read all.
async fn reader(files: Vec<String>, interrupted: impl Future<Output = ()>) -> Result<bool> {
    let nats = connect().await?;
    let (tx, rx) = hchan::bounded(CAPACITY);
    let out = ToStream::new("pieces")
        .codec(Postcard)
        .message_id(|piece: &Piece| piece.id.clone());
    let stopped = Notify::new();
    let reading = async {
        tokio::select! {
            read = read(files, tx) => read.map(|()| true),
            // Drops the sender.
            () = interrupted => {
                stopped.notify_one();
                Ok(false)
            }
        }
    };
    let mut confirmed = 0;
    let publishing = async {
        // What is in the channel still goes into the stream, if the server is there.
        let too_late = async {
            stopped.notified().await;
            tokio::time::sleep(PATIENCE).await;
        };
        tokio::select! {
            published = out.run_each(&nats, &rx, |_| progress(&mut confirmed, "are in the stream")) => published.map(drop),
            () = too_late => Ok(()),
        }
    };
    let (published, read) = tokio::join!(publishing, reading);
    published?;
    let all = read?;
    println!("{confirmed} pieces are in the stream");
    Ok(all)
}

/// Runs until it is interrupted.
async fn counter(interrupted: impl Future<Output = ()>) -> Result<bool> {
    let nats = connect().await?;
    let (tx, pieces) = hchan::bounded::<Delivery<Piece>>(CAPACITY);
    let settings = FromStream::new("PIECES", "counters")
        .codec(Postcard)
        .sharers(8);
    let bridge = settings
        .ack_wait(Duration::from_secs(5))
        .start(&nats, tx)
        .await?;
    let (tx, counted) = hchan::bounded(CAPACITY);
    let out = ToStream::new("counts")
        .message_id(|counted: &Counted<Delivery<Piece>>| counted.counts.id.clone());
    let stop = async {
        interrupted.await;
        bridge.stop().await
    };
    let mut done = 0;
    let (stopped, (), published) = tokio::join!(
        stop,
        count(pieces, tx),
        out.run_each(&nats, &counted, |counted| {
            tokio::spawn(counted.piece.ack());
            progress(&mut done, "were counted");
        })
    );
    stopped?;
    published?;
    println!("{done} pieces were counted");
    Ok(false)
}

/// Returns whether the totals are complete.
async fn collector(file: &Path, interrupted: impl Future<Output = ()>) -> Result<bool> {
    let nats = connect().await?;
    let mut totals = Totals::read(file)?;
    let (tx, rx) = hchan::bounded::<Delivery<serde_json::Value>>(CAPACITY);
    let settings = FromStream::new("COUNTS", "collector").ack_wait(Duration::from_secs(5));
    let bridge = settings.start(&nats, tx).await?;
    let mut interrupted = std::pin::pin!(interrupted);
    while !totals.is_complete() {
        let first = tokio::select! {
            first = rx.recv() => first?,
            () = &mut interrupted => break,
        };
        let mut batch = VecDeque::from([first]);
        batch.extend(rx.try_iter());
        for counted in &batch {
            totals.add(&serde_json::from_value(counted["counts"].clone())?);
        }
        totals.write(file)?;
        for counted in batch {
            counted.ack().await?;
        }
        eprintln!(
            "{} of {} pieces",
            totals.seen.len(),
            totals.pieces.map_or("?".into(), |n| n.to_string())
        );
    }
    bridge.stop().await?;
    totals.show();
    Ok(totals.is_complete())
}

/// All stages in one process.
async fn here(files: Vec<String>) -> Result<()> {
    let (tx, pieces) = hchan::bounded(CAPACITY);
    let reader = tokio::spawn(read(files, tx));
    let (tx, counted) = hchan::bounded(CAPACITY);
    for _ in 0..2 {
        // A piece comes as a `Box`, where over a stream it comes as a `Delivery`.
        let (boxed, boxes) = hchan::bounded(0);
        let pieces = pieces.clone();
        tokio::spawn(async move {
            while let Ok(piece) = pieces.recv().await
                && boxed.send(Box::new(piece)).await.is_ok()
            {}
        });
        tokio::spawn(count(boxes, tx.clone()));
    }
    drop((tx, pieces));
    let mut totals = Totals::default();
    while let Ok(counted) = counted.recv().await {
        totals.add(&counted.counts);
    }
    reader.await??;
    totals.show();
    Ok(())
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let interrupted = async {
        tokio::signal::ctrl_c().await.ok();
    };
    let mut words = env::args().skip(1);
    let all = match (words.next().as_deref(), words.collect::<Vec<_>>()) {
        (Some("reader"), files) => reader(files, interrupted).await?,
        (Some("counter"), _) => counter(interrupted).await?,
        (Some("collector"), files) if files.len() == 1 => {
            collector(Path::new(&files[0]), interrupted).await?
        }
        (Some("here"), files) => here(files).await.map(|()| true)?,
        _ => {
            return Err(
                "word_count reader FILE... | counter | collector TOTALS | here FILE...".into(),
            );
        }
    };
    Ok(ExitCode::from(if all { 0 } else { INTERRUPTED }))
}
