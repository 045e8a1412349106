//! The commands of `docs/first-hour.md`, run as they stand there: a document that lies is a bug.

use super::Place;
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::net::TcpSocket;

const DOCUMENT: &str = include_str!("../../docs/first-hour.md");

/// An address that the server alone can listen on: bound here and not listened on, so that nobody is
/// given its port who asks for any, for as long as the socket is kept.
fn kept() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    // A server sets this as well, which lets it share the address.
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[test]
fn every_command_of_the_first_hour_works() {
    let place = Place::embedded();
    std::fs::create_dir_all(&place.dir).unwrap();
    let ((_http, http), (_metrics, metrics)) = (kept(), kept());
    let blocks: Vec<&str> =
        DOCUMENT.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert!(blocks.len() > 8, "{}", blocks.len());
    let script =
        blocks.concat().replace("127.0.0.1:3000", &http).replace("127.0.0.1:9464", &metrics);
    let binaries = Path::new(env!("CARGO_BIN_EXE_parlance")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut bash = Command::new("bash");
    // A background job is killed with the shell whatever fails.
    let script =
        format!("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
    bash.args(["-c", &script]).current_dir(&place.dir).env_clear().stdin(Stdio::null());
    bash.env("PATH", format!("{}:{path}", binaries.display()));
    bash.env("PARLANCE_HTTP_ADDR", &http).env("PARLANCE_METRICS_ADDR", &metrics);
    let done = bash.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{err}");
    // Words of what the document shows, in its order.
    let mut rest = &*out;
    for told in [
        "wrote parlance.toml, with a password for the first administrator in it\n",
        "the configuration is fine\n",
        "password = \"(hidden)\" # file parlance.toml\n",
        "\"username\":\"admin\"",
        "admin user    active  never                     Ann A.\n",
        "Parlance\nSite_Name = \"Our chat\"\n",
        "\"value\":\"Our chat\"",
        "\"username\":\"bob\"",
        "bob: 1 sessions ended\n{\"error\":",
        "bob: switched off, user\nbob: active, user\n",
        "  operator  user.activate  {",
        "time,actor,name,ip,action,room,detail\n",
        "{\"status\":\"ok\"}",
        "_count{face=\"rocketchat\",route=\"login\",status=\"2xx\"} 1\n",
        "parlance_store_changes_total ",
        "1\n",
    ] {
        let (_, after) = rest.split_once(told).unwrap_or_else(|| panic!("{told}\n{out}\n{err}"));
        rest = after;
    }
}
