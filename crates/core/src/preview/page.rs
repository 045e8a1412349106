//! What the head of an HTML page says of it: its title and the tags that other sites are told by, with
//! the names that the contract's server gives them. The page is a stranger's: values are cut, their
//! number and size are bounded, and an address that would run something is left out.

use encoding_rs::{Encoding, UTF_8};
use html5gum::{DefaultEmitter, HtmlString, StartTag, Token, Tokenizer};
use serde_json::{Map, Value};

/// Characters of one value.
const MOST_VALUE: usize = 1000;
/// Bytes of all values and names.
const MOST_META: usize = 8 * 1024;
/// Bytes of a tag's name.
const MOST_NAME: usize = 64;
/// Where a page that does not say its letters in a header says them, in bytes.
const MOST_PRESCAN: usize = 1024;

/// The document's `meta` (contract section 7.5): `pageTitle`, `ogTitle`, `description` and the like.
pub(super) fn meta(html: &[u8], content_type: Option<&str>) -> Map<String, Value> {
    let (text, _, _) = encoding(html, content_type).decode(html);
    let mut found = Found::default();
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut title: Option<String> = None;
    for Ok(token) in Tokenizer::new_with_emitter(&*text, emitter) {
        match token {
            Token::StartTag(tag) => match tag.name.as_slice() {
                b"title" => title = Some(String::new()),
                b"meta" => found.tag(&tag),
                b"body" => break,
                _ => {}
            },
            Token::String(text) => {
                if let Some(title) = &mut title {
                    title.push_str(&String::from_utf8_lossy(&text));
                }
            }
            Token::EndTag(tag) if tag.name.as_slice() == b"head" => break,
            Token::EndTag(tag) if tag.name.as_slice() == b"title" => {
                if let Some(title) = title.take() {
                    found.add("pageTitle".to_owned(), &title);
                }
            }
            _ => {}
        }
    }
    found.meta
}

#[derive(Default)]
struct Found {
    meta: Map<String, Value>,
    size: usize,
}

impl Found {
    fn tag(&mut self, tag: &StartTag<()>) {
        let attribute = |name: &[u8]| tag.attributes.get(name);
        let name = attribute(b"property").or_else(|| attribute(b"name"));
        let name = name.and_then(|name| key(name));
        if let (Some(name), Some(content)) = (name, attribute(b"content")) {
            self.add(name, &String::from_utf8_lossy(content));
        }
    }

    /// Adds a value; the first of a name counts.
    fn add(&mut self, name: String, value: &str) {
        let Some(value) = shown(value) else { return };
        let size = name.len() + value.len();
        if !self.meta.contains_key(&name) && self.size + size <= MOST_META {
            self.size += size;
            self.meta.insert(name, value.into());
        }
    }
}

/// A value as it is kept: in one line, without control characters, cut if it is a text. Half an
/// address is worth nothing, and one that runs something less.
fn shown(value: &str) -> Option<String> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let clean: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    // Browsers see through blanks in a scheme.
    let scheme = clean.split(':').next().unwrap_or("").replace(' ', "").to_ascii_lowercase();
    if clean.is_empty() || matches!(scheme.as_str(), "javascript" | "vbscript" | "data" | "file") {
        return None;
    }
    match clean.char_indices().nth(MOST_VALUE) {
        None => Some(clean),
        Some((end, _)) if clean.contains(' ') => Some(clean[..end].to_owned()),
        Some(_) => None,
    }
}

/// The name of a tag in the document: `og:site_name` is `ogSiteName`. `None` for a tag that clients
/// do not read.
fn key(name: &HtmlString) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?.trim();
    if name.len() > MOST_NAME || !name.is_ascii() {
        return None;
    }
    let mut key = String::with_capacity(name.len());
    let (mut starts, mut was_small) = (false, false);
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            starts = !key.is_empty();
            was_small = false;
            continue;
        }
        if starts || (was_small && c.is_ascii_uppercase()) {
            key.push(c.to_ascii_uppercase());
        } else {
            key.push(c.to_ascii_lowercase());
        }
        starts = false;
        was_small = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let family = ["og", "fb", "twitter", "oembed", "msapplication"];
    let of = |family: &&str| key.strip_prefix(*family).is_some_and(|rest| !rest.is_empty());
    let read = matches!(key.as_str(), "description" | "title") || family.iter().any(of);
    read.then_some(key)
}

