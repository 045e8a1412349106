//! `parlance healthcheck`: asks the server of this configuration whether it takes work, for images that
//! have no other program to ask with.

use crate::Failure;
use crate::config::AddressConfig;
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long the server may take to answer: longer than a store takes to say that it is busy.
const PATIENCE: Duration = Duration::from_secs(10);
/// As much of the answer as holds its status.
const HEAD: u64 = 64;

/// Which server.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0: the server answers and its store takes writes (/readyz). Exit code 1: it does not.")]
pub(crate) struct HealthArgs {
    #[command(flatten)]
    address: AddressConfig,
}

/// Runs the command.
pub(crate) async fn run(args: &HealthArgs) -> Result<ExitCode, Failure> {
    let address = reachable(&args.address.http_addr);
    let asked = tokio::time::timeout(PATIENCE, ask(&address)).await;
    let late = |_| format!("{address}: no answer within {} s", PATIENCE.as_secs());
    let head = asked.map_err(late)?.map_err(|error| format!("{address}: {error}"))?;
    let status = head.split(' ').nth(1).unwrap_or("no HTTP");
    if status == "200" { Ok(ExitCode::SUCCESS) } else { Err(format!("{address}: {status}")) }
}

/// A server that listens everywhere is asked here.
fn reachable(address: &str) -> String {
    match address.rsplit_once(':') {
        Some(("0.0.0.0" | "", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => address.to_owned(),
    }
}

async fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut head = String::new();
    stream.take(HEAD).read_to_string(&mut head).await?;
    Ok(head)
}
