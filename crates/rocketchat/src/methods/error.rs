//! Refusals as methods say them (contract section 11.2): code, reason and details of the original's
//! errors, out of the same failures that routes render.

use crate::error::{Failure, core_error, seconds};
use serde_json::{Value, json};

/// A refusal. What has no code is its own.
pub(crate) fn error(failure: Failure) -> Value {
    let internal = || (500.into(), "Internal server error".to_owned(), None);
    let text = |text: &str| (Value::from(text), text.to_owned(), None);
    let (code, reason, details) = match failure {
        Failure::Coded { code, reason, details } => (code.into(), reason, details),
        Failure::Typed(kind, reason) => (kind.into(), reason.to_owned(), None),
        Failure::NoMethod(name) => (404.into(), format!("Method '{name}' not found"), None),
        Failure::Plain(plain) if plain.starts_with("Match error") => {
            (400.into(), "Match failed".to_owned(), None)
        }
        Failure::Plain(plain) | Failure::Sentence(plain) => text(&plain),
        Failure::Schema(reason) => ("invalid-params".into(), reason, None),
        Failure::Login(code, reason) => (code, reason.to_owned(), None),
        Failure::LoginFactor(code, reason, details) => (code.into(), reason.to_owned(), details),
        Failure::Forbidden => ("error-not-allowed".into(), "Not allowed".to_owned(), None),
        Failure::TooMany(wait) => (
            "too-many-requests".into(),
            format!(
                "Error, too many requests. Please slow down. You must wait {} seconds before \
                 trying again.",
                seconds(wait)
            ),
            Some(json!({"timeToReset": wait})),
        ),
        Failure::Core(cause) => match core_error(cause) {
            Err(failure) => return error(failure),
            Ok((status, body)) if status.is_client_error() => {
                text(body["errorType"].as_str().or(body["error"].as_str()).unwrap_or(""))
            }
            Ok(_) => internal(),
        },
        Failure::Missing => (404.into(), "Resource not found".to_owned(), None),
        Failure::Bare
        | Failure::TooLarge
        | Failure::NoRoute
        | Failure::Method(_)
        | Failure::Elsewhere(_) => internal(),
    };
    let shown = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
    let message = if reason.is_empty() || reason == shown {
        format!("[{shown}]")
    } else {
        format!("{reason} [{shown}]")
    };
    let mut error = json!({"isClientSafe": true, "error": code, "reason": reason,
        "message": message, "errorType": "Meteor.Error"});
    if let Some(details) = details {
        error["details"] = details;
    }
    error
}
