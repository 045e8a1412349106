//! The page behind the link of a forgotten password: ours, on neither contract. Looking at it does
//! nothing and tells nothing (programs that check mail open links); sending the form uses the link up.
//! The link is a secret, so the page names it nowhere, and no address is told where it came from.

use crate::{Edge, body};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use parlance_core::Error;
use parlance_core::login::Password;
use serde_json::Value;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";
const FORM: &str = "<form method=\"post\"><label>New password <input type=\"password\" \
                    name=\"password\" autocomplete=\"new-password\" required></label> \
                    <button>Change it</button></form>";

/// `GET` and `POST /reset-password/<token>`.
pub fn router(edge: Edge) -> Router {
    Router::new().route("/reset-password/{token}", get(form).post(change)).with_state(edge)
}

async fn form() -> Response {
    page(StatusCode::OK, "Choose another password.", FORM)
}

async fn change(State(edge): State<Edge>, Path(token): Path<String>, request: Request) -> Response {
    let (parts, sent) = request.into_parts();
    let text = match body::read(sent, edge.options().body_limit).await {
        Ok(bytes) => body::object(&parts.headers, &bytes),
        Err(error) => Err(error),
    };
    let password = match &text {
        Ok(form) => {
            form.get("password").and_then(Value::as_str).and_then(|p| Password::plain(p).ok())
        }
        Err(_) => None,
    };
    let Some(password) = password else {
        return page(StatusCode::BAD_REQUEST, "This password cannot be used.", FORM);
    };
    match edge.core().reset_password(&token, &password).await {
        Ok(()) => page(StatusCode::OK, "The password was changed. You can log in with it now.", ""),
        Err(Error::WeakPassword(rules)) => {
            let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
            page(StatusCode::BAD_REQUEST, &rules.join(" "), FORM)
        }
        Err(Error::ResetOver) => page(StatusCode::GONE, "This link is no longer good.", ""),
        Err(Error::SwitchedOff(_)) => page(StatusCode::FORBIDDEN, "This is switched off.", ""),
        Err(error) => {
            tracing::error!(%error, "a password was not reset");
            page(StatusCode::SERVICE_UNAVAILABLE, "This does not work now. Please try again.", FORM)
        }
    }
}

/// A page with a word to the user. Nothing in it comes from a request.
fn page(status: StatusCode, word: &str, form: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Password</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><p>{word}</p>{form}</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, html).into_response()
}
