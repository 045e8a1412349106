//! The real binary, as an operator runs it: accounts, imports, the first administrator, settings
//! from the environment, start and stop. Nothing waits for time: a server is ready when it says so.

mod accounts;
mod audit;
mod commands;
mod config;
mod exports;
mod first_hour;
mod help;
mod imports;
mod kill;
mod logs;
mod overwrites;
mod secrets;
mod server;
mod socket;
mod stop;
mod watch;

use crate::app::fresh_database;
use parlance_core::Database;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A store of one test's own, and the directory that belongs to it.
struct Place {
    dir: PathBuf,
    url: Option<String>,
}

impl Place {
    async fn new() -> Self {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("parlance_cli_{}_{n}", std::process::id()));
        match fresh_database().await {
            Database::Embedded(_) => Self { dir, url: None },
            Database::Postgres(url) => Self { dir, url: Some(url) },
        }
    }

    /// A store in files whatever the engine of this run is.
    fn embedded() -> Self {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("parlance_cli_{}_{n}", std::process::id()));
        Self { dir, url: None }
    }

    /// The binary on this store, with none of the caller's own variables for it.
    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
        command.args(args).env_clear().stdin(Stdio::null());
        command.env("PARLANCE_DATA_DIR", &self.dir);
        if let Some(url) = &self.url {
            command.env("PARLANCE_DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    fn run(&self, args: &[&str]) -> Done {
        finish(self.command(args), "")
    }

    /// Runs a command to its end, with this on standard input.
    fn run_with(&self, args: &[&str], input: &str) -> Done {
        finish(self.command(args), input)
    }

    /// Starts a server on a free port and waits until it says where.
    fn serve(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve"]);
        command.env("PARLANCE_HTTP_ADDR", "127.0.0.1:0").env("PARLANCE_METRICS_ADDR", "");
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (address, log) = (String::new(), String::new());
        let mut server = Server { child, address, log, rest: None };
        while server.address.is_empty() {
            let from = server.log.len();
            if out.read_line(&mut server.log).unwrap() == 0 {
                let mut why = String::new();
                server.child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                unreachable!("the server did not start: {why}{}", server.log);
            }
            if let Some((_, rest)) = server.log[from..].split_once("listening on http://") {
                let end = rest.find('"').unwrap_or(rest.len());
                server.address = rest[..end].to_owned();
            }
        }
        // A server whose log nobody reads waits for somebody who does.
        server.rest = Some(std::thread::spawn(move || {
            let mut rest = String::new();
            out.read_to_string(&mut rest).unwrap();
            rest
        }));
        server
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A command that ended.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    /// The lines of stdout, of a command that must have succeeded.
    #[track_caller]
    fn lines(&self) -> Vec<&str> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.lines().collect()
    }
}

fn finish(mut command: Command, input: &str) -> Done {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The headers of a session.
fn session(id: &str, token: &str) -> String {
    format!("X-User-Id: {id}\r\nX-Auth-Token: {token}\r\n")
}

/// Asks until it is so: what another process changed is heard of within a second.
#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    assert!((0..20_000).any(|_| is_so()), "it never was so");
}

/// A running server.
struct Server {
    child: Child,
    address: String,
    /// What was logged until it listened, and whoever reads what comes then.
    log: String,
    rest: Option<std::thread::JoinHandle<String>>,
}

impl Server {
    /// One request; the whole answer as text.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The status of a request, and the JSON of its answer.
    fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let answer = self.ask(method, path, headers, body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        // The length of a piece may stand around the text.
        let json = body.find('{').zip(body.rfind('}'));
        let json = json.map(|(start, end)| serde_json::from_str(&body[start..=end]).unwrap());
        (status, json.unwrap_or_default())
    }

    /// Logs in; gives the headers of the session.
    fn session(&self, username: &str, password: &str) -> String {
        let body = serde_json::json!({"user": username, "password": password}).to_string();
        let (status, answer) = self.call("POST", "/api/v1/login", "", &body);
        assert_eq!(status, 200, "{answer}");
        let text = |key: &str| answer["data"][key].as_str().unwrap().to_owned();
        session(&text("userId"), &text("authToken"))
    }

    /// Does this username log in with this password?
    fn logs_in(&self, username: &str, password: &str) -> bool {
        let body = serde_json::json!({"user": username, "password": password}).to_string();
        self.ask("POST", "/api/v1/login", "", &body).starts_with("HTTP/1.1 200")
    }

    /// Sends SIGTERM; returns the exit code and everything that was logged.
    fn stop(self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.end()
    }

    /// Waits until it has ended; returns the exit code and everything that was logged.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let rest = self.rest.take().unwrap().join().unwrap();
        (code, std::mem::take(&mut self.log) + &rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of a test that failed; one that was stopped is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
