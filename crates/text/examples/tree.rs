//! Prints the tree of each message of a file.
//!
//! The file holds one JSON string per line; out comes one tree per line, or
//! `null`. That is all the comparison script needs.

use std::io::{self, BufRead, Write};

use parlance_text::{Options, parse};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let tree = parse(&text, &Options::default()).md_json();
        writeln!(out, "{}", tree.as_deref().unwrap_or("null"))?;
    }
    out.flush()
}
