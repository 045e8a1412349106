//! Refusals as this contract words them: `{"error": "text"}` and a status. One exhaustive match over
//! the core's reasons, so that a new one cannot be forgotten here. A room that is foreign and one
//! that is not there are the same answer to the byte (ruling C6); causes go to the log only.

use crate::answer;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlance_core::Error;
use parlance_core::error::Feature;
use parlance_http::body::BodyError;
use std::borrow::Cow;

/// Why a request is not answered with data.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The core says no.
    Core(Error),
    /// The body could not be taken.
    Body(BodyError),
    /// A member of the body that must be there is not.
    Missing(&'static str),
    /// A write that rests on a cookie, sent from another site's page.
    OtherSite,
    /// Called too often.
    TooMany,
}

impl Refusal {
    /// A part of the request that is not what the contract allows.
    pub(crate) fn invalid(what: &'static str) -> Self {
        Self::Core(Error::Bad(what))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Core(error) => {
                match &error {
                    Error::Internal(cause) => tracing::error!(%cause, "a request failed"),
                    Error::Unavailable(cause) | Error::Unaudited(cause) => {
                        tracing::warn!(%cause, "a request must be retried");
                    }
                    _ => {}
                }
                rendered(error)
            }
            Self::Body(error) => body(error),
            Self::Missing(what) => (StatusCode::BAD_REQUEST, format!("{what} is required").into()),
            Self::OtherSite => (StatusCode::FORBIDDEN, "cross-site request refused".into()),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded".into()),
        };
        let mut response = answer::error(status, &text);
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A path of this contract with a method that it does not have.
pub(crate) async fn wrong_method() -> Response {
    answer::error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}

type Rendered = (StatusCode, Cow<'static, str>);

fn body(error: BodyError) -> Rendered {
    match error {
        BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "request body too large".into()),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "the request body broke off".into()),
        BodyError::NotJson => (StatusCode::BAD_REQUEST, "invalid JSON".into()),
        BodyError::NotObject => (StatusCode::BAD_REQUEST, "a JSON object is required".into()),
        BodyError::Nul => (StatusCode::BAD_REQUEST, "NUL characters are not allowed".into()),
    }
}

