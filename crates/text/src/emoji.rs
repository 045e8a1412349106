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
pub(crate) fn at(text: &str, emoticons: bool, steps: &mut usize) -> Option<(Emoji, usize)> {
    let first = *text.as_bytes().first()?;
    if first >= 0x80 {
        let len = unicode(text, steps)?;
        return Some((Emoji::Unicode(text[..len].to_owned()), len));
    }
    if first == b':'
        && let Some(len) = short_code(text, steps)
    {
        let value = text[1..len - 1].to_owned();
        let short_code = value.clone();
        return Some((Emoji::Code { value, short_code, emoticon: false }, len));
    }
    if !emoticons {
        return None;
    }
    emoticon(text)
}

/// Length of `:name:` at the start.
fn short_code(text: &str, steps: &mut usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let name = bytes[1..]
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_' | b'.')))
        .unwrap_or(bytes.len() - 1);
    *steps += name;
    (name > 0 && bytes.get(1 + name) == Some(&b':')).then_some(name + 2)
}

/// An emoticon at the start; none begins another.
pub(crate) fn emoticon(text: &str) -> Option<(Emoji, usize)> {
    let bytes = text.as_bytes();
    if !STARTS.contains(bytes.first()?) {
        return None;
    }
    let longest = MAX_EMOTICON.min(bytes.len());
    let (name, len) = (2..=longest).find_map(|len| named(&bytes[..len]).map(|name| (name, len)))?;
    let value = text[..len].to_owned();
    Some((Emoji::Code { value, short_code: name.to_owned(), emoticon: true }, len))
}

/// What emoticons begin with.
const STARTS: &[u8] = b":;=(-'><\\DO0BX8%*#";

fn named(emoticon: &[u8]) -> Option<&'static str> {
    Some(match emoticon {
        b":)" | b":-)" | b"=)" | b":]" | b"=]" => "slight_smile",
        b":(" | b":-(" | b"=(" | b":[" | b":-[" | b">:[" => "disappointed",
        b":D" | b":-D" | b"=D" => "smiley",
        b":P" | b":-P" | b"=P" | b":b" | b":-b" | b":\xC3\x9E" | b":-\xC3\x9E" => {
            "stuck_out_tongue"
        }
        b":O" | b":-O" | b"O_O" | b">:O" => "open_mouth",
        b":X" | b":-X" | b"=X" | b":#" | b":-#" | b"=#" => "no_mouth",
        b":*" | b":-*" | b"=*" | b":^*" => "kissing_heart",
        b":/" | b":-/" | b"=/" | b":\\" | b"=\\" | b":-." | b":L" | b"=L" | b">:/" | b">:\\" => {
            "confused"
        }
        b":')" | b":'-)" => "joy",
        b":'(" | b":'-(" | b";(" | b";-(" => "cry",
        b":$" | b"=$" => "flushed",
        b":@" | b">:(" | b">:-(" => "angry",

        b";)" | b";-)" | b";-]" | b";D" | b";^)" | b";]" | b"*)" | b"*-)" => "wink",
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
fn unicode(text: &str, steps: &mut usize) -> Option<usize> {
    let (c, len) = lead(text)?;
    *steps += 1;
    match c {
        0x1F100..=0x1F1FF => {
            let (next, more) = lead(&text[len..])?;
            (0x1F100..=0x1F1FF).contains(&next).then_some(len + more)
        }
        0x1F300..=0x1F5FF => sequence(text, steps),
        0x1F900..=0x1F9FF => {
            let more = followers(&text[len..]);
            *steps += more;
            Some(len + more)
        }
        0x1F600..=0x1F64F | 0x1F680..=0x1F6FA => Some(len),
        0x2300..=0x23FF | 0x2600..=0x27BF => Some(len + selector(&text[len..])),
        _ => None,
    }
}

/// Length of a variation selector at the start.
fn selector(text: &str) -> usize {
    lead(text).filter(|(c, _)| (0xFE00..=0xFE0F).contains(c)).map_or(0, |(_, len)| len)
}

/// Length of a pictograph, with its variation selector, at the start.
fn pictograph(text: &str) -> Option<usize> {
    let (_, len) = lead(text).filter(|(c, _)| (0x1F300..=0x1F5FF).contains(c))?;
    Some(len + selector(&text[len..]))
}

/// Length of the zero-width joiner at the start.
fn joiner(text: &str) -> Option<usize> {
    lead(text).filter(|(c, _)| *c == 0x200D).map(|(_, len)| len)
}

/// Length of the pictographs, joined by joiners, at the start.
fn followers(text: &str) -> usize {
    let Some(mut at) = pictograph(text) else {
        return 0;
    };
    while let Some(len) = joiner(&text[at..])
        && let Some(more) = pictograph(&text[at + len..])
    {
        at += len + more;
    }
    at
}

/// Pictographs joined by zero-width joiners; a dangling joiner spoils it all.
fn sequence(text: &str, steps: &mut usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..MAX_JOINED {
        *steps += 1;
        at += pictograph(&text[at..])?;
        if let Some((0x1F3FB..=0x1F3FF, len)) = lead(&text[at..]) {
            at += len;
        }
        match joiner(&text[at..]) {
            Some(len) => at += len,
            None => return Some(at),
        }
    }
    None
}

/// One to three emoji that make up the whole text.
pub(crate) fn big(text: &str, emoticons: bool, steps: &mut usize) -> Option<Vec<Emoji>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches(BLANK);
    *steps += text.len() - rest.len();
    while !rest.is_empty() {
        if found.len() == 3 {
            return None;
        }
        let (emoji, len) = at(rest, emoticons, steps)?;
        found.push(emoji);
        rest = rest[len..].trim_start_matches(BLANK);
        *steps += len;
    }
    (!found.is_empty()).then_some(found)
}

const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];
