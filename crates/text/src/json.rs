//! Printing a tree as JSON.
//!
//! Printed by hand: the key order is part of the wire, and the text is copied
//! once with escapes instead of going through a value tree.

use std::fmt::Write;

use crate::ast::{Block, Emoji, Inline};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Prints a tree.
pub(crate) fn print(blocks: &[Block]) -> String {
    let mut out = String::with_capacity(256);
    array(&mut out, blocks, block);
    out
}

fn array<T>(out: &mut String, items: &[T], mut each: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        each(out, item);
    }
    out.push(']');
}

fn block(out: &mut String, block: &Block) {
    match block {
        Block::Paragraph(value) => paragraph(out, value),
        Block::LineBreak => out.push_str(r#"{"type":"LINE_BREAK"}"#),
        Block::Heading { level, text } => {
            out.push_str(r#"{"type":"HEADING","level":"#);
            out.push(char::from(b'0' + level));
            out.push_str(r#","value":["#);
            plain(out, text);
            out.push_str("]}");
        }
        Block::Code { language, lines } => {
            out.push_str(r#"{"type":"CODE","language":"#);
            string(out, if language.is_empty() { "none" } else { language });
            out.push_str(r#","value":"#);
            array(out, lines, |out, line| {
                out.push_str(r#"{"type":"CODE_LINE","value":"#);
                plain(out, line);
                out.push('}');
            });
            out.push('}');
        }
        Block::Quote(value) => {
            out.push_str(r#"{"type":"QUOTE","value":"#);
            array(out, value, |out, line| paragraph(out, line));
            out.push('}');
        }
        Block::Spoiler(value) => {
            out.push_str(r#"{"type":"SPOILER_BLOCK","value":"#);
            array(out, value, |out, line| paragraph(out, line));
            out.push('}');
        }
        Block::Katex(text) => {
            out.push_str(r#"{"type":"KATEX","value":"#);
            string(out, text);
            out.push('}');
        }
        Block::BigEmoji(value) => {
            out.push_str(r#"{"type":"BIG_EMOJI","value":"#);
            array(out, value, emoji);
            out.push('}');
        }
        Block::UnorderedList(_) | Block::OrderedList(_) | Block::Tasks(_) => list(out, block),
    }
}

fn list(out: &mut String, block: &Block) {
    match block {
        Block::UnorderedList(value) => {
            out.push_str(r#"{"type":"UNORDERED_LIST","value":"#);
            array(out, value, |out, line| {
                typed(out, "LIST_ITEM", line);
                out.push('}');
            });
        }
        Block::OrderedList(value) => {
            out.push_str(r#"{"type":"ORDERED_LIST","value":"#);
            array(out, value, |out, (n, line)| {
                typed(out, "LIST_ITEM", line);
                out.push_str(r#","number":"#);
                number(out, *n);
                out.push('}');
            });
        }
        Block::Tasks(value) => {
            out.push_str(r#"{"type":"TASKS","value":"#);
            array(out, value, |out, (status, line)| {
                out.push_str(if *status {
                    r#"{"type":"TASK","status":true,"value":"#
                } else {
                    r#"{"type":"TASK","status":false,"value":"#
                });
                array(out, line, inline);
                out.push('}');
            });
        }
        _ => out.push_str(r#"{"value":[]"#),
    }
    out.push('}');
}

/// The number as a JavaScript printer writes it: the fewest digits that tell
/// it apart, and zeros.
fn number(out: &mut String, n: f64) {
    if !n.is_finite() {
        out.push_str("null");
        return;
    }
    let text = format!("{n:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: usize = power.parse().unwrap_or_default();
    if power > 20 {
        out.push_str(digits);
        out.push_str("e+");
        out.push_str(&power.to_string());
        return;
    }
    let from = out.len();
    out.extend(digits.chars().filter(char::is_ascii_digit));
    while out.len() - from <= power {
        out.push('0');
    }
}

fn paragraph(out: &mut String, value: &[Inline]) {
    typed(out, "PARAGRAPH", value);
    out.push('}');
}

/// Writes type and value and leaves the object open.
fn typed(out: &mut String, name: &str, value: &[Inline]) {
    out.push_str(r#"{"type":""#);
    out.push_str(name);
    out.push_str(r#"","value":"#);
    array(out, value, inline);
}

fn wrapped(out: &mut String, name: &str, value: &str) {
    out.push_str(r#"{"type":""#);
    out.push_str(name);
    out.push_str(r#"","value":"#);
    plain(out, value);
    out.push('}');
}

fn inline(out: &mut String, node: &Inline) {
    match node {
        Inline::Plain(text) => plain(out, text),
        Inline::Bold(value) => span(out, "BOLD", value),
        Inline::Italic(value) => span(out, "ITALIC", value),
        Inline::Strike(value) => span(out, "STRIKE", value),
        Inline::Spoiler(value) => span(out, "SPOILER", value),
        Inline::Code(text) => wrapped(out, "INLINE_CODE", text),
        Inline::MentionUser(text) => wrapped(out, "MENTION_USER", text),
        Inline::MentionChannel(text) => wrapped(out, "MENTION_CHANNEL", text),
        Inline::Emoji(value) => emoji(out, value),
        Inline::Link { src, label } => {
            out.push_str(r#"{"type":"LINK","value":{"src":"#);
            plain(out, src);
            out.push_str(r#","label":"#);
            array(out, label, inline);
            out.push_str("}}");
        }
        Inline::Image { src, label } => {
            out.push_str(r#"{"type":"IMAGE","value":{"src":"#);
            plain(out, src);
            out.push_str(r#","label":"#);
            plain(out, label);
            out.push_str("}}");
        }
        Inline::Color([r, g, b, a]) => {
            let _ =
                write!(out, r#"{{"type":"COLOR","value":{{"r":{r},"g":{g},"b":{b},"a":{a}}}}}"#);
        }
        Inline::Katex(text) => {
            out.push_str(r#"{"type":"INLINE_KATEX","value":"#);
            string(out, text);
            out.push('}');
        }
        Inline::Timestamp { seconds, format } => {
            let _ = write!(
                out,
                r#"{{"type":"TIMESTAMP","value":{{"timestamp":"{seconds}","format":"{format}"}},"fallback":"#
            );
            plain(out, &format!("<t:{seconds}:{format}>"));
            out.push('}');
        }
    }
}

fn span(out: &mut String, name: &str, value: &[Inline]) {
    typed(out, name, value);
    out.push('}');
}

fn emoji(out: &mut String, value: &Emoji) {
    match value {
        Emoji::Code { value, short_code, .. } => {
            out.push_str(r#"{"type":"EMOJI","value":"#);
            plain(out, value);
            out.push_str(r#","shortCode":"#);
            string(out, short_code);
            out.push('}');
        }
        Emoji::Unicode(text) => {
            out.push_str(r#"{"type":"EMOJI","unicode":"#);
            string(out, text);
            out.push('}');
        }
    }
}

fn plain(out: &mut String, text: &str) {
    out.push_str(r#"{"type":"PLAIN_TEXT","value":"#);
    string(out, text);
    out.push('}');
}

/// Escapes exactly what JSON demands, as JavaScript does.
fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (i, b) in text.bytes().enumerate() {
        if b >= 0x20 && b != b'"' && b != b'\\' {
            continue;
        }
        out.push_str(&text[from..i]);
        from = i + 1;
        match b {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            _ => {
                out.push_str("\\u00");
                out.push(char::from(HEX[usize::from(b >> 4)]));
                out.push(char::from(HEX[usize::from(b & 15)]));
            }
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}
