//! How the routes that change, remove and find accounts are called. Nothing here changes a room of the
//! members, so that the matrix can say that nothing did.

use super::calls::Want::{Elsewhere, Names, No, Ok};
use super::calls::{At, FORBIDDEN, LACKS, LONG_AGO, NOT_ALLOWED, Row, admins, nothing, own, row};
use super::scene::Role;
use serde_json::json;

pub(super) fn profiles() -> Vec<Row> {
    let editing = No(400, "Editing user is not allowed [error-action-not-allowed]");
    let unknown = "The required \"userId\" or \"username\" param provided does not match any users \
                   [error-invalid-user]";
    let nobody = No(400, unknown);
    let no_pictures = No(400, "Pictures cannot be stored here yet [error-avatar-not-stored]");
    vec![
        admins(
            "POST users.update",
            |at| json!({"userId": at.member_id, "data": {"bio": "x"}}),
            editing,
            Names,
        )
        // The member is who is named.
        .role(Role::Member, Names),
        own("POST users.updateOwnBasicInfo", |_| json!({"data": {"bio": "x"}})),
        own("POST users.setPreferences", |_| json!({"data": {"highlights": ["x"]}})),
        admins(
            "POST users.setPreferences",
            |at| json!({"userId": at.member_id, "data": {"useEmojis": false}}),
            editing,
            Ok,
        )
        .role(Role::Member, Ok),
        own("GET users.getPreferences", nothing),
        admins(
            "POST users.setActiveStatus",
            |at| json!({"userId": at.member_id, "activeStatus": true}),
            LACKS,
            Ok,
        ),
        admins("POST users.deactivateIdle", |_| json!({"daysIdle": 1000}), LACKS, Ok),
        admins("POST users.delete", |_| json!({"username": "nobody"}), LACKS, nobody),
        own("POST users.deleteOwnAccount", |_| json!({"password": "x"})).all(NOT_ALLOWED),
        row("GET users.presence", nothing, [Names; 5]),
        own("GET users.getPresence", |at| json!({"userId": at.member_id})),
        row("GET users.listByStatus", |_| json!({"status": "active"}), [Names; 5]),
        row("GET users.autocomplete", |_| json!({"selector": "{\"term\":\"p\"}"}), [Names; 5]),
        own("GET users.checkUsernameAvailability", |at| json!({"username": at.fresh})),
        row("GET users.getUsernameSuggestion", nothing, [Names; 5]),
        row("GET users.getAvatar", |at| json!({"username": at.member}), [Elsewhere; 5])
            .nobody(Elsewhere),
        own("POST users.setAvatar", |_| json!({"avatarUrl": "http://a.example/x"}))
            .all(no_pictures),
        own("POST users.resetAvatar", nothing),
        admins("POST users.resetAvatar", |at| json!({"userId": at.member_id}), FORBIDDEN, Ok)
            .role(Role::Member, Ok),
        own("GET users.getAvatarSuggestion", nothing),
    ]
}

/// The same of roles.
pub(super) fn roles() -> Vec<Row> {
    let access = No(400, "Accessing permissions is not allowed [error-action-not-allowed]");
    let gone = No(400, "This role does not exist [error-invalid-roleId]");
    let nobody = "The required \"userId\" or \"username\" param provided does not match any users \
                  [error-invalid-user]";
    let unknown = No(400, "There is no user with this username [error-invalid-user]");
    let of_nobody = |_: &At<'_>| json!({"username": "nobody", "roleId": "guest"});
    vec![
        own("GET roles.list", nothing),
        own("GET roles.sync", |_| json!({"updatedSince": LONG_AGO})),
        admins("POST roles.create", |at| json!({"name": at.fresh}), access, Ok),
        admins(
            "POST roles.update",
            |_| json!({"roleId": "guest", "name": "guest", "description": ""}),
            access,
            Ok,
        ),
        admins("POST roles.delete", |_| json!({"roleId": "none"}), LACKS, gone),
        admins("POST roles.addUserToRole", of_nobody, access, No(400, nobody)),
        admins("POST roles.removeUserFromRole", of_nobody, LACKS, unknown),
        admins("GET roles.getUsersInRole", |_| json!({"role": "admin"}), LACKS, Ok),
    ]
}
