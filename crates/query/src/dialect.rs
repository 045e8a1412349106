//! From PCRE's spelling of a regular expression, which `MongoDB` reads, to the `regex` crate's.
//!
//! The two agree on nearly everything; where the same text means two things, it is rewritten: `\d`,
//! `\w`, `\s` and `\b` are of ASCII, and inside brackets `[`, `&`, `~` (and with the flag `x` white
//! space and `#`) stand for themselves. What PCRE has and linear time cannot have stays, and is
//! refused when it is compiled.

use std::iter::Peekable;
use std::str::Chars;

/// Rewrites a pattern; `spaced` says that it has the flag `x`.
pub(crate) fn rewrite(pattern: &str, spaced: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let (mut repeat, mut counted, mut named) = (false, false, false);
    while let Some(c) = chars.next() {
        if repeat && c == '+' {
            // Possessive. The crate would read a repeat of a repeat, which finds more; this it refuses.
            return "(?>".to_owned();
        }
        counted = (counted || c == '{') && !named;
        repeat = matches!(c, '*' | '+' | '?') || (c == '}' && counted);
        counted &= c != '}';
        named = false;
        match c {
            '\\' => {
                let next = chars.next();
                named = matches!(next, Some('p' | 'P' | 'x' | 'u' | 'U'));
                escaped(&mut out, next, false);
            }
            '[' => brackets(&mut out, &mut chars, spaced),
            '#' if spaced => {
                // A comment may hold brackets that open nothing.
                while chars.next().is_some_and(|c| c != '\n') {}
                out.push('\n');
            }
            c => out.push(c),
        }
    }
    out
}

/// What follows a backslash.
fn escaped(out: &mut String, c: Option<char>, inside: bool) {
    out.push_str(match (c, inside) {
        (Some('d'), true) => "[:digit:]",
        (Some('w'), true) => "[:word:]",
        (Some('s'), true) => "[:space:]",
        (Some('D'), true) => "[:^digit:]",
        (Some('W'), true) => "[:^word:]",
        (Some('S'), true) => "[:^space:]",
        (Some('d'), false) => r"(?-u:\d)",
        (Some('w'), false) => r"(?-u:\w)",
        (Some('s'), false) => r"(?-u:\s)",
        (Some('b'), false) => r"(?-u:\b)",
        (Some('D'), false) => "[[:^digit:]]",
        (Some('W'), false) => "[[:^word:]]",
        (Some('S'), false) => "[[:^space:]]",
        // Backspace, which the crate has no letter for.
        (Some('b'), true) => r"\x08",
        (Some(other), _) => {
            out.push('\\');
            out.push(other);
            return;
        }
        (None, _) => "\\",
    });
}

/// A bracketed class, after its `[`.
fn brackets(out: &mut String, chars: &mut Peekable<Chars<'_>>, spaced: bool) {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if chars.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => return out.push(']'),
            '\\' => escaped(out, chars.next(), true),
            '[' => match named(chars) {
                Some(name) => out.push_str(&name),
                None => out.push_str(r"\["),
            },
            '&' | '~' => out.extend(['\\', c]),
            '#' if spaced => out.push_str(r"\#"),
            ' ' if spaced => out.push_str(r"\x20"),
            '\n' if spaced => out.push_str(r"\n"),
            '\t' if spaced => out.push_str(r"\t"),
            c => out.push(c),
        }
    }
}

/// `[:alpha:]`, after its `[`; takes nothing if it is none.
fn named(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    /// Longer than the longest name.
    const MOST: usize = 16;
    let head: String = chars.clone().take(MOST).collect();
    let end = head.find(":]")?;
    let name = &head[..end];
    let letters = name.strip_prefix(':')?;
    let letters = letters.strip_prefix('^').unwrap_or(letters);
    if letters.is_empty() || !letters.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    chars.by_ref().take(end + 2).for_each(drop);
    Some(format!("[{name}:]"))
}

#[cfg(test)]
mod tests {
    use super::rewrite;
    use regex::Regex;

    /// Whether a pattern of PCRE's is found in a text.
    fn found(pattern: &str, text: &str) -> bool {
        Regex::new(&rewrite(pattern, false)).unwrap().is_match(text)
    }

    #[test]
    fn classes_are_of_ascii() {
        for (pattern, yes, no) in [
            (r"^\w+$", "aZ_9", "é"),
            (r"^\d$", "7", "٧"),
            (r"^\s$", "\u{b}", "\u{a0}"),
            (r"^\W$", "é", "e"),
            (r"^\D$", "٧", "7"),
            (r"^\S$", "\u{a0}", " "),
            (r"\bcole\b", "é cole é", "xcole"),
            (r"\bcole", "école", "acole"),
            (r"^[\w-]+$", "a-b", "é"),
            (r"^[^\W]$", "a", "é"),
            (r"^[^\d\s]$", "é", "1"),
            (r"(?i)^\w$", "K", "\u{17f}"),
        ] {
            assert!(found(pattern, yes), "{pattern} {yes:?}");
            assert!(!found(pattern, no), "{pattern} {no:?}");
        }
    }

    #[test]
    fn brackets_hold_what_they_show() {
        for (pattern, yes, no) in [
            ("^[[]$", "[", "]"),
            ("^[]]$", "]", "["),
            ("^[^]]$", "x", "]"),
            ("^[a&&b]$", "&", "x"),
            ("^[a~~b]$", "~", "x"),
            ("^[[:alpha:]]$", "a", "1"),
            ("^[[:^alpha:]x]$", "x", "y"),
            ("^[[:]$", ":", "x"),
            (r"^\[[a]\]$", "[a]", "a"),
            (r"^[\]\\]$", "\\", "x"),
            (r"^\\w$", r"\w", "a"),
        ] {
            assert!(found(pattern, yes), "{pattern} {yes:?}");
            assert!(!found(pattern, no), "{pattern} {no:?}");
        }
    }

    #[test]
    fn white_space_and_comments_of_the_flag_x() {
        let spaced = |pattern: &str| Regex::new(&format!("(?x){}", rewrite(pattern, true)));
        assert!(spaced("^ a [ #] b $ # [ (").unwrap().is_match("a#b"));
        assert!(spaced("^ a [ #] b $ # [ (").unwrap().is_match("a b"));
        assert!(!spaced("^ a [ #] b $").unwrap().is_match("ab"));
    }

    #[test]
    fn possessive_repeats_are_refused() {
        for pattern in ["a++b", "a*+", "a?+", "a{2}+", "a{2,3}+b", "(a)++", r"\p{L}++"] {
            assert!(Regex::new(&rewrite(pattern, false)).is_err(), "{pattern}");
        }
        for (pattern, text) in [
            (r"^\++$", "++"),
            (r"^\p{L}+$", "éa"),
            (r"^\x{41}+$", "AA"),
            (r"^a}+$", "a}}"),
            ("^[+]+$", "++"),
            ("^[?*]+b+?$", "*?bb"),
            ("^(?:a)+$", "aa"),
            (r"^a{2}\++$", "aa+"),
        ] {
            assert!(found(pattern, text), "{pattern}");
        }
    }

    #[test]
    fn any_text_is_rewritten() {
        for pattern in ["", "\\", "[", "[^", "[[", "[[:", "[[:x", "[\\", "[]", "#[", "[[:é:]"] {
            rewrite(pattern, false);
            rewrite(pattern, true);
        }
    }
}
