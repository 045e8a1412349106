//! Methods that begin and end a session, and what somebody without one may ask for (contract sections 11.3
//! and 11.6). They are the routes of the same meaning, so they have their limits, checks and silence.

use super::Outcome;
use super::ask::Ask;
use crate::error::Failure;
use crate::session::{Begun, log_in};
use crate::{password, users};
use parlance_core::login::Client;
use parlance_core::{Core, Error, Ms};
use parlance_http::json::{Dates, Object};
use serde_json::{Map, Value};

/// When a token ends that never does: clients want a time (contract/clients 4). It is the year 9999.
const NEVER: Ms = 253_370_764_800_000;

/// `login [{resume} | {user, password} | {totp: {login, code}}]`
pub(super) async fn login(ask: Ask) -> Outcome {
    let begun = begin(ask.core(), ask.object(0)?, ask.call.client()).await?;
    Ok(shown(&begun))
}

/// Begins a session, or goes on with one, for whatever transport: the form is the method's argument.
pub(crate) async fn begin(
    core: &Core,
    form: &Map<String, Value>,
    client: Client<'_>,
) -> Result<Begun, Failure> {
    log_in(core, form, client).await.map_err(refused)
}

/// A login as its method's result.
pub(crate) fn shown(begun: &Begun) -> String {
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Ejson);
    o.text("id", begun.session.user.id.as_str());
    o.text("token", &begun.session.token);
    o.date("tokenExpires", begun.session.expires.unwrap_or(NEVER));
    o.text("type", begun.by);
    o.end();
    out
}

/// A wrong password, or a token that is over, as clients know it from this method; nobody learns from it
/// who exists.
fn refused(failure: Failure) -> Failure {
    const OVER: &str = "You've been logged out by the server. Please log in again.";
    match failure {
        Failure::Core(Error::BadCredentials) => Failure::Login(403.into(), "Incorrect password"),
        Failure::Core(Error::SessionOver) => Failure::Login(403.into(), OVER),
        other => other,
    }
}

/// `logout`
pub(super) async fn logout(ask: Ask) -> Outcome {
    ask.core().logout(ask.caller()?).await?;
    Ok(String::new())
}

/// `registerUser [{username, email, pass, name, customFields?}]`: the new account's id.
pub(super) async fn register(mut ask: Ask) -> Outcome {
    let form = ask.object(0)?.clone();
    ask.call.body = form;
    let made = users::registered(&ask.call).await?;
    Ok(Value::from(made.id.as_str()).to_string())
}

/// `sendForgotPasswordEmail [address]`: the same answer for everybody.
pub(super) async fn forgot(ask: Ask) -> Outcome {
    let body = Map::from_iter([("email".to_owned(), ask.text(0)?.into())]);
    password::forgot(ask.into_call(Map::new(), body)).await?;
    Ok("true".to_owned())
}
