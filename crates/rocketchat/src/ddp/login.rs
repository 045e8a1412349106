//! Logging in and out on the socket (contract section 11.3): the same forms, rights and limits as over
//! REST, in the original's words.

use crate::call::Call;
use crate::error::Failure;
use crate::session;
use parlance_core::{Caller, Error, Ms};
use parlance_http::json::{Dates, Object};
use serde_json::Value;

/// What clients are told of a token that never ends, in milliseconds from now: they want a time.
const LONG: Ms = 100 * 365 * 86_400_000;

/// A session that began, or goes on.
pub(super) struct LoggedIn {
    pub(super) caller: Caller,
    pub(super) token: String,
    /// The method's result.
    pub(super) result: String,
}

/// `login [{…}]`
pub(super) async fn login(call: &Call, params: Vec<Value>) -> Result<LoggedIn, Failure> {
    let Some(Value::Object(form)) = params.into_iter().next() else {
        return Err(Error::BadCredentials.into());
    };
    let resumes = form.get("resume").is_some_and(|token| !token.is_null());
    let begun = session::log_in(call, &form, call.client()).await.map_err(in_words)?;
    let id = begun.user.id.as_str();
    let caller =
        call.core().caller(&begun.token, Some(id)).await.map_err(|e| in_words(e.into()))?;
    let mut result = String::new();
    let mut o = Object::new(&mut result, Dates::Ejson);
    o.text("id", id);
    o.text("token", &begun.token);
    o.date("tokenExpires", begun.expires.unwrap_or(call.core().clock().now() + LONG));
    o.text("type", if resumes { "resume" } else { "password" });
    o.end();
    Ok(LoggedIn { caller, token: begun.token, result })
}

/// An unknown user and a wrong password are one refusal: nothing can be learnt from the difference.
fn in_words(failure: Failure) -> Failure {
    let over = "You've been logged out by the server. Please log in again.";
    match failure {
        Failure::Core(Error::BadCredentials) => Failure::Login(403.into(), "Incorrect password"),
        Failure::Core(Error::SessionOver | Error::NotLoggedIn) => Failure::Login(403.into(), over),
        other => other,
    }
}

/// `logout []`: of nobody, too.
pub(super) async fn logout(call: &Call) -> Result<(), Failure> {
    match call.caller() {
        Ok(caller) => Ok(call.core().logout(caller).await?),
        Err(_) => Ok(()),
    }
}
