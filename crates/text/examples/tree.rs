//! Prints the tree of each message of a file.
//!
//! The file holds one JSON value per line: a text, or `[text, options, now]`
//! with the options named as the npm package names them. Out comes one tree per
//! line, or `null`. That is all the comparison script needs.

use std::io::{self, BufRead, Write};

use parlance_text::{Options, parse, parse_at};
use serde_json::Value;

fn tree(line: &str) -> Result<Option<String>, serde_json::Error> {
    let value: Value = serde_json::from_str(line)?;
    let Some([text, options, now]) = value.as_array().map(Vec::as_slice) else {
        return Ok(parse(value.as_str().unwrap_or_default(), &Options::default()).md_json());
    };
    let on = |path: &str| options.pointer(path).and_then(Value::as_bool).unwrap_or(false);
    let domains = options["customDomains"].as_array().map(Vec::as_slice).unwrap_or_default();
    let domains: Vec<&str> = domains.iter().filter_map(Value::as_str).collect();
    let options = Options {
        colors: on("/colors"),
        emoticons: on("/emoticons"),
        katex_parenthesis: on("/katex/parenthesisSyntax"),
        katex_dollar: on("/katex/dollarSyntax"),
        custom_domains: &domains,
    };
    let text = text.as_str().unwrap_or_default();
    Ok(parse_at(text, &options, now.as_i64().unwrap_or_default()).md_json())
}

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", tree(&line?)?.as_deref().unwrap_or("null"))?;
    }
    out.flush()
}
