//! Logging in and out, and `me` (contract sections 8.1-8.3). Every form of a login ends in the one
//! core function; what is not a login at all is refused like a wrong one, so that nothing can be
//! learnt from the difference.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::{factor, wire};
use parlance_core::factor::Code;
use parlance_core::login::{Client, Login, NewSession, Password};
use parlance_core::{Core, Error};
use parlance_http::json::{Dates, Object};
use serde_json::{Map, Value};

/// Keys of logins by somebody else's word, which no account here has.
const PROVIDERS: &[&str] = &[
    "oauth",
    "serviceName",
    "accessToken",
    "idToken",
    "credentialToken",
    "credentialSecret",
    "saml",
    "cas",
    "ldap",
    "crowd",
    "iframe",
];

/// A login that succeeded.
pub(crate) struct Begun {
    pub(crate) session: NewSession,
    /// `resume` for a session that went on, `password` for a new one.
    pub(crate) by: &'static str,
}

/// `POST login`.
pub(crate) async fn login(call: Call) -> Answer {
    let session = log_in(call.core(), &call.body, call.client()).await?.session;
    let factors = call.core().factors(&session.user.id).await?;
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Iso);
    o.text("status", "success");
    o.object("data", |data| {
        data.text("userId", session.user.id.as_str());
        data.text("authToken", &session.token);
        data.object("me", |me| {
            let connection = call.core().connection(&session.user.id);
            let root_url = &call.edge.options().root_url;
            wire::me(me, &session.user, factors, connection, root_url);
        });
    });
    o.flag("success", true);
    o.end();
    Ok(out)
}

/// A login in any of its forms; one that wraps another with its second factor
/// (`{"totp":{"login":{…},"code":"…"}}`) is one too.
pub(crate) async fn log_in(
    core: &Core,
    body: &Map<String, Value>,
    mut client: Client<'_>,
) -> Result<Begun, Failure> {
    let mut form = body;
    if let Some(Value::Object(totp)) = body.get("totp") {
        let Some(Value::Object(inner)) = totp.get("login") else {
            return Err(Error::BadCredentials.into());
        };
        form = inner;
        client.code = code(totp).or(client.code);
    }
    if PROVIDERS.iter().any(|key| form.get(*key).is_some_and(|value| !value.is_null())) {
        let text = "This server has no such login provider";
        return Err(Failure::Login(400.into(), text));
    }
    match form.get("resume") {
        Some(Value::String(token)) => {
            return Ok(Begun { session: core.resume(token).await?, by: "resume" });
        }
        Some(value) if !value.is_null() => return Err(Error::SessionOver.into()),
        _ => {}
    }
    client.code = code(form).or(client.code);
    let who = who(form).ok_or(Error::BadCredentials)?;
    let password = form.get("password").and_then(password).ok_or(Error::BadCredentials)?;
    let session = core.login_from(who, &password, &client).await.map_err(refused)?;
    Ok(Begun { session, by: "password" })
}

/// `code`, if it is one: a client may send null.
fn code(form: &Map<String, Value>) -> Option<Code<'_>> {
    text(form, "code").map(|code| Code { method: None, code })
}

/// What a refused second factor is on a login: a 401 like any other refusal of it.
fn refused(error: Error) -> Failure {
    match error {
        Error::FactorRequired(ask) => {
            Failure::LoginFactor("totp-required", "TOTP Required", Some(factor::details(&ask)))
        }
        Error::FactorInvalid(_) => Failure::LoginFactor("totp-invalid", "TOTP Invalid", None),
        Error::FactorExhausted => {
            Failure::LoginFactor("totp-max-attempts", "TOTP Maximun Failed Attempts Reached", None)
        }
        Error::UnprovedEmail => Failure::Login("error-invalid-email".into(), "Invalid email"),
        other => other.into(),
    }
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
    let factors = call.core().factors(&user.id).await?;
    Ok(wire::success(|o| {
        let connection = call.core().connection(&user.id);
        wire::me(o, &user, factors, connection, &call.edge.options().root_url);
    }))
}
