//! Answers to other origins. Tokens travel in headers and no credentials are sent, so `*` is safe;
//! the settings can narrow it (ruling B7).

use axum::http::{HeaderMap, HeaderValue, header};
use parlance_core::setting::{self, Settings};

/// Request headers that another origin may send.
pub const HEADERS: &str = "Origin, X-Requested-With, Content-Type, Accept, X-User-Id, \
     X-Auth-Token, x-visitor-token, Authorization, X-2fa-code, X-2fa-method, Idempotency-Key";
/// Methods that another origin may use.
pub const METHODS: &str = "GET, POST, PUT, DELETE, HEAD, PATCH";

/// The origin that may read an answer to this request, if any.
pub fn allowed(settings: &Settings, request: &HeaderMap) -> Option<HeaderValue> {
    if !settings.on(&setting::CORS) {
        return None;
    }
    let wanted = settings.text(&setting::CORS_ORIGIN);
    if wanted.trim() == "*" {
        return Some(HeaderValue::from_static("*"));
    }
    let origin = request.get(header::ORIGIN)?;
    let known = wanted.split(',').any(|one| one.trim().as_bytes() == origin.as_bytes());
    known.then(|| origin.clone())
}

/// Adds what a browser of another origin needs to read the answer.
pub fn allow(answer: &mut HeaderMap, origin: Option<HeaderValue>) {
    let Some(origin) = origin else { return };
    if origin != "*" {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
}
