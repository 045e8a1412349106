//! A second process of this same test program that opens a store and sends what it is told to:
//! something to kill, and something whose files may not grow.

use super::{named, reopen};
use parlance_core::{Clock, Database, StoreOptions};
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const DIR: &str = "PARLANCE_TEST_CHILD_DIR";
const TOKEN: &str = "PARLANCE_TEST_CHILD_TOKEN";
const ROOM: &str = "PARLANCE_TEST_CHILD_ROOM";

/// The other process, as the test holds it. Killed when dropped.
pub(super) struct Other {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Other {
    /// Starts it on a directory that nobody uses; it ignores the signal for files that may not grow.
    pub(super) fn start(dir: &Path, token: &str, room: &str) -> Self {
        let me = std::env::current_exe().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(me)
            .args(["--exact", "store::child::the_other_process", "--ignored", "--nocapture"])
            .env(DIR, dir)
            .env(TOKEN, token)
            .env(ROOM, room)
            .env_remove("PARLANCE_TEST_PG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut other = Self { process, orders, answers };
        assert_eq!(other.next(), ("ready".to_owned(), String::new()));
        other
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Has it send `count` messages at once, with ids that begin with `name`.
    pub(super) fn send(&mut self, name: &str, count: usize) {
        writeln!(self.orders, "{name} {count}").unwrap();
    }

    /// Its next word: `ready`, `ok ID`, `no ID`, `bad ID`, `done`.
    pub(super) fn next(&mut self) -> (String, String) {
        loop {
            // The test program around it writes lines of its own.
            let line = self.answers.next().expect("the other process lives").unwrap();
            let Some((_, said)) = line.split_once("CHILD ") else {
                continue;
            };
            let (word, id) = said.split_once(' ').unwrap_or((said, ""));
            return (word.to_owned(), id.to_owned());
        }
    }

    /// Ends it as a power cut would, as far as a process can.
    pub(super) fn kill(mut self) -> Vec<(String, String)> {
        self.process.kill().unwrap();
        let mut rest = Vec::new();
        // What it had said already is still in the pipe.
        for line in self.answers.by_ref().map_while(Result::ok) {
            if let Some((_, said)) = line.split_once("CHILD ") {
                let (word, id) = said.split_once(' ').unwrap_or((said, ""));
                rest.push((word.to_owned(), id.to_owned()));
            }
        }
        rest
    }
}

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "CHILD {words}").unwrap();
    out.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "the other process of tests that kill one or fill its disk"]
async fn the_other_process() {
    let Ok(dir) = std::env::var(DIR) else { return };
    // Whoever had the store before may still be ending.
    let database = Database::Embedded(dir.into());
    let core = reopen(&database, StoreOptions::default(), Clock::default()).await;
    let caller = core.caller(&std::env::var(TOKEN).unwrap(), None).await.unwrap();
    let access = core.access(&caller, &std::env::var(ROOM).unwrap()).await.unwrap();
    say("ready");
    for order in std::io::stdin().lock().lines() {
        let order = order.unwrap();
        let (name, count) = order.split_once(' ').unwrap();
        let send = |n| {
            let (core, caller, access) = (core.clone(), caller.clone(), access.clone());
            let id = format!("{name}-{n}");
            tokio::spawn(async move {
                match core.send(&caller, &access, named(&id, &"x".repeat(400))).await {
                    Ok(_) => say(&format!("ok {id}")),
                    Err(parlance_core::Error::Unavailable(_)) => say(&format!("no {id}")),
                    Err(other) => say(&format!("bad {id} {other:?}")),
                }
            })
        };
        let tasks: Vec<_> = (0..count.parse::<usize>().unwrap()).map(send).collect();
        for task in tasks {
            task.await.unwrap();
        }
        say("done");
    }
}
