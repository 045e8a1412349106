//! What the core refuses, as clients of this contract see it (section 3): one exhaustive match over
//! its reasons, and one over the features that a setting or the build leaves out.

use super::{Failure, coded_body};
use crate::{factor, password};
use axum::http::StatusCode;
use parlance_core::error::{Blocked, CustomField, Error, Feature};
use parlance_core::time;
use serde_json::{Value, json};

/// What a core error is on this face: a status and a body, or another failure that renders itself.
/// No arm is a catch-all: a new reason does not compile until it is decided here.
#[expect(clippy::too_many_lines, reason = "one exhaustive match, an arm per reason")]
pub(crate) fn core_error(error: Error) -> Result<(StatusCode, Value), Failure> {
    let coded = |code, reason: &str| Err(Failure::coded(code, reason));
    let plain = |text: &str| Err(Failure::plain(text));
    match error {
        Error::NotLoggedIn => {
            let text = "You must be logged in to do this.";
            let body = json!({"success": false, "error": text, "status": "error", "message": text});
            Ok((StatusCode::UNAUTHORIZED, body))
        }
        Error::BadCredentials => Err(Failure::Login("Unauthorized".into(), "Unauthorized")),
        Error::Deactivated => {
            Err(Failure::Login("error-user-is-not-activated".into(), "User is not activated"))
        }
        Error::NoRoles => {
            Err(Failure::Login("error-user-has-no-roles".into(), "User has no roles"))
        }
        Error::AppAccount => Err(Failure::Login(
            "error-app-user-is-not-allowed-to-login".into(),
            "App user is not allowed to login",
        )),
        Error::UnprovedEmail => coded("error-invalid-email", "Invalid email"),
        Error::LoginBlocked(Blocked::User) => Err(Failure::Login(
            "error-login-blocked-for-user".into(),
            "Login has been temporarily blocked for this user",
        )),
        Error::LoginBlocked(Blocked::Address) => Err(Failure::Login(
            "error-login-blocked-for-ip".into(),
            "Login has been temporarily blocked for this address",
        )),
        Error::FactorRequired(ask) => {
            Err(Failure::detailed("totp-required", "TOTP Required", factor::details(&ask)))
        }
        Error::FactorInvalid(method) => {
            Err(Failure::detailed("totp-invalid", "TOTP Invalid", json!({"method": method.name()})))
        }
        Error::FactorExhausted => {
            coded("totp-max-attempts", "TOTP Maximun Failed Attempts Reached")
        }
        Error::FactorOn => coded("error-2fa-already-enabled", "2FA is already enabled"),
        Error::TokenExists => {
            coded("error-token-already-exists", "A token with this name already exists")
        }
        Error::NoToken => coded("error-token-does-not-exists", "Token does not exist"),
        Error::TooManyTokens => coded("error-too-many-tokens", "Too many personal access tokens"),
        Error::WeakPassword(rules) => Err(Failure::detailed(
            "error-password-policy-not-met",
            "The password does not meet the server's policy",
            password::broken(&rules),
        )),
        Error::ResetOver => coded("error-invalid-token", "The link is no longer good"),
        Error::SessionOver => Err(Failure::Login(
            403.into(),
            "You've been logged out by the server. Please log in again.",
        )),
        Error::Lacks(_) => {
            let text =
                "User does not have the permissions required for this action [error-unauthorized]";
            Ok((StatusCode::FORBIDDEN, json!({"success": false, "error": text})))
        }
        Error::NoAccess => Err(Failure::Forbidden),
        Error::NoRoom => coded("invalid-channel", ""),
        Error::NoDirectRoom(id) => Err(Failure::coded(
            "error-room-not-found",
            format!("No direct message room found by the id of: {id}"),
        )),
        Error::NotAllowed => plain("error-not-allowed"),
        Error::Blocked => plain("room_is_blocked"),
        Error::ReadOnly => plain("You can't send messages because the room is readonly."),
        Error::TooLong { .. } => Err(Failure::detailed(
            "error-message-size-exceeded",
            "Message size exceeds Message_MaxAllowedSize",
            json!({"method": "sendMessage"}),
        )),
        Error::OutOfSync { message, server } => Err(Failure::detailed(
            "error-message-ts-out-of-sync",
            "Message timestamp is out of sync",
            json!({"method": "sendMessage", "message_ts": time::iso(message),
                "server_ts": time::iso(server)}),
        )),
        Error::MentionNotAllowed(word) => Err(Failure::detailed(
            "error-action-not-allowed",
            format!("Notify {word} in this room not allowed"),
            json!({"action": format!("Notify_{word}")}),
        )),
        Error::DuplicateMessage => {
            coded("error-message-id-taken", "A message with this _id exists already")
        }
        Error::DuplicateKey => Ok((
            StatusCode::CONFLICT,
            coded_body("error-key-reused", "This key was used for another message", None),
        )),
        Error::Retried => Ok((
            StatusCode::CONFLICT,
            coded_body("error-key-in-use", "The first call with this key left no answer yet", None),
        )),
        Error::NoThread => coded("error-invalid-message", "Invalid Message"),
        Error::NoMessage => coded(
            "error-message-not-found",
            "The provided \"messageId\" does not match any existing message.",
        ),
        Error::NoPreview => coded("error-no-preview", "There is no preview of this URL"),
        Error::UnknownEmoji => coded("error-not-allowed", "Invalid emoji provided."),
        Error::SwitchedOff(feature) => Err(switched_off(feature)),
        Error::TooLate(feature) => Err(too_late(feature)),
        Error::NotSubscribed => plain("The user is not subscribed to the room"),
        Error::AlreadyClosed => plain("The direct message room, is already closed to the sender"),
        Error::NoUser => coded(
            "error-invalid-user",
            "The required \"userId\" or \"username\" param provided does not match any users",
        ),
        Error::TooManyMembers { max } => Err(Failure::detailed(
            "error-direct-message-max-user-exceeded",
            format!("You cannot add more than {max} users, including yourself to a direct message"),
            json!({"method": "createDirectRoom"}),
        )),
        Error::BadId => coded("error-invalid-id", "This id cannot be used"),
        Error::BadUsername(name) => Err(Failure::detailed(
            "error-input-is-not-a-valid-field",
            format!("{name} is not a valid username"),
            json!({"method": "insertOrUpdateUser", "input": name, "field": "Username"}),
        )),
        Error::UsernameTaken(name) | Error::EmailTaken(name) => Err(Failure::detailed(
            "error-field-unavailable",
            format!("{name} is already in use :("),
            json!({"method": "insertOrUpdateUser", "field": name}),
        )),
        Error::BadEmail(email) => Err(Failure::detailed(
            "error-invalid-email",
            format!("Invalid email {email}"),
            json!({"function": "saveUser", "email": email}),
        )),
        Error::BadName => plain("Name contains invalid characters"),
        Error::BadPassword => coded("error-invalid-password", "The password cannot be used"),
        Error::RegistrationClosed => Err(Failure::detailed(
            "error-user-registration-disabled",
            "User registration is disabled",
            json!({"method": "registerUser"}),
        )),
        Error::NoRole(_) => coded("error-invalid-role", "Invalid role"),
        Error::RoleNameTaken(_) => {
            coded("error-duplicate-role-names-not-allowed", "Role name already exists")
        }
        Error::RoleProtected => coded("error-role-protected", "Role is protected"),
        Error::RoleInUse => coded("error-role-in-use", "Cannot delete role because it's in use"),
        Error::RoleOfRooms => coded(
            "error-invalid-scope",
            "Roles of scope Subscriptions are held in a room, and direct rooms have none",
        ),
        Error::RoleHeld => coded("error-user-already-in-role", "User already in role"),
        Error::RoleNotHeld => coded("error-user-not-in-role", "User is not in this role"),
        Error::TooManyRoles => coded("error-too-many-roles", "Too many roles"),
        Error::NoPermission(_) => coded("error-invalid-permission", "Invalid permission"),
        Error::NoSetting(_) => Err(Failure::Bare),
        Error::BadSetting(id) => {
            Err(Failure::coded("error-invalid-setting-value", format!("Invalid value for {id}")))
        }
        Error::BadStatus => Err(Failure::detailed(
            "error-invalid-status",
            "Valid status types include online, away, offline, and busy.",
            json!({"method": "users.setStatus"}),
        )),
        Error::FieldTooLong { field, max } => {
            let name = if field == "bio" { "Bio" } else { "Nickname" };
            Err(Failure::detailed(
                if field == "bio" {
                    "error-bio-size-exceeded"
                } else {
                    "error-nickname-size-exceeded"
                },
                format!("{name} size exceeds {max} characters"),
                json!({"method": "saveUser"}),
            ))
        }
        Error::BadCustomField(why) => Err(Failure::detailed(
            "error-user-registration-custom-field",
            custom_field(&why),
            json!({"method": "registerUser"}),
        )),
        Error::BadPreference(text) => Err(Failure::Schema(text)),
        Error::PasswordNeeded => Err(Failure::detailed(
            "totp-required",
            "TOTP Required",
            json!({"method": "password", "codeGenerated": false, "availableMethods": []}),
        )),
        Error::PasswordWrong => {
            let details = json!({"method": "password"});
            Err(Failure::detailed("totp-invalid", "TOTP Invalid", details))
        }
        Error::LastAdmin => Err(Failure::detailed(
            "error-action-not-allowed",
            "Leaving the app without an active admin is not allowed",
            json!({"method": "removeUserFromRole", "action": "Remove_last_admin"}),
        )),
        Error::Query(error) => Err(Failure::coded(
            "error-invalid-query",
            format!("Invalid query parameter provided: {error}"),
        )),
        Error::TooBroad { field } => Err(Failure::detailed(
            "error-query-too-broad",
            format!("Too many documents would have to be read for the condition on \"{field}\""),
            json!({"field": field}),
        )),
        Error::Bad(what) => Err(Failure::coded(
            "error-invalid-params",
            format!("The \"{what}\" parameter is not valid."),
        )),
        Error::BadIdList(name) => Err(Failure::coded(
            "error-invalid-params",
            format!("The \"{name}\" parameter must be a list of ids."),
        )),
        Error::BadRange => coded("error-invalid-dates", "From date cannot be after To date"),
        Error::TooManyExports => coded(
            "error-too-many-exports",
            "Too many exports are waiting to be made. Please try again later.",
        ),
        Error::NoExport => {
            let body = json!({"success": false, "error": "Resource not found"});
            Ok((StatusCode::NOT_FOUND, body))
        }
        Error::PositionTooOld => coded("error-position-too-old", "The position is too old"),
        Error::Unaudited(cause) => {
            tracing::error!(%cause, "an audited read was not given");
            Ok((StatusCode::SERVICE_UNAVAILABLE, Value::Null))
        }
        Error::Unavailable(cause) => {
            tracing::warn!(%cause, "the store is not available");
            let text = "The server cannot take this now. Please try again.";
            let body = json!({"success": false, "error": text, "errorType": "error-unavailable"});
            Ok((StatusCode::SERVICE_UNAVAILABLE, body))
        }
        Error::Internal(cause) => {
            tracing::error!(%cause, "internal error");
            let body = json!({"success": false, "error": "Internal server error"});
            Ok((StatusCode::INTERNAL_SERVER_ERROR, body))
        }
    }
}

