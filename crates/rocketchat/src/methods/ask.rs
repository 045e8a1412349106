//! A method's arguments, read: each by its place, as the original's `check` would take it. More arguments
//! than a method has are ignored, because clients send some (contract/clients 33).

use crate::call::Call;
use crate::error::Failure;
use parlance_core::{Access, Caller, Core, Error, Ms, Perm, setting};
use parlance_http::limit::{Who, Window};
use serde_json::{Map, Value};

/// One call of a method.
pub(super) struct Ask {
    /// The request it came in; its body is empty.
    pub(super) call: Call,
    /// The method's name.
    pub(super) method: &'static str,
    params: Vec<Value>,
}

/// An argument of another type than the method takes.
pub(super) fn mismatch() -> Failure {
    Failure::plain("Match error: Match failed")
}

impl Ask {
    pub(super) fn new(call: Call, method: &'static str, params: Vec<Value>) -> Self {
        Self { call, method, params }
    }

    pub(super) fn core(&self) -> &Core {
        self.call.core()
    }

    pub(super) fn caller(&self) -> Result<&Caller, Failure> {
        self.call.caller()
    }

    /// The address that the call comes from.
    pub(super) fn ip(&self) -> &str {
        &self.call.ip
    }

    /// Refuses what comes too often from who may not send many messages (contract section 3.3).
    pub(super) fn seldom(&self, window: Window) -> Result<(), Failure> {
        let (core, caller) = (self.core(), self.caller()?);
        let off = !self.call.settings.on(&setting::RATE_LIMIT);
        if off || core.may(caller, Perm::SendManyMessages) {
            return Ok(());
        }
        let (who, now) = (Who::User(caller.id().clone()), core.clock().now());
        let standing = self.call.edge.limits().count(who, (self.method, false), window, now);
        standing.wait.map_or(Ok(()), |wait| Err(Failure::TooMany(wait)))
    }

    /// An argument; null is none.
    pub(super) fn param(&self, n: usize) -> Option<&Value> {
        self.params.get(n).filter(|value| !value.is_null())
    }

    /// A text that must be there.
    pub(super) fn text(&self, n: usize) -> Result<&str, Failure> {
        self.text_if(n)?.ok_or_else(mismatch)
    }

    /// A text, if there is one.
    pub(super) fn text_if(&self, n: usize) -> Result<Option<&str>, Failure> {
        self.param(n).map(|value| value.as_str().ok_or_else(mismatch)).transpose()
    }

    /// All arguments, each a text.
    pub(super) fn texts(&self) -> Result<Vec<&str>, Failure> {
        self.params.iter().map(|value| value.as_str().ok_or_else(mismatch)).collect()
    }

    /// A flag; `usual` where there is none.
    pub(super) fn flag(&self, n: usize, usual: bool) -> Result<bool, Failure> {
        let flag = self.param(n).map(|value| value.as_bool().ok_or_else(mismatch));
        flag.unwrap_or(Ok(usual))
    }

    /// How many; `usual` where there is none, a hundred at most.
    pub(super) fn count(&self, n: usize, usual: i64) -> Result<i64, Failure> {
        self.param(n).map_or(Ok(usual), |value| number(Some(value), usual))
    }

    /// A time, if there is one; `{"$date":null}` is none.
    pub(super) fn time(&self, n: usize) -> Result<Option<Ms>, Failure> {
        time(self.param(n))
    }

    /// An object that must be there.
    pub(super) fn object(&self, n: usize) -> Result<&Map<String, Value>, Failure> {
        self.param(n).and_then(Value::as_object).ok_or_else(mismatch)
    }

    /// The id of a message, in an object's `_id`.
    pub(super) fn id(&self, n: usize) -> Result<&str, Failure> {
        text(self.object(n)?, "_id")?.ok_or_else(mismatch)
    }

    /// An argument put where the route of the same meaning has it.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.call.body.insert(name.to_owned(), value);
    }

    /// The call as the route of the same meaning gets it.
    pub(super) fn into_call(mut self, query: Map<String, Value>, body: Map<String, Value>) -> Call {
        self.call.query = query;
        self.call.body = body;
        self.call
    }

    /// Takes an argument out.
    pub(super) fn take(&mut self, n: usize) -> Option<Value> {
        self.params.get_mut(n).map(Value::take).filter(|value| !value.is_null())
    }

    /// Access to a room of the caller's; any other is one of these refusals.
    pub(super) async fn room(&self, id: &str) -> Result<Access, Failure> {
        self.core().access(self.caller()?, id).await.map_err(|error| match error {
            Error::NoRoom | Error::NoAccess | Error::NotAllowed => self.refused(),
            other => other.into(),
        })
    }

    /// What every method says of a room that is not the caller's.
    pub(super) fn refused(&self) -> Failure {
        let details = serde_json::json!({"method": self.method});
        Failure::detailed("error-not-allowed", "Not allowed", details)
    }
}

/// A text in an object; null is none.
pub(super) fn text<'a>(
    map: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    let value = map.get(name).filter(|value| !value.is_null());
    value.map(|value| value.as_str().ok_or_else(mismatch)).transpose()
}

/// A number of items in an object, a hundred at most.
pub(super) fn number(value: Option<&Value>, usual: i64) -> Result<i64, Failure> {
    const MOST: f64 = 100.0;
    match value.filter(|value| !value.is_null()) {
        None => Ok(usual),
        #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
        Some(value) => {
            let number = value.as_f64().ok_or_else(mismatch)?;
            Ok(if number <= 0.0 { usual } else { number.clamp(1.0, MOST) as i64 })
        }
    }
}

/// A place in a list in an object: not negative.
pub(super) fn offset(value: Option<&Value>) -> Result<i64, Failure> {
    match value.filter(|value| !value.is_null()) {
        None => Ok(0),
        Some(value) => value.as_i64().filter(|n| *n >= 0).ok_or_else(mismatch),
    }
}

/// A time in EJSON or ISO form; null inside is none.
pub(super) fn time(value: Option<&Value>) -> Result<Option<Ms>, Failure> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) if map.get("$date").is_some_and(Value::is_null) => Ok(None),
        Some(value) => Call::time(value).map(Some).ok_or_else(mismatch),
    }
}
