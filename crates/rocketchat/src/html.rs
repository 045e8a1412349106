//! An export as a page for people: one file without scripts, links or anything from elsewhere. Whatever
//! people wrote (texts, names, ids, addresses) stands in it as text, escaped in one place.

use parlance_core::export::Export;
use parlance_core::{Message, Ms, Room, time};
use serde_json::Value;

const BEGIN: &str = concat!(
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
    "style-src 'unsafe-inline'\">\n",
    "<style>\nbody{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}\n",
    ".message{border-top:1px solid #ccc;padding:.5em 0}\n",
    ".text{white-space:pre-wrap;overflow-wrap:anywhere}\n",
    ".note{color:#666}\n.system .text{font-style:italic}\n</style>\n"
);
/// What closes the page.
pub(crate) const FOOT: &str = "</body>\n</html>\n";

/// Texts with no meaning but themselves, in elements and in quoted attributes alike.
fn text(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' | '\t' => out.push(letter),
            // What a page cannot hold.
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

/// A text in an element; its direction is its own, and reaches no further.
fn element(out: &mut String, name: &str, class: &str, inside: &str) {
    for piece in ["<", name, " class=\"", class, "\" dir=\"auto\">"] {
        out.push_str(piece);
    }
    text(out, inside);
    for piece in ["</", name, ">"] {
        out.push_str(piece);
    }
}

/// `2026-01-02 03:04:05`, in UTC.
fn date(at: Ms) -> String {
    let iso = time::iso(at);
    let (day, rest) = iso.split_once('T').unwrap_or((&iso, ""));
    format!("{day} {}", rest.split('.').next().unwrap_or(""))
}

fn names(json: &str) -> String {
    serde_json::from_str::<Vec<String>>(json).unwrap_or_default().join(", ")
}

/// Everything before the messages.
pub(crate) fn head(out: &mut String, export: &Export, room: &Room) {
    let names = names(&room.usernames);
    out.push_str(BEGIN);
    out.push_str("<title>");
    text(out, &names);
    out.push_str("</title>\n</head>\n<body>\n");
    element(out, "h1", "names", &names);
    out.push('\n');
    if let Some(topic) = &room.topic {
        element(out, "p", "topic", topic);
        out.push('\n');
    }
    let bounds = [("From", export.from), ("To", export.to)];
    let bounds = bounds.into_iter().filter_map(|(word, at)| Some((word, at?)));
    let about = bounds.fold(
        format!("Room {}. Ordered {} UTC.", room.id, date(export.asked)),
        |about, (word, at)| format!("{about} {word} {} UTC.", date(at)),
    );
    element(out, "p", "note", &about);
    out.push('\n');
}

/// What a system message says beside its text.
fn system(kind: &str) -> String {
    match kind {
        "room_changed_topic" => "changed the topic to:".to_owned(),
        "message_pinned" | "message_pinned_e2e" => "pinned a message".to_owned(),
        "rm" => "message removed".to_owned(),
        "room_e2e_enabled" => "turned encryption on".to_owned(),
        "room_e2e_disabled" => "turned encryption off".to_owned(),
        "e2e" => "encrypted message".to_owned(),
        other => other.to_owned(),
    }
}

/// One message.
pub(crate) fn message(out: &mut String, message: &Message) {
    let ordinary = message.kind.is_none();
    out.push_str(if ordinary {
        "<div class=\"message\">"
    } else {
        "<div class=\"message system\">"
    });
    out.push_str("<time>");
    out.push_str(&date(message.ts));
    out.push_str("</time> ");
    let author = &message.author;
    element(out, "b", "author", author.name.as_deref().unwrap_or(&author.username));
    element(out, "span", "note", &format!(" @{}", author.username));
    if let Some(kind) = &message.kind {
        element(out, "span", "note", &format!(" {}", system(kind)));
    }
    if let Some(root) = &message.thread {
        element(out, "span", "note", &format!(" reply in thread {root}"));
    }
    if let Some(count) = message.tcount {
        element(out, "span", "note", &format!(" thread {}, replies: {count}", message.id));
    }
    let hidden = message.kind.as_deref() == Some("e2e");
    if !message.msg.is_empty() && !hidden {
        element(out, "div", "text", &message.msg);
    }
    for title in titles(&message.body) {
        element(out, "div", "note", &format!("Attachment: {title}"));
    }
    if let Some(at) = message.edited_at {
        let by = message.edited_by.as_deref().and_then(|by| serde_json::from_str(by).ok());
        let by: Value = by.unwrap_or_default();
        let by = by["username"].as_str().map(|name| format!(" by @{name}")).unwrap_or_default();
        element(out, "div", "note", &format!("edited {} UTC{by}", date(at)));
    }
    out.push_str("</div>\n");
}

/// What a message's attachments are called: a title, else what there is to tell one by.
fn titles(body: &str) -> Vec<String> {
    if !body.contains("\"attachments\"") {
        return Vec::new();
    }
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let title = |attachment: &Value| {
        let names = ["title", "author_name", "text", "description", "image_url", "title_link"];
        let named = names.iter().find_map(|name| attachment[*name].as_str());
        named.filter(|text| !text.is_empty()).unwrap_or("without a title").to_owned()
    };
    body["attachments"].as_array().into_iter().flatten().map(title).collect()
}

#[cfg(test)]
mod tests {
    use super::{date, text};

    #[test]
    fn nothing_that_means_something_is_left() {
        let mut out = String::new();
        text(&mut out, "<a href='x' b=\"y\">&\u{1}\r\n\té");
        assert_eq!(out, "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;\u{fffd}\r\n\té");
        assert_eq!(date(1_767_323_045_678), "2026-01-02 03:04:05");
    }
}
