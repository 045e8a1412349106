//! Emoji: short codes, emoticons and characters.
//!
//! Which characters count follows the wire contract's server, which knows
//! fixed blocks and not the current emoji list; what it takes for text stays
//! text here, so that clients show the same.

use crate::ast::Emoji;

/// Longest emoticon in bytes.
const MAX_EMOTICON: usize = 5;

/// Most pictographs joined into one; bounds what a dangling joiner can cost.
const MAX_JOINED: usize = 64;

/// An emoji at the start of this text and the bytes it takes.
pub(crate) fn at(text: &str, emoticons: bool) -> Option<(Emoji, usize)> {
    let first = *text.as_bytes().first()?;
    if first >= 0x80 {
        let len = unicode(text)?;
        return Some((Emoji::Unicode(text[..len].to_owned()), len));
    }
    if first == b':'
        && let Some(len) = short_code(text)
    {
        let value = text[1..len - 1].to_owned();
        let short_code = value.clone();
        return Some((Emoji::Code { value, short_code, emoticon: false }, len));
    }
    if !emoticons {
        return None;
    }
    let (name, len) = emoticon(text.as_bytes())?;
    let code =
        Emoji::Code { value: text[..len].to_owned(), short_code: name.to_owned(), emoticon: true };
    Some((code, len))
}

/// Length of `:name:` at the start.
fn short_code(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let name = bytes[1..]
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_' | b'.')))?;
    (name > 0 && bytes[1 + name] == b':').then_some(name + 2)
}

/// The longest emoticon at the start, its short name and length.
pub(crate) fn emoticon(bytes: &[u8]) -> Option<(&'static str, usize)> {
    if !matches!(
        bytes.first()?,
        b':' | b';'
            | b'='
            | b'('
            | b'-'
            | b'\''
            | b'>'
            | b'<'
            | b'\\'
            | b'D'
            | b'O'
            | b'0'
            | b'B'
            | b'X'
            | b'8'
            | b'%'
            | b'*'
            | b'#'
    ) {
        return None;
    }
    (2..=MAX_EMOTICON.min(bytes.len())).rev().find_map(|len| named(&bytes[..len]).map(|n| (n, len)))
}

fn named(emoticon: &[u8]) -> Option<&'static str> {
    Some(match emoticon {
        b":)" | b":-)" | b"=)" | b":]" | b"=]" => "slight_smile",
        b":(" | b":-(" | b"=(" | b":[" | b":-[" | b">:[" => "disappointed",
        b":D" | b":-D" | b"=D" => "smiley",
        b":P" | b":-P" | b"=P" | b":b" | b":-b" => "stuck_out_tongue",
        b":O" | b":-O" | b"O_O" | b">:O" => "open_mouth",
        b":X" | b":-X" | b"=X" | b":#" | b":-#" | b"=#" => "no_mouth",
        b":*" | b":-*" | b"=*" | b":^*" => "kissing_heart",
        b":/" | b":-/" | b"=/" | b":\\" | b"=\\" | b":-." | b":L" | b"=L" | b">:/" | b">:\\" => {
            "confused"
        }
        b":')" | b":'-)" => "joy",
        b":'(" | b":'-(" => "cry",
        b":$" | b"=$" => "flushed",
        b":@" | b">:(" | b">:-(" => "angry",

        b";)" | b";-)" | b";-]" | b";D" | b";^)" | b";]" | b"*)" | b"*-)" | b";(" | b";-(" => {
            "wink"
        }
        b"(y)" => "thumbsup",
        b"-_-" | b"-__-" | b"-___-" => "expressionless",
        b"':)" | b"':D" | b"'=)" | b"'=D" | b"':-)" | b"':-D" => "sweat_smile",
        b"':(" | b"'=(" | b"':-(" => "sweat",
        b">:)" | b">;)" | b">=)" | b">:-)" => "laughing",
        b">:P" | b"X-P" => "stuck_out_tongue_winking_eye",

        b">.<" => "persevere",
        b"<3" => "heart",
        b"</3" => "broken_heart",
        b"\\O/" | b"\\0/" | b"*\\O/*" | b"*\\0/*" => "person_gesturing_ok",
        b"D:" => "fearful",
        b"O:)" | b"O:3" | b"O=)" | b"O:-)" | b"O:-3" | b"O;-)" | b"0:)" | b"0:3" | b"0:-)"
        | b"0:-3" | b"0;-)" | b"0;^)" => "innocent",
        b"B)" | b"B-)" | b"B-D" | b"8)" | b"8-)" | b"8-D" => "sunglasses",
        b"X)" | b"X-)" | b"%)" | b"%-)" | b"#)" | b"#-)" => "dizzy_face",
        _ => return None,
    })
}

fn lead(text: &str) -> Option<(u32, usize)> {
    text.chars().next().map(|c| (u32::from(c), c.len_utf8()))
}

/// Length of the emoji character, with its modifiers, at the start.
pub(crate) fn unicode(text: &str) -> Option<usize> {
    let (c, len) = lead(text)?;
    match c {
        0x1F1E6..=0x1F1FF => {
            let (next, more) = lead(&text[len..])?;
            (0x1F1E6..=0x1F1FF).contains(&next).then_some(len + more)
        }
        0x1F300..=0x1F5FF => sequence(text),
        0x1F900..=0x1F9FF => match lead(&text[len..]) {
            Some((0x1F3FB..=0x1F3FF, more)) => Some(len + more),
            _ => Some(len),
        },
        0x1F600..=0x1F64F | 0x1F680..=0x1F6FA => Some(len),
        0x2300..=0x23FF | 0x2600..=0x27BF => match lead(&text[len..]) {
            Some((0xFE0F, more)) => Some(len + more),
            _ => Some(len),
        },
        _ => None,
    }
}

/// Pictographs joined by zero-width joiners; a dangling joiner spoils it all.
fn sequence(text: &str) -> Option<usize> {
    let mut at = 0;
    for _ in 0..MAX_JOINED {
        match lead(&text[at..]) {
            Some((0x1F300..=0x1F5FF, len)) => at += len,
            _ => return None,
        }
        if let Some((0xFE0F | 0x1F3FB..=0x1F3FF, len)) = lead(&text[at..]) {
            at += len;
        }
        match lead(&text[at..]) {
            Some((0x200D, len)) => at += len,
            _ => return Some(at),
        }
    }
    None
}

/// One to three emoji that make up the whole text.
pub(crate) fn big(text: &str, emoticons: bool) -> Option<Vec<Emoji>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches(BLANK);
    while !rest.is_empty() {
        if found.len() == 3 {
            return None;
        }
        let (emoji, len) = at(rest, emoticons)?;
        found.push(emoji);
        rest = rest[len..].trim_start_matches(BLANK);
    }
    (!found.is_empty()).then_some(found)
}

const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];
