//! What a setting takes: a value of its kind that whoever reads it can make something of. What it cannot
//! hold is refused when it is set, so that no reader meets a value that it has no answer to.

use super::{
    ACCOUNT_FIELDS, Default, EMBED_PORTS, ERASURE, Known, PREVIEW_NETWORKS, REGISTRATION,
    SMTP_PROTOCOL, UNREAD_DM, UNSAFE_QUERY, USERNAME_RULE, items,
};
use crate::network::Network;
use serde_json::Value;

/// The longest text of a setting, in bytes: some are read for every message.
const LONGEST: usize = 65_536;

/// Settings that hold one of a few words.
const CHOICES: &[(&str, &[&str])] = &[
    (ERASURE.id, &["Delete", "Unlink", "Keep"]),
    (REGISTRATION.id, &["Public", "Disabled", "Secret URL"]),
    (SMTP_PROTOCOL.id, &["smtp", "smtps"]),
    (UNREAD_DM.id, &["all_messages", "mentions_only"]),
    (UNSAFE_QUERY.id, &["on", "off", "strict"]),
    (
        "Unread_Count",
        &[
            "all_messages",
            "user_mentions_only",
            "group_mentions_only",
            "user_and_group_mentions_only",
        ],
    ),
];

/// The value as the setting holds it: `None` if it cannot.
pub(super) fn taken(known: &Known, value: &Value) -> Option<Value> {
    let value = take(known.default, value)?;
    let fine = value.as_str().is_none_or(|text| reads(known, text));
    fine.then_some(value)
}

/// The value as this kind holds it. Texts are read, because the environment knows nothing else.
fn take(kind: Default, value: &Value) -> Option<Value> {
    match (kind, value) {
        (Default::Flag(_), Value::Bool(_)) | (Default::Text(_), Value::String(_)) => {
            Some(value.clone())
        }
        (Default::Flag(_), Value::String(text)) => text.parse::<bool>().ok().map(Value::from),
        (Default::Number(_), Value::Number(n)) if n.is_i64() => Some(value.clone()),
        (Default::Number(_), Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (Default::List, Value::Array(all)) if all.iter().all(Value::is_string) => {
            Some(value.clone())
        }
        (Default::List, Value::String(text)) => {
            let list: Vec<String> = serde_json::from_str(text).ok()?;
            Some(list.into())
        }
        _ => None,
    }
}

/// Can whoever reads the setting make something of the text?
fn reads(known: &Known, text: &str) -> bool {
    if let Some((_, words)) = CHOICES.iter().find(|(id, _)| *id == known.id) {
        return words.contains(&text);
    }
    let fine = match known.id {
        id if id == USERNAME_RULE.id => is_small_regex(text),
        id if id == PREVIEW_NETWORKS.id => items(text).all(|one| one.parse::<Network>().is_ok()),
        id if id == EMBED_PORTS.id => items(text).all(|one| one.parse::<u16>().is_ok()),
        id if id == ACCOUNT_FIELDS.id => crate::custom_field::definitions(text).is_some(),
        _ => true,
    };
    fine && text.len() <= LONGEST
}

fn is_small_regex(text: &str) -> bool {
    // By itself too, so that it cannot close the group that holds it to the whole name.
    let compiles = |text: &str| regex::Regex::new(text).is_ok();
    text.len() <= 256 && compiles(text) && compiles(&format!("^(?:{text})$"))
}
