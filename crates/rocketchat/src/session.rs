//! Logging in and out, and `me` (contract sections 8.1-8.3). Every form of a login ends in the one
//! core function; what is not a login at all is refused like a wrong one, so that nothing can be
//! learnt from the difference.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::wire;
use parlance_core::Error;
use parlance_core::login::{Login, NewSession, Password};
use parlance_http::json::{Dates, Object};
use serde_json::{Map, Value};

/// `POST login`.
pub(crate) async fn login(call: Call) -> Answer {
    let body = &call.body;
    let session = match body.get("resume") {
        Some(Value::String(token)) => call.core().resume(token).await?,
        Some(value) if !value.is_null() => return Err(Error::SessionOver.into()),
        _ => {
            let who = who(body).ok_or(Error::BadCredentials)?;
            let password = body.get("password").and_then(password).ok_or(Error::BadCredentials)?;
            call.core().login(who, &password).await?
        }
    };
    Ok(print(&call, &session))
}

fn print(call: &Call, session: &NewSession) -> String {
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Iso);
    o.text("status", "success");
    o.object("data", |data| {
        data.text("userId", session.user.id.as_str());
        data.text("authToken", &session.token);
        data.object("me", |me| {
            wire::me(me, &session.user, &call.edge.options().root_url);
        });
    });
    o.flag("success", true);
    o.end();
    out
}

/// Whom the body names: `user` as text or object, `username`, or `email`.
fn who(body: &Map<String, Value>) -> Option<Login<'_>> {
    match body.get("user") {
        Some(Value::String(_)) => return text(body, "user").map(Login::Either),
        Some(Value::Object(user)) => {
            let username = text(user, "username").map(Login::Username);
            let email = || text(user, "email").map(Login::Email);
            return username.or_else(email).or_else(|| text(user, "id").map(Login::Id));
        }
        Some(Value::Null) | None => {}
        Some(_) => return None,
    }
    text(body, "username").map(Login::Username).or_else(|| text(body, "email").map(Login::Email))
}

fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A password as text, or as its SHA-256 in either of two objects.
fn password(value: &Value) -> Option<Password> {
    match value {
        Value::String(text) => Password::plain(text).ok(),
        Value::Object(map) => {
            let named = map.get("algorithm").is_none_or(|name| name == "sha-256");
            let hex = map.get("digest").or_else(|| map.get("hashed"))?.as_str()?;
            Password::digest(hex).ok().filter(|_| named)
        }
        _ => None,
    }
}

/// `GET` and `POST logout`.
pub(crate) async fn logout(call: Call) -> Answer {
    call.core().logout(call.caller()?).await?;
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Iso);
    o.text("status", "success");
    o.object("data", |data| {
        data.text("message", "You've been logged out!");
    });
    o.flag("success", true);
    o.end();
    Ok(out)
}

/// `GET me`.
pub(crate) async fn me(call: Call) -> Answer {
    let user = call.core().user(call.caller()?.id()).await.map_err(|error| match error {
        Error::NoUser => Failure::Core(Error::NotLoggedIn),
        other => other.into(),
    })?;
    Ok(wire::success(|o| {
        wire::me(o, &user, &call.edge.options().root_url);
    }))
}
