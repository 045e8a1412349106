//! Answers: `{"data": …}`, `{"error": "text"}` or nothing. They are written as text at once, and
//! none may be kept by a cache, because every one depends on who asks.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlance_http::json::{Dates, Object};

/// Writes one object at the end of `out`.
pub(crate) fn object(out: &mut String, write: impl FnOnce(&mut Object<'_>)) {
    let mut object = Object::new(out, Dates::Iso);
    write(&mut object);
    object.end();
}

fn whole(status: StatusCode, write: impl FnOnce(&mut Object<'_>)) -> Response {
    let mut body = String::new();
    object(&mut body, write);
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

/// A success with an object.
pub(crate) fn data(status: StatusCode, write: impl FnOnce(&mut Object<'_>)) -> Response {
    whole(status, |answer| answer.object("data", write))
}

/// A success with a list of objects, one per item.
pub(crate) fn list<T>(
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Object<'_>, T),
) -> Response {
    whole(StatusCode::OK, |answer| {
        answer.array("data", items, |out, item| object(out, |o| write(o, item)));
    })
}

/// A success with nothing to say.
pub(crate) fn nothing() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// A refusal or a failure.
pub(crate) fn error(status: StatusCode, text: &str) -> Response {
    whole(status, |answer| answer.text("error", text))
}
