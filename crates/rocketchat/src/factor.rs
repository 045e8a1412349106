//! The second factor on this face (contract sections 3.1 and 8.2): which routes want one is said in the
//! table, and asked in one place, after the permission and before the action; and switching codes by
//! mail on and off.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::wire;
use parlance_core::factor::{Ask, Freshness};
use parlance_core::{Perm, time};
use serde_json::{Value, json};

/// Asks for a second factor where the table wants one. Whoever lacks the permission is not asked: the
/// route's or method's own refusal comes first.
pub(crate) async fn require(
    call: &Call,
    (freshness, perm): (Option<Freshness>, Option<Perm>),
) -> Result<(), Failure> {
    let Some(freshness) = freshness else {
        return Ok(());
    };
    let caller = call.caller()?;
    let may = |perm: Perm| call.core().may(caller, perm);
    if perm.is_none_or(may) {
        call.core().confirm(caller, &call.client(), freshness).await?;
    }
    Ok(())
}

/// The `details` of a factor that is asked for.
pub(crate) fn details(ask: &Ask) -> Value {
    let available: Vec<&str> = ask.available.iter().map(|method| method.name()).collect();
    let mut details = json!({
        "method": ask.method.name(),
        "codeGenerated": ask.generated,
        "availableMethods": available,
    });
    if let Some(expires) = ask.expires {
        details["codeExpires"] = time::iso(expires).into();
    }
    if let Some(who) = &ask.who {
        details["emailOrUsername"] = who.as_str().into();
    }
    details
}

/// `POST users.2fa.enableEmail`.
pub(crate) async fn enable_email(call: Call) -> Answer {
    call.core().set_email_factor(call.caller()?, true).await?;
    Ok(wire::success(|_| {}))
}

/// `POST users.2fa.disableEmail`.
pub(crate) async fn disable_email(call: Call) -> Answer {
    call.core().set_email_factor(call.caller()?, false).await?;
    Ok(wire::success(|_| {}))
}

/// `POST users.2fa.sendEmailCode`: the same answer for everybody.
pub(crate) async fn send_email_code(call: Call) -> Answer {
    let who = call
        .text("emailOrUsername")
        .ok_or_else(|| Failure::coded("error-parameter-required", "emailOrUsername is required"))?;
    call.core().send_email_code(who);
    Ok(wire::success(|_| {}))
}
