//! Switching accounts on and off and removing them (contract sections 6.3 and 8.4). No room here has an
//! owner, so `confirmRelinquish` is read and confirms nothing.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::{users, wire};
use parlance_core::account::Authority;
use parlance_core::{Admin, Error, Perm, UserId};
use serde_json::{Value, json};

/// Who may switch accounts on and off.
fn may_switch(call: &Call) -> Result<Admin<'_>, Failure> {
    let (core, caller) = (call.core(), call.caller()?);
    let either = core
        .admin(caller, Perm::ManageModerationActions)
        .or_else(|_| core.admin(caller, Perm::EditOtherUserActiveStatus))?;
    Ok(either)
}

/// `POST users.setActiveStatus`.
pub(crate) async fn set_active(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["userId", "activeStatus"],
        allowed: &[
            ("userId", Kind::Text),
            ("activeStatus", Kind::Flag),
            ("confirmRelinquish", Kind::Flag),
        ],
    };
    let admin = may_switch(&call)?;
    schema::check(&FORM, &call.body).map_err(Failure::Schema)?;
    let id = UserId::from(call.body.get("userId").map(schema::text).unwrap_or_default());
    let active = schema::flag(call.body.get("activeStatus"));
    call.core().set_active(Authority::Admin(admin), &id, active).await?;
    Ok(wire::success(|o| {
        o.object("user", |o| {
            o.text("_id", id.as_str());
            o.flag("active", active);
        });
    }))
}

/// `POST users.deactivateIdle`.
pub(crate) async fn deactivate_idle(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["daysIdle"],
        allowed: &[("daysIdle", Kind::Count), ("role", Kind::Text)],
    };
    let admin = call.core().admin(call.caller()?, Perm::EditOtherUserActiveStatus)?;
    schema::check(&FORM, &call.body).map_err(Failure::Schema)?;
    let days = call.body.get("daysIdle").map(schema::text).unwrap_or_default();
    let days = days.parse::<i64>().ok().filter(|days| *days >= 1);
    let days = days.ok_or_else(|| Failure::Schema("must be >= 1".to_owned()))?;
    let role = call.text("role").unwrap_or("user");
    let count = call.core().deactivate_idle(admin, days, role).await?;
    Ok(wire::success(|o| o.number("count", count)))
}

/// What a removal says where nobody would be left to administer.
fn not_removed(error: Error) -> Failure {
    match error {
        Error::LastAdmin => Failure::detailed(
            "error-action-not-allowed",
            "Leaving the app without admins is not allowed",
            json!({"method": "deleteUser", "action": "Remove_last_admin"}),
        ),
        Error::NotAllowed => {
            Failure::detailed("error-not-allowed", "Not allowed", json!({"method": "deleteUser"}))
        }
        other => other.into(),
    }
}

fn confirms(call: &Call) -> Result<(), Failure> {
    call.body
        .get("confirmRelinquish")
        .map_or(Ok(()), |value| schema::fits(Kind::Flag, value).map_err(Failure::Schema))
}

/// `POST users.delete`.
pub(crate) async fn delete(call: Call) -> Answer {
    let admin = call.core().admin(call.caller()?, Perm::DeleteUser)?;
    confirms(&call)?;
    let user = users::named(&call, &call.body).await?.ok_or_else(no_param)?;
    call.core().delete_user(admin, &user.id).await.map_err(not_removed)?;
    Ok(wire::success(|_| {}))
}

pub(crate) fn no_param() -> Failure {
    let text = "The required \"userId\" or \"username\" param was not provided";
    Failure::coded("error-user-param-not-provided", text)
}

/// `POST users.deleteOwnAccount`.
pub(crate) async fn delete_own(call: Call) -> Answer {
    confirms(&call)?;
    let proof = match call.body.get("password") {
        Some(Value::String(text)) if !text.is_empty() => text,
        None | Some(Value::Null | Value::String(_)) => {
            return Err(Failure::plain("Body parameter \"password\" is required."));
        }
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    let done = call.core().delete_own_account(call.caller()?, proof).await;
    done.map_err(|error| match error {
        Error::PasswordWrong => Failure::detailed(
            "error-invalid-password",
            "Invalid password",
            json!({"method": "deleteUserOwnAccount"}),
        ),
        other => not_removed(other),
    })?;
    Ok(wire::success(|_| {}))
}
