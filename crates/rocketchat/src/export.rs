//! `rooms.export` (contract section 9.2), and how an export looks: as JSON in this contract's own shapes, or
//! as a page for people (`html.rs`). The core makes it later; this file says how each piece is written.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::{html, wire};
use parlance_core::export::{Ending, Export, Wanted, Writer};
use parlance_core::{Error, Message, Ms, Perm, Room, time};
use parlance_http::json::Dates;
use serde_json::{Map, Value};

/// Where exports are fetched.
pub(crate) const PATH: &str = "/data-export/";
const HTML: &str = "html";
const JSON: &str = "json";

const FORMS: &[Form] = &[
    Form {
        required: &["rid", "type", "format"],
        allowed: &[
            ("rid", Kind::Text),
            ("type", Kind::Word(&["file"])),
            ("format", Kind::Word(&[HTML, JSON])),
            ("dateFrom", Kind::Text),
            ("dateTo", Kind::Text),
        ],
    },
    Form {
        required: &["rid", "type", "messages"],
        allowed: &[
            ("rid", Kind::Text),
            ("type", Kind::Word(&["email"])),
            ("toUsers", Kind::List),
            ("toEmails", Kind::List),
            ("additionalEmails", Kind::Text),
            ("subject", Kind::Text),
            ("messages", Kind::List),
        ],
    },
];

/// `POST rooms.export`: a member's, with the permission `mail-messages`.
pub(crate) async fn order(call: Call) -> Answer {
    // The schema lets whatever is optional be null, which is none.
    let mut body = call.body.clone();
    body.retain(|_, value| !value.is_null());
    schema::one_of(FORMS, &body).map_err(Failure::Schema)?;
    let (core, caller) = (call.core(), call.caller()?);
    let admin = core
        .admin(caller, Perm::MailMessages)
        .map_err(|_| Failure::coded("error-action-not-allowed", "Mailing is not allowed"))?;
    let room = body.get("rid").map(schema::text).unwrap_or_default();
    let access = core.access(caller, &room).await.map_err(|error| match error {
        Error::NoRoom => Failure::coded("error-invalid-room", ""),
        Error::NoAccess => Failure::coded("error-not-allowed", "Not Allowed"),
        other => other.into(),
    })?;
    if body.contains_key("messages") {
        return Err(mail(&body));
    }
    let html = body.get("format").is_some_and(|format| format == HTML);
    let wanted = Wanted {
        format: if html { HTML } else { JSON },
        from: date(&body, "dateFrom", time::parse)?,
        to: date(&body, "dateTo", time::parse_end)?,
    };
    core.order_export(admin, &call.ip, &access, wanted).await?;
    Ok(wire::success(|_| {}))
}

/// A day, or a time; an empty text is none.
fn date(
    body: &Map<String, Value>,
    name: &str,
    read: fn(&str) -> Option<Ms>,
) -> Result<Option<Ms>, Failure> {
    let text = body.get(name).map(schema::text).filter(|text| !text.is_empty());
    let bad = || Failure::Schema("must match format \"date\"".to_owned());
    text.map(|text| read(&text).ok_or_else(bad)).transpose()
}

/// Why nothing is mailed: what is wrong with the order, or else that there is no mail.
fn mail(body: &Map<String, Value>) -> Failure {
    let none = |name: &str| body.get(name).and_then(Value::as_array).is_none_or(Vec::is_empty);
    if none("messages") {
        return Failure::Schema("must NOT have fewer than 1 items".to_owned());
    }
    if none("toUsers") && none("toEmails") {
        return Failure::coded("error-invalid-recipient", "");
    }
    Failure::coded("error-mail-not-configured", "This server sends no mail")
}

/// How this contract writes exports.
pub(crate) const WRITER: Writer = Writer { head, message, foot, word };

fn head(out: &mut String, export: &Export, room: &Room) {
    if export.format == HTML {
        return html::head(out, export, room);
    }
    out.push_str("{\"room\":");
    wire::room(out, room, Dates::Iso);
    out.push_str(",\"messages\":[");
}

fn message(out: &mut String, export: &Export, message: &Message, first: bool) {
    if export.format == HTML {
        return html::message(out, message);
    }
    if !first {
        out.push(',');
    }
    wire::message(out, message, Dates::Iso);
}

fn foot(out: &mut String, export: &Export) {
    out.push_str(if export.format == HTML { html::FOOT } else { "]}" });
}

fn word(export: &Export, ending: Ending, site: &str) -> String {
    let why = match ending {
        Ending::Ready => return format!("Your export is ready: {site}{PATH}{}", export.id),
        Ending::NoAccess => "the room is gone, or you may not export it any more.".to_owned(),
        Ending::TooLarge { max } => {
            format!("it would be larger than {max} bytes. Try a shorter range of dates.")
        }
        Ending::GivenUp => "something went wrong. Please try again.".to_owned(),
    };
    format!("Your export could not be made: {why}")
}

/// The content type and the name of an export as a file.
pub(crate) fn file(export: &Export) -> (&'static str, String) {
    let asked = time::iso(export.asked);
    let day = asked.split('T').next().unwrap_or("");
    if export.format == HTML {
        ("text/html; charset=utf-8", format!("export-{day}.html"))
    } else {
        ("application/json", format!("export-{day}.json"))
    }
}
