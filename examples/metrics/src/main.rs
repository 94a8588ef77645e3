//! Depth, peak and totals of each named channel, by the `metrics` crate for Prometheus, and a look at them
//! by a plain HTTP request.
//!
//! `cargo run -p hchan-metrics`

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use metrics::{counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Takes a look at all channels that have a name.
fn observe() {
    for channel in hchan::inspect::channels() {
        let Some(name) = channel.name else {
            continue;
        };
        let labels = [("channel", name.to_string())];
        let seen = &channel.snapshot;
        let waiting = channel.sends.count + channel.receives.count;
        gauge!("channel_depth", &labels).set(seen.qcount as f64);
        gauge!("channel_peak", &labels).set(seen.peak as f64);
        gauge!("channel_waiting", &labels).set(waiting as f64);
        counter!("channel_sent_total", &labels).absolute(seen.sent);
        counter!("channel_received_total", &labels).absolute(seen.received);
    }
}

/// Answers each request with what the channels look like then.
fn serve(listener: &TcpListener, metrics: &PrometheusHandle) -> io::Result<()> {
    for stream in listener.incoming() {
        let mut stream = stream?;
        // Whatever it asks for: a request without a body ends with an empty line.
        let lines = BufReader::new(&stream).lines();
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        observe();
        let body = metrics.render();
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// What a scraper does.
fn scrape(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || serve(&listener, &metrics));

    let (jobs, todo) = hchan::bounded(8);
    jobs.set_name("jobs");
    let (done, results) = hchan::bounded::<u32>(8);
    done.set_name("results");
    for job in 0..5_u32 {
        jobs.send_blocking(job)?;
    }
    for _ in 0..2 {
        done.send_blocking(todo.recv_blocking()?)?;
    }

    let answer = scrape(address)?;
    println!("{answer}");
    for line in [
        r#"channel_depth{channel="jobs"} 3"#,
        r#"channel_peak{channel="jobs"} 5"#,
        r#"channel_sent_total{channel="jobs"} 5"#,
        r#"channel_received_total{channel="jobs"} 2"#,
        r#"channel_depth{channel="results"} 2"#,
        r#"channel_waiting{channel="results"} 0"#,
    ] {
        assert!(answer.contains(&format!("\n{line}\n")), "{line}");
    }
    drop(results);
    Ok(())
}
