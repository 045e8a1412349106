//! Words that the operator does not want to read (`Message_AllowBadWordsFilter`, contract section 13.2): each
//! becomes as many asterisks before a text is stored, so that no way in and no reader gets around it. There
//! is no list of the server's own: what is bad where is the operator's to say.

use crate::setting::{self, Settings, items};
use std::collections::HashSet;

/// A text as it is stored.
pub(crate) fn masked(settings: &Settings, text: String) -> String {
    if !settings.on(&setting::BAD_WORDS) {
        return text;
    }
    let words = |known| items(settings.text(known)).map(str::to_lowercase);
    let mut bad: HashSet<String> = words(&setting::BAD_WORDS_LIST).collect();
    for word in words(&setting::BAD_WORDS_ALLOWED) {
        bad.remove(&word);
    }
    if bad.is_empty() { text } else { mask(&text, &bad) }
}

/// Whole words only, in any case.
fn mask(text: &str, bad: &HashSet<String>) -> String {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !part(c)).unwrap_or(rest.len()));
        if bad.contains(&word.to_lowercase()) {
            out.extend(word.chars().map(|_| '*'));
        } else {
            out.push_str(word);
        }
        let (between, after) = after.split_at(after.find(part).unwrap_or(after.len()));
        out.push_str(between);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::mask;
    use std::collections::HashSet;

    #[test]
    fn whole_words_in_any_case() {
        let bad: HashSet<String> = ["darn", "été"].map(str::to_owned).into();
        for (text, want) in [
            ("darn", "****"),
            ("Oh DARN, darn!", "Oh ****, ****!"),
            ("darned undarn darn_it darn-it", "darned undarn darn_it ****-it"),
            ("l'ÉTÉ (été)", "l'*** (***)"),
            ("", ""),
            (" \u{1f980} darn\n", " \u{1f980} ****\n"),
        ] {
            assert_eq!(mask(text, &bad), want);
        }
    }
}
