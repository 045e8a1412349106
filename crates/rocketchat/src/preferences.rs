//! `users.setPreferences` and `users.getPreferences` (contract sections 8.3 and 8.4): always the whole
//! table, with what the user chose laid over it.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::{Error, UserId};
use serde_json::Value;

/// `POST users.setPreferences`: one's own, or another's for who may edit others.
pub(crate) async fn set(call: Call) -> Answer {
    const FORM: Form =
        Form { required: &["data"], allowed: &[("data", Kind::Object), ("userId", Kind::Text)] };
    schema::check(&FORM, &call.body).map_err(Failure::Schema)?;
    let Some(Value::Object(data)) = call.body.get("data") else {
        return Err(Failure::Schema("must be object".to_owned()));
    };
    let user = call.body.get("userId").map(schema::text);
    if user.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::Schema("must NOT have fewer than 1 characters".to_owned()));
    }
    let user = user.map(UserId::from);
    let done = call.core().set_preferences(call.caller()?, user.as_ref(), data).await;
    let user = done.map_err(|error| match error {
        Error::Lacks(_) => {
            Failure::coded("error-action-not-allowed", "Editing user is not allowed")
        }
        Error::NoUser => {
            let text = "The optional \"userId\" param provided does not match any users";
            Failure::coded("error-invalid-user", text)
        }
        other => other.into(),
    })?;
    Ok(wire::success(|o| {
        o.object("user", |o| {
            o.text("_id", user.id.as_str());
            o.object("settings", |o| {
                o.raw("preferences", &Value::Object(user.preferences()).to_string());
            });
        });
    }))
}

/// `GET users.getPreferences`: one's own.
pub(crate) async fn get(call: Call) -> Answer {
    let user = call.core().user(call.caller()?.id()).await?;
    Ok(wire::success(|o| {
        o.raw("preferences", &Value::Object(user.preferences()).to_string());
    }))
}
