//! The commands of `docs/first-hour.md`, run as they stand there: a document that lies is a bug.

use super::Place;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

const DOCUMENT: &str = include_str!("../../docs/first-hour.md");

/// An address that is free now.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn every_command_of_the_first_hour_works() {
    let place = Place::embedded();
    std::fs::create_dir_all(&place.dir).unwrap();
    let (http, metrics) = (free(), free());
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