#[expect(clippy::too_many_lines, reason = "one exhaustive match, an arm per reason")]
fn rendered(error: Error) -> Rendered {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
    const MISSING: StatusCode = StatusCode::NOT_FOUND;
    const CONFLICT: StatusCode = StatusCode::CONFLICT;
    match error {
        Error::NotLoggedIn | Error::SessionOver => {
            (StatusCode::UNAUTHORIZED, "unauthorized".into())
        }
        Error::BadCredentials => (StatusCode::UNAUTHORIZED, "invalid credentials".into()),
        Error::Deactivated => (FORBIDDEN, "the account is not active".into()),
        Error::NoRoles | Error::AppAccount => (FORBIDDEN, "the account may not log in".into()),
        Error::UnprovedEmail => (FORBIDDEN, "the email address is not verified".into()),
        Error::LoginBlocked(_) => {
            (StatusCode::UNAUTHORIZED, "too many failed logins, try again later".into())
        }
        Error::FactorRequired(ask) => {
            let text = format!("second factor required: send code ({})", ask.method.name());
            (StatusCode::UNAUTHORIZED, text.into())
        }
        Error::FactorInvalid(_) => (StatusCode::UNAUTHORIZED, "invalid second factor".into()),
        Error::FactorExhausted => {
            (StatusCode::UNAUTHORIZED, "too many wrong second factors, try again later".into())
        }
        Error::FactorOn => (CONFLICT, "the second factor is on already".into()),
        Error::TokenExists => (CONFLICT, "a token with this name exists".into()),
        Error::NoToken => (MISSING, "token not found".into()),
        Error::TooManyTokens => (BAD, "too many tokens".into()),
        Error::WeakPassword(_) => (BAD, "the password does not meet the server's policy".into()),
        Error::ResetOver => (StatusCode::GONE, "the link is no longer good".into()),
        Error::Lacks(_) | Error::NotAllowed => (FORBIDDEN, "forbidden".into()),
        Error::NoAccess | Error::NoRoom | Error::NoDirectRoom(_) | Error::NotSubscribed => {
            (MISSING, "channel not found".into())
        }
        Error::Blocked => (FORBIDDEN, "the conversation is blocked".into()),
        Error::ReadOnly => (FORBIDDEN, "the conversation is read-only".into()),
        Error::TooLong { max } => (BAD, format!("content exceeds {max} characters").into()),
        Error::OutOfSync { .. } => (BAD, "the time is out of sync".into()),
        Error::MentionNotAllowed(word) => {
            (FORBIDDEN, format!("@{word} is not allowed here").into())
        }
        Error::DuplicateMessage => (CONFLICT, "a message with this id exists".into()),
        Error::DuplicateKey => (CONFLICT, "clientId was used for another message".into()),
        Error::Retried => (CONFLICT, "the first call with this key left no answer yet".into()),
        Error::NoThread => (BAD, "unknown threadId".into()),
        Error::NoMessage => (MISSING, "message not found".into()),
        Error::NoPreview => (MISSING, "no preview of this URL".into()),
        Error::UnknownEmoji => (BAD, "unknown emoji".into()),
        Error::SwitchedOff(feature) => (FORBIDDEN, switched_off(feature).into()),
        Error::TooLate(_) => (FORBIDDEN, "it is too late for this".into()),
        Error::AlreadyClosed => (CONFLICT, "the conversation is closed already".into()),
        Error::NoUser => (MISSING, "user not found".into()),
        Error::TooManyMembers { max } => (BAD, format!("more than {max} members").into()),
        Error::BadId => (BAD, "invalid id".into()),
        Error::BadUsername(_) => (BAD, "invalid username".into()),
        Error::UsernameTaken(_) => (CONFLICT, "username is taken".into()),
        Error::BadEmail(_) => (BAD, "invalid email".into()),
        Error::EmailTaken(_) => (CONFLICT, "email is taken".into()),
        Error::BadName => (BAD, "invalid displayName".into()),
        Error::BadPassword => (BAD, "invalid password".into()),
        Error::RegistrationClosed => (FORBIDDEN, "registration is closed".into()),
        Error::NoRole(_) => (MISSING, "role not found".into()),
        Error::RoleNameTaken(_) => (CONFLICT, "the name of the role is taken".into()),
        Error::RoleProtected => (FORBIDDEN, "the role is protected".into()),
        Error::RoleInUse => (CONFLICT, "the role is in use".into()),
        Error::RoleOfRooms => (BAD, "the role is held in rooms".into()),
        Error::RoleHeld => (CONFLICT, "the user has the role already".into()),
        Error::RoleNotHeld => (MISSING, "the user does not have the role".into()),
        Error::TooManyRoles => (CONFLICT, "too many roles".into()),
        Error::NoPermission(_) => (MISSING, "permission not found".into()),
        Error::NoSetting(_) => (MISSING, "setting not found".into()),
        Error::BadSetting(_) => (BAD, "invalid value".into()),
        Error::BadStatus => (BAD, "invalid status".into()),
        Error::FieldTooLong { field, .. } => (BAD, format!("{field} is too long").into()),
        Error::BadCustomField(_) => (BAD, "invalid custom field".into()),
        Error::BadPreference(_) => (BAD, "invalid preference".into()),
        Error::PasswordNeeded => (FORBIDDEN, "the password is needed for this".into()),
        Error::PasswordWrong => (FORBIDDEN, "invalid password".into()),
        Error::LastAdmin => (FORBIDDEN, "no administrator would be left".into()),
        Error::Query(_) => (BAD, "invalid query".into()),
        Error::TooBroad { field } => (BAD, format!("the condition on {field} is too broad").into()),
        Error::Bad(what) | Error::BadIdList(what) => (BAD, format!("invalid {what}").into()),
        Error::BadRange => (BAD, "the range ends before it begins".into()),
        Error::TooManyExports => (CONFLICT, "too many exports are waiting".into()),
        Error::NoExport => (MISSING, "export not found".into()),
        Error::PositionTooOld => (StatusCode::GONE, "the position is too old".into()),
        Error::Unavailable(_) | Error::Unaudited(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable, try again".into())
        }
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error".into()),
    }
}

fn switched_off(feature: Feature) -> &'static str {
    match feature {
        Feature::OthersMessages => "reading the messages of others is disabled",
        Feature::Pinning => "pinning is disabled",
        Feature::Starring => "starring is disabled",
        Feature::Threads => "threads are disabled",
        Feature::Editing => "this message cannot be edited",
        Feature::EditHistory => "the edit history is not available",
        Feature::Previews => "link previews are disabled",
        Feature::Deleting => "this message cannot be deleted",
        Feature::Status => "changing the status is disabled",
        Feature::PasswordReset => "resetting passwords is disabled",
        Feature::EmailCodes => "codes by mail are not available",
        Feature::Invisible => "being invisible is disabled",
        Feature::Profile => "changing the profile is disabled",
        Feature::Username => "changing the username is disabled",
        Feature::RealName => "changing the name is disabled",
        Feature::Email | Feature::Verification => "changing the address is disabled",
        Feature::Password => "changing the password is disabled",
        Feature::Avatar => "changing the picture is disabled",
        Feature::OwnDeletion => "removing one's account is disabled",
    }
}

#[cfg(test)]
mod tests {
    use super::rendered;
    use axum::http::StatusCode;
    use parlance_core::Error;

    #[test]
    fn causes_are_not_told_and_weather_is_not_a_fault() {
        let full = rendered(Error::Unavailable("disk /data is full".into()));
        assert_eq!(full.0, StatusCode::SERVICE_UNAVAILABLE);
        let fault = rendered(Error::Internal("SELECT secret".into()));
        assert_eq!(fault.0, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!full.1.contains("disk") && !fault.1.contains("SELECT"));
    }

    #[test]
    fn foreign_and_missing_rooms_are_one_answer() {
        assert_eq!(rendered(Error::NoAccess), rendered(Error::NoRoom));
    }
}
