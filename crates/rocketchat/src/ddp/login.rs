//! Logging in and out on the socket (contract section 11.3): the methods of the table, but that their
//! session is the socket's.

use crate::call::Call;
use crate::error::Failure;
use crate::methods;
use parlance_core::Caller;
use serde_json::Value;

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
        return Err(Failure::Login(403.into(), "Incorrect password"));
    };
    call.count_as("login")?;
    let begun = methods::begin(call.core(), &form, call.client()).await?;
    let (token, user) = (&begun.session.token, begun.session.user.id.as_str());
    let caller = call.core().caller(token, Some(user)).await?;
    Ok(LoggedIn { caller, token: token.clone(), result: methods::shown(&begun) })
}

/// `logout []`: of nobody, too.
pub(super) async fn logout(call: &Call) -> Result<(), Failure> {
    match call.caller() {
        Ok(caller) => Ok(call.core().logout(caller).await?),
        Err(_) => Ok(()),
    }
}
