//! Tokens beside the one of a login (contract sections 8.2 and 8.4): ending other sessions, tokens that
//! a user made and named, and tokens made for users. A token is in the answer that makes it and in no
//! other, so the answers of these routes are not kept for retries (`secret` in the table).

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Kind};
use crate::{users, wire};
use parlance_core::login::NamedToken;
use parlance_core::{Error, Perm, UserId};
use parlance_http::json::{Dates, Object};
use serde_json::{Value, json};

/// `POST users.logout`: ends every session of a user, one's own without `userId`.
pub(crate) async fn logout_user(call: Call) -> Answer {
    let caller = call.caller()?;
    let id = match call.body.get("userId") {
        None => caller.id().clone(),
        Some(Value::String(id)) if !id.is_empty() => UserId::from(id.as_str()),
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    call.core().logout_user(caller, &id).await.map_err(|error| match error {
        Error::Lacks(Perm::LogoutOtherUser) => Failure::Forbidden,
        Error::NoUser => Failure::coded("error-invalid-user-id", "Invalid user id"),
        other => other.into(),
    })?;
    Ok(wire::success(|o| o.text("message", &format!("User {id} has been logged out!"))))
}

/// `POST users.logoutOtherClients`.
pub(crate) async fn logout_others(call: Call) -> Answer {
    let caller = call.caller()?;
    call.core().logout_others(caller).await?;
    Ok(wire::success(|o| {
        o.text("token", call.token());
        o.date_if("tokenExpires", caller.expires());
    }))
}

/// `POST users.removeOtherTokens`.
pub(crate) async fn remove_others(call: Call) -> Answer {
    call.core().logout_others(call.caller()?).await?;
    Ok(wire::success(|_| {}))
}

/// `POST users.createToken`.
pub(crate) async fn create(call: Call) -> Answer {
    let (core, caller) = (call.core(), call.caller()?);
    let secret = match call.body.get("secret") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.as_str()),
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    let refused = |error| match error {
        Error::NotAllowed => Failure::detailed(
            "error-not-authorized",
            "Not authorized",
            json!({"method": "createToken"}),
        ),
        other => Failure::Core(other),
    };
    // Who may not ask does not learn who exists.
    let named = users::named(&call, &call.body).await;
    let own = matches!(&named, Ok(Some(user)) if user.id == *caller.id());
    if !own && !core.may(caller, Perm::UserGenerateAccessToken) {
        return Err(refused(Error::NotAllowed));
    }
    let user = named?.ok_or_else(|| {
        Failure::coded(
            "error-user-param-not-provided",
            "The required \"userId\" or \"username\" param was not provided",
        )
    })?;
    let made = core.create_token(caller, user, secret).await.map_err(refused)?;
    Ok(wire::success(|o| {
        o.object("data", |data| {
            data.text("userId", made.user.id.as_str());
            data.text("authToken", &made.token);
        });
    }))
}

/// `tokenName` of the body, and what a missing permission is called.
fn name(call: &Call) -> Result<&str, Failure> {
    match call.body.get("tokenName") {
        Some(Value::String(name)) if !name.trim().is_empty() => Ok(name),
        None | Some(Value::Null | Value::String(_)) => {
            Err(Failure::plain("The 'tokenName' param is required"))
        }
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

fn refused(method: &'static str) -> impl Fn(Error) -> Failure {
    move |error| {
        let coded = |code, reason| Failure::detailed(code, reason, json!({ "method": method }));
        match error {
            Error::Lacks(Perm::CreatePersonalAccessTokens) => {
                coded("not-authorized", "Not Authorized")
            }
            Error::TokenExists => {
                coded("error-token-already-exists", "A token with this name already exists")
            }
            Error::NoToken => coded("error-token-does-not-exists", "Token does not exist"),
            other => other.into(),
        }
    }
}

fn lacks(call: &Call, method: &'static str) -> Result<(), Failure> {
    let admin = call.core().admin(call.caller()?, Perm::CreatePersonalAccessTokens);
    admin.map(drop).map_err(refused(method))
}

/// `POST users.generatePersonalAccessToken`.
pub(crate) async fn generate(call: Call) -> Answer {
    let token = generated(&call).await?;
    Ok(wire::success(|o| o.text("token", &token)))
}

/// The token that the body asks for.
pub(crate) async fn generated(call: &Call) -> Result<String, Failure> {
    const METHOD: &str = "personalAccessTokens:generateToken";
    lacks(call, METHOD)?;
    let name = name(call)?;
    let bypass = call.body.get("bypassTwoFactor");
    if let Some(value) = bypass {
        schema::fits(Kind::Flag, value).map_err(Failure::Schema)?;
    }
    let made = call.core().add_named_token(call.caller()?, name, schema::flag(bypass)).await;
    made.map_err(refused(METHOD))
}

/// `POST users.regeneratePersonalAccessToken`.
pub(crate) async fn regenerate(call: Call) -> Answer {
    let token = regenerated(&call).await?;
    Ok(wire::success(|o| o.text("token", &token)))
}

/// The token of the body's name, made anew.
pub(crate) async fn regenerated(call: &Call) -> Result<String, Failure> {
    const METHOD: &str = "personalAccessTokens:regenerateToken";
    lacks(call, METHOD)?;
    let made = call.core().renew_named_token(call.caller()?, name(call)?).await;
    made.map_err(refused(METHOD))
}

/// `POST users.removePersonalAccessToken`.
pub(crate) async fn remove(call: Call) -> Answer {
    const METHOD: &str = "personalAccessTokens:removeToken";
    lacks(&call, METHOD)?;
    let removed = call.core().remove_named_token(call.caller()?, name(&call)?).await;
    removed.map_err(refused(METHOD))?;
    Ok(wire::success(|_| {}))
}

/// `GET users.getPersonalAccessTokens`: never the tokens themselves.
pub(crate) async fn list(call: Call) -> Answer {
    const METHOD: &str = "personalAccessTokens:getTokens";
    let tokens = call.core().named_tokens(call.caller()?).await.map_err(refused(METHOD))?;
    Ok(wire::success(|o| o.array("tokens", &tokens, print)))
}

fn print(out: &mut String, token: &NamedToken) {
    let mut o = Object::new(out, Dates::Iso);
    o.text("name", &token.name);
    o.date("createdAt", token.created);
    o.text("lastTokenPart", &token.part);
    o.flag("bypassTwoFactor", token.bypass);
    o.end();
}
