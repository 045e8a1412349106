//! The terms of a text: what the index of searches (store/terms.rs) knows a message by.
//! A term is a run of letters, marks, digits and underscores of any script, which is exactly what
//! `search.rs` takes for the inside of a word; folded so that whatever a regular expression's `(?i)`
//! calls equal is equal here. Folding and cutting may make two terms one, never one term two: the
//! index proposes, the expression decides.

use regex::Regex;
use std::sync::LazyLock;

/// What a term is made of, as the inside of a class. `search.rs` asks for the same.
pub(crate) const INSIDE: &str = r"\p{L}\p{M}\p{N}_";
/// Bytes of a term; the rest of a longer one is left out.
const LONGEST: usize = 64;
/// Different terms of one message.
const MOST: usize = 512;
/// The term of a message that has more terms than may be kept: every search looks at it.
pub(crate) const TOO_MANY: &str = "";

static TERM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("[{INSIDE}]+")).ok());

/// What a message is found by: its terms, each once, in order; only [`TOO_MANY`] if they are that.
pub(crate) fn of_message(text: &str) -> Vec<String> {
    let Some(term) = &*TERM else {
        return vec![TOO_MANY.to_owned()];
    };
    let mut terms: Vec<String> = term.find_iter(text).map(|found| folded(found.as_str())).collect();
    terms.sort_unstable();
    terms.dedup();
    if terms.len() > MOST { vec![TOO_MANY.to_owned()] } else { terms }
}

/// The terms that a message has in which these words stand by themselves; empty if that cannot be
/// told.
pub(crate) fn of_words(words: &str) -> Vec<String> {
    /// More narrow the search no further.
    const ENOUGH: usize = 8;
    let found = TERM.iter().flat_map(|term| term.find_iter(words));
    let mut terms: Vec<String> = found.take(ENOUGH).map(|found| folded(found.as_str())).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

fn folded(term: &str) -> String {
    let mut out = String::with_capacity(term.len().min(LONGEST));
    for c in term.chars().map(fold) {
        if out.len() + c.len_utf8() > LONGEST {
            break;
        }
        out.push(c);
    }
    out
}

/// One character for all that differ only in case.
fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    match c {
        // Equal in case, and mapped to several characters each where that is asked for.
        '\u{1fd3}' => '\u{390}',
        '\u{1fe3}' => '\u{3b0}',
        '\u{fb05}' => '\u{fb06}',
        c => {
            let upper = single(c, c.to_uppercase());
            single(upper, upper.to_lowercase())
        }
    }
}

/// The only character of a mapping, or `c` where there are several.
fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{INSIDE, LONGEST, MOST, TOO_MANY, fold, of_message, of_words};
    use regex::Regex;
    use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

    #[test]
    fn whatever_an_expression_calls_equal_folds_equal() {
        let mut classes = 0;
        for c in '\0'..=char::MAX {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
            class.try_case_fold_simple().expect("tables");
            for other in class.iter().flat_map(|range| range.start()..=range.end()) {
                assert_eq!(fold(other), fold(c), "{c:?} {other:?}");
                classes += usize::from(other != c);
            }
        }
        assert!(classes > 2000, "{classes}");
    }

    #[test]
    fn a_term_is_what_is_no_edge_of_a_word_with_and_without_case() {
        let edge = Regex::new(&format!("^(?i)[^{INSIDE}]$")).unwrap();
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(of_message(&text).is_empty(), edge.is_match(&text), "{c:?}");
        }
    }

    #[test]
    fn texts_have_terms() {
        for (text, terms) in [
            ("The quick, the QUICK!", &["quick", "the"][..]),
            ("v1.0 snake_case a-b", &["0", "a", "b", "snake_case", "v1"]),
            ("naïve Grüße 日本語 нет", &["grüße", "naïve", "нет", "日本語"]),
            ("ΣΊΣΥΦΟΣ Kelvin ſtraße", &["kelvin", "straße", "σίσυφοσ"]),
            ("नमस्ते e\u{301}te\u{301}", &["e\u{301}te\u{301}", "नमस्ते"]),
            ("?! … 👍", &[]),
            ("", &[]),
        ] {
            assert_eq!(of_message(text), terms, "{text}");
            assert_eq!(of_words(text), terms, "{text}");
        }
    }

    #[test]
    fn terms_are_bounded_in_length_and_number() {
        let long = "ä".repeat(LONGEST);
        let cut = of_message(&format!("{long}b"));
        assert_eq!(cut, [&long[..LONGEST]]);
        assert_eq!(of_words(&format!("{}C", long.to_uppercase())), cut);
        let many = |n: usize| (0..n).fold(String::new(), |text, n| format!("{text} w{n}"));
        assert_eq!(of_message(&many(MOST)).len(), MOST);
        assert_eq!(of_message(&many(MOST + 1)), [TOO_MANY]);
        // Of a search, fewer terms find more.
        assert!(of_words(&many(MOST)).len() < 10);
    }
}
