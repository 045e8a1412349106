//! Why there is no answer, as clients of this contract see it (section 3). A [`Failure`] is what a
//! handler says; whatever the core says goes through the one exhaustive match of [`core_error`], and
//! a handler that must say something else turns it before.

mod core;

pub(crate) use self::core::core_error;
use axum::http::StatusCode;
use parlance_core::error::Error;
use parlance_core::{Ms, Perm};
use parlance_http::body::BodyError;
use serde_json::{Value, json};

/// A refusal on this face.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the core said.
    Core(Error),
    /// A code with a text and details: status 400.
    Coded { code: &'static str, reason: String, details: Option<Value> },
    /// A text with a type that is not part of it: status 400.
    Typed(&'static str, &'static str),
    /// A text that is its own type: status 400.
    Sentence(String),
    /// A text alone: status 400.
    Plain(String),
    /// Nothing but `"success":false`: status 400.
    Bare,
    /// Parameters that the route's schema does not allow.
    Schema(String),
    /// A refused login: `error` and `message` of the 401.
    Login(Value, &'static str),
    /// A login that lacks a second factor, with details of what is wanted.
    LoginFactor(&'static str, &'static str, Option<Value>),
    /// 403 without saying which permission is missing.
    Forbidden,
    /// Called too often: milliseconds until a call is taken again.
    TooMany(Ms),
    /// A body over the limit.
    TooLarge,
    /// What the call names is not there: status 404, which few routes say.
    Missing,
    /// What is asked for is at this address: 307.
    Elsewhere(String),
    /// No such path, or not with this method.
    NoRoute,
    /// No such method of `method.call`.
    NoMethod(String),
    /// What a method refused, as the text that its envelope carries: status 400.
    Method(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::Broken => Self::plain("The request body could not be read."),
            BodyError::NotJson => Self::plain("The request body is not valid JSON."),
            BodyError::NotObject => Self::plain("The request body must be a JSON object."),
            BodyError::Nul => Self::plain("The request body must not contain NUL characters."),
        }
    }
}

impl Failure {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }

    pub(crate) fn coded(code: &'static str, reason: impl Into<String>) -> Self {
        Self::Coded { code, reason: reason.into(), details: None }
    }

    pub(crate) fn detailed(code: &'static str, reason: impl Into<String>, details: Value) -> Self {
        Self::Coded { code, reason: reason.into(), details: Some(details) }
    }

    /// What a person is told of it, if it is about what that person did.
    pub(crate) fn words(&self) -> Option<String> {
        match self {
            Self::Core(cause) => core_error(cause.clone()).err()?.words(),
            Self::Coded { reason, .. } => Some(reason.clone()),
            Self::Typed(_, reason) => Some((*reason).to_owned()),
            Self::Sentence(text) | Self::Plain(text) | Self::Schema(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// Status and body.
    pub(crate) fn render(self) -> (StatusCode, String) {
        let bad = StatusCode::BAD_REQUEST;
        let (status, body) = match self {
            Self::Core(error) => match core_error(error) {
                Ok(answer) => answer,
                Err(failure) => return failure.render(),
            },
            Self::Coded { code, reason, details } => (bad, coded_body(code, &reason, details)),
            Self::Typed(kind, text) => {
                (bad, json!({"success": false, "error": text, "errorType": kind}))
            }
            Self::Sentence(text) => {
                let error = format!("[{text}]");
                (bad, json!({"success": false, "error": error, "errorType": text}))
            }
            Self::Plain(text) => (bad, json!({"success": false, "error": text})),
            Self::Bare => (bad, json!({"success": false})),
            Self::Schema(text) => {
                let text = format!("{text} [invalid-params]");
                (bad, json!({"success": false, "error": text, "errorType": "invalid-params"}))
            }
            Self::Login(error, message) => (
                StatusCode::UNAUTHORIZED,
                json!({"success": false, "status": "error", "error": error, "message": message}),
            ),
            Self::LoginFactor(code, message, details) => {
                let mut body = json!({"success": false, "status": "error", "error": code,
                    "message": message});
                if let Some(details) = details {
                    body["details"] = details;
                }
                (StatusCode::UNAUTHORIZED, body)
            }
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, json!({"success": false, "error": "unauthorized"}))
            }
            Self::TooMany(wait) => (StatusCode::TOO_MANY_REQUESTS, too_many_body(wait)),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                json!({"success": false, "error": "The request body is too large.",
                    "errorType": "error-too-large"}),
            ),
            Self::Method(text) => (bad, json!({"message": text, "success": false})),
            Self::NoMethod(name) => (
                bad,
                json!({"success": false, "error": format!("Method '{name}' not found [404]")}),
            ),
            Self::Missing => {
                (StatusCode::NOT_FOUND, json!({"success": false, "error": "Resource not found"}))
            }
            Self::Elsewhere(url) => (StatusCode::TEMPORARY_REDIRECT, url.into()),
            Self::NoRoute => (
                StatusCode::NOT_FOUND,
                json!({"success": false, "error": "Not found", "status": "error",
                    "message": "API endpoint does not exist"}),
            ),
        };
        // Null stands for no body at all.
        (status, if body.is_null() { String::new() } else { body.to_string() })
    }
}

/// Whole seconds after which so many milliseconds are over.
pub(crate) fn seconds(ms: Ms) -> Ms {
    ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0)
}

fn too_many_body(wait: Ms) -> Value {
    let text = format!(
        "Error, too many requests. Please slow down. You must wait {} seconds before trying this \
         endpoint again. [error-too-many-requests]",
        seconds(wait)
    );
    json!({"success": false, "error": text})
}

fn coded_body(code: &str, reason: &str, details: Option<Value>) -> Value {
    let text = if reason.is_empty() { format!("[{code}]") } else { format!("{reason} [{code}]") };
    let mut body = json!({"success": false, "error": text, "errorType": code});
    if let Some(details) = details {
        body["details"] = details;
    }
    body
}

/// What a missing permission is called where the original's method checks it by itself.
pub(crate) fn not_authorized(method: &'static str) -> impl FnOnce(Error) -> Failure {
    move |error| match error {
        Error::Lacks(Perm::PinMessage) => {
            Failure::detailed("not-authorized", "Not Authorized", json!({"method": method}))
        }
        other => other.into(),
    }
}
