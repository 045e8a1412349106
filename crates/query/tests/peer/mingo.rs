//! The oracle: a node process that answers a line for each line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::cases::Case;

pub(crate) struct Mingo {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Mingo {
    /// Starts node; `modules` is the directory where mingo is installed.
    pub(crate) fn start(modules: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/mingo.mjs");
        let mut child = Command::new("node")
            .args([script, modules])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("node: {e}"));
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    /// Asks about a set; the answer is read later, so that node works meanwhile.
    pub(crate) fn ask(&mut self, docs: &[Value], cases: &[Question]) {
        let cases: Vec<Value> = cases.iter().map(Question::to_json).collect();
        writeln!(self.questions, "{}", json!({"docs": docs, "cases": cases})).unwrap();
        self.questions.flush().unwrap();
    }

    /// The answers to the last question.
    pub(crate) fn answers(&mut self) -> Vec<Value> {
        let mut line = String::new();
        assert!(self.answers.read_line(&mut line).unwrap() > 0, "node has ended");
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Mingo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A case, and for a sort which documents of the set it is about.
pub(crate) struct Question {
    pub(crate) case: Case,
    pub(crate) of: Vec<usize>,
}

impl Question {
    fn to_json(&self) -> Value {
        match &self.case {
            Case::Filter(filter) => json!({ "filter": filter }),
            Case::Sort(keys) => json!({"sort": keys, "of": self.of}),
            Case::Fields(fields) => json!({ "fields": fields }),
        }
    }
}
