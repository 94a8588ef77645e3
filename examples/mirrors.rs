//! The first mirror that is free gets its request; the requests for the others come back.
//!
//! In Go: `reflect.Select` with one send case for each mirror; the requests of the other cases are still at
//! hand afterwards.

use std::error::Error;

use hchan::{Receiver, Select, SendError, Sender};

/// A request to one mirror.
#[derive(Debug)]
struct Request(String);

/// Answers one request after the other.
async fn mirror(name: &str, requests: Receiver<Request>, pages: Sender<String>) {
    while let Ok(Request(path)) = requests.recv().await {
        let page = format!("{path}, as seen in {name}");
        pages.send(page).await.expect("main takes every page");
    }
}

/// Sends one of the requests and returns which; the others stay in their slots.
async fn ask(
    mirrors: &[Sender<Request>],
    requests: &mut [Option<Request>],
) -> Result<usize, SendError<()>> {
    let mut select = Select::new();
    for (n, (mirror, request)) in mirrors.iter().zip(requests).enumerate() {
        if request.is_some() {
            select = select.send_from(mirror, request, move |sent| sent.map(|()| n));
        }
    }
    select.await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let names = ["Lima", "Oslo", "Rome"];
    let (pages, answers) = hchan::bounded(0);
    let mut mirrors = Vec::new();
    for name in names {
        let (tx, rx) = hchan::bounded(0);
        mirrors.push(tx);
        tokio::spawn(mirror(name, rx, pages.clone()));
    }
    let mut requests = names.map(|name| Some(Request(format!("/{name}/index"))));

    for left in [2, 1, 0] {
        let n = ask(&mirrors, &mut requests).await?;
        // Exactly one was sent, and that one is answered.
        assert!(requests[n].is_none());
        assert_eq!(requests.iter().flatten().count(), left);
        let page = answers.recv().await?;
        println!("{page}; requests left: {left}");
        assert_eq!(page, format!("/{0}/index, as seen in {0}", names[n]));
    }
    Ok(())
}