/// The letters of a page: by its first bytes (which `decode` looks at), by its header, by itself.
fn encoding(html: &[u8], content_type: Option<&str>) -> &'static Encoding {
    let named = |text: &[u8]| {
        let at = text.windows(8).position(|part| part.eq_ignore_ascii_case(b"charset="))?;
        let label = text[at + 8..].trim_ascii_start();
        let label = label.strip_prefix(b"\"").or(label.strip_prefix(b"'")).unwrap_or(label);
        let end = label.iter().position(|b| b" \"';/>\t\r\n".contains(b)).unwrap_or(label.len());
        Encoding::for_label(&label[..end])
    };
    let header = content_type.and_then(|text| named(text.as_bytes()));
    // A page whose letters say that they are of two bytes has them of one.
    let inside = || named(&html[..html.len().min(MOST_PRESCAN)]).map(Encoding::output_encoding);
    header.or_else(inside).unwrap_or(UTF_8)
}

#[cfg(test)]
mod tests {
    use super::{MOST_META, MOST_VALUE, meta};
    use serde_json::{Value, json};

    fn of(html: &str) -> Value {
        meta(html.as_bytes(), Some("text/html; charset=utf-8")).into()
    }

    #[test]
    fn the_tags_that_clients_read_have_the_contracts_names() {
        let html = r#"<!doctype html><html><HEAD><title> A &amp; <b>
            B </title><meta property="og:title" content="The &quot;title&quot;">
            <meta property="og:title" content="a second one">
            <META NAME="Description" CONTENT='what it is'><meta property=og:image:width content=5>
            <meta property="og:site_name" content="Site"><meta name="twitter:image:src" content="/a">
            <meta name="msapplication-TileImage" content="t"><meta name="OG:TYPE" content="x">
            <meta name="viewport" content="width"><meta name="og" content="x"><meta name="">
            <meta charset="utf-8"><meta property="fb:app_id" content="1"><meta content="alone">
            <script>var a = '<meta property="og:video" content="no">';</script>
            </head><body><meta property="og:audio" content="late"><title>late</title>"#;
        let want = json!({"pageTitle": "A & <b> B", "ogTitle": "The \"title\"",
            "description": "what it is", "ogImageWidth": "5", "ogSiteName": "Site", "fbAppId": "1",
            "twitterImageSrc": "/a", "msapplicationTileImage": "t", "ogType": "x"});
        assert_eq!(of(html), want);
    }

    #[test]
    fn nothing_is_unbounded_and_nothing_runs() {
        let long = "x ".repeat(100_000);
        let cut = of(&format!("<title>{long}</title>"));
        assert_eq!(cut["pageTitle"].as_str().map(str::len), Some(MOST_VALUE));
        let image = format!("https://a.example/{}", "x".repeat(MOST_VALUE));
        assert_eq!(of(&format!("<meta property=og:image content='{image}'>")), json!({}));
        let many: String = (0..2000).fold(String::new(), |html, n| {
            html + &format!("<meta property='og:x{n}' content='{}'>", &long[..500])
        });
        let size: usize =
            meta(many.as_bytes(), None).iter().map(|(k, v)| k.len() + v.to_string().len()).sum();
        assert!(size <= MOST_META + 200, "{size}");
        for bad in
            ["javascript:alert(1)", " JaVa\tScript:alert(1)", "data:text/html,x", "vbscript:x"]
        {
            assert_eq!(
                of(&format!("<meta property=og:image content='{bad}'>")),
                json!({}),
                "{bad}"
            );
        }
        for odd in [
            "",
            "<",
            "<meta",
            "<meta content",
            "<title>",
            "<title></title>",
            "\0\0",
            "<!--",
            "</head",
        ] {
            assert_eq!(of(odd), json!({}), "{odd}");
        }
    }

    #[test]
    fn letters_are_read_as_the_page_says() {
        let page = |html: &[u8], kind| meta(html, Some(kind))["pageTitle"].clone();
        assert_eq!(page(b"<title>caf\xe9</title>", "text/html;charset=ISO-8859-1"), "caf\u{e9}");
        let inside = b"<meta charset='windows-1251'><title>\xcf\xf0\xe8\xe2\xe5\xf2</title>";
        assert_eq!(page(inside, "text/html"), "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}");
        let shift = b"<title>\x83e\x83X\x83g</title>";
        assert_eq!(page(shift, "text/html; charset=\"Shift_JIS\""), "\u{30c6}\u{30b9}\u{30c8}");
        // Wrong or unknown: something readable, and no harm.
        assert_eq!(page(b"<title>caf\xe9</title>", "text/html"), "caf\u{fffd}");
        assert_eq!(page(b"<title>x</title>", "text/html; charset=nonsense"), "x");
        assert_eq!(page(b"<meta charset=utf-16><title>x</title>", "text/html"), "x");
    }
}