fn custom_field(why: &CustomField) -> String {
    match why {
        CustomField::Required(name) => format!("Field {name} is required"),
        CustomField::Invalid(name) => format!("Value for field {name} is invalid"),
        CustomField::TooLong(name, max) => format!("Max length of field {name} is {max}"),
        CustomField::TooShort(name, min) => format!("Min length of field {name} is {min}"),
    }
}

fn switched_off(feature: Feature) -> Failure {
    let action = |reason: &str, method: &str, action: &str| {
        let details = json!({"method": method, "action": action});
        Failure::detailed("error-action-not-allowed", reason, details)
    };
    let update = |reason: &str, what: &str| action(reason, "insertOrUpdateUser", what);
    match feature {
        Feature::OthersMessages => {
            Failure::coded("error-endpoint-disabled", "This endpoint is disabled")
        }
        Feature::Pinning => action("Message pinning not allowed", "pinMessage", "Message_pinning"),
        Feature::Starring => {
            action("Message starring not allowed", "starMessage", "Message_starring")
        }
        Feature::Threads => {
            Failure::detailed("error-not-allowed", "not-allowed", json!({"method": "sendMessage"}))
        }
        Feature::Status => Failure::detailed(
            "error-not-allowed",
            "Change status is not allowed",
            json!({"method": "setUserStatus"}),
        ),
        Feature::Editing => {
            action("Message editing not allowed", "updateMessage", "Message_editing")
        }
        Feature::Previews => action("Link previews are off", "getURLPreview", "API_Embed"),
        Feature::EditHistory => {
            action("Edit history is not available", "getEditHistory", "Edit_history")
        }
        Feature::Deleting => action("Not allowed", "deleteMessage", "Delete_message"),
        Feature::PasswordReset => Failure::plain("Password reset is not enabled"),
        Feature::EmailCodes => action("Codes by mail are not available", "2fa", "Email_code"),
        Feature::Invisible => Failure::detailed(
            "error-status-not-allowed",
            "Invisible status is disabled",
            json!({"method": "setUserStatus"}),
        ),
        Feature::Profile => update("Edit user profile is not allowed", "Update_user"),
        Feature::Username => update("Edit username is not allowed", "Update_user"),
        Feature::RealName => update("Edit user real name is not allowed", "Update_user"),
        Feature::Email => update("Edit user email is not allowed", "Update_user"),
        Feature::Password => update("Edit user password is not allowed", "Update_user"),
        Feature::Verification => {
            update("Editing email verification is not allowed", "Editing_user")
        }
        Feature::Avatar => Failure::detailed(
            "error-not-allowed",
            "Change avatar is not allowed",
            json!({"method": "setAvatar"}),
        ),
        Feature::OwnDeletion => Failure::detailed(
            "error-not-allowed",
            "Not allowed",
            json!({"method": "deleteUserOwnAccount"}),
        ),
    }
}

fn too_late(feature: Feature) -> Failure {
    let blocked = |code, reason: &str, method: &str| {
        Failure::detailed(code, reason, json!({ "method": method }))
    };
    match feature {
        Feature::Editing => {
            blocked("error-message-editing-blocked", "Message editing is blocked", "updateMessage")
        }
        _ => blocked(
            "error-message-deleting-blocked",
            "Message deleting is blocked",
            "deleteMessage",
        ),
    }
}
