//! Regular expressions of a filter: compiled once, within a size, matched in linear time.
//!
//! Patterns are read by the `regex` crate, after `dialect.rs` has rewritten what PCRE, which
//! `MongoDB` uses, spells otherwise. What remains different: look-around, backreferences, atomic
//! groups and possessive repeats are refused, and `$` without `m` is the very end of the text, not
//! also before a last newline.

use regex::{Regex, RegexBuilder};

use crate::{Limits, dialect};

/// A compiled regular expression with the flags it was written with.
#[derive(Debug, Clone)]
pub struct Pattern {
    flags: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.flags == other.flags && self.regex.as_str() == other.regex.as_str()
    }
}

impl Pattern {
    /// Compiles a pattern with `MongoDB`'s flags `i m s x` (and `u`, which is always on).
    pub fn new(text: &str, flags: &str, limits: &Limits) -> Result<Self, String> {
        if text.len() > limits.regex_text {
            return Err(format!("a pattern longer than {} bytes", limits.regex_text));
        }
        if let Some(bad) = flags.chars().find(|c| !"imsxu".contains(*c)) {
            return Err(format!("unknown regular expression option {bad:?}"));
        }
        let regex = RegexBuilder::new(&dialect::rewrite(text, flags.contains('x')))
            .case_insensitive(flags.contains('i'))
            .multi_line(flags.contains('m'))
            .dot_matches_new_line(flags.contains('s'))
            .ignore_whitespace(flags.contains('x'))
            .size_limit(limits.regex_size)
            .dfa_size_limit(limits.regex_size)
            .nest_limit(50)
            .build()
            .map_err(|e| e.to_string())?;
        let mut flags: Vec<char> = flags.chars().filter(|c| *c != 'u').collect();
        flags.sort_unstable();
        flags.dedup();
        Ok(Self { flags: flags.into_iter().collect(), regex })
    }

    /// Whether the pattern is found in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}
