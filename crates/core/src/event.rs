//! What happened, as the event log tells it: a position, a place and a name, never the content.
//! Events are rows of the change they tell of (ruling A3), so there is one exactly when the change
//! stands; whoever needs the content reads it, through the rights of its reader.

use crate::id::{RoomId, UserId};
use crate::time::Ms;

/// What kind of thing happened; `Event::reference` names the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A message was written (its id).
    MessageNew,
    /// A message changed: edit, reaction, star, pin (its id).
    MessageChanged,
    /// A message is gone (its id).
    MessageDeleted,
    /// A room was made (its id).
    RoomNew,
    /// A room changed (its id).
    RoomChanged,
    /// A room is gone with all in it (its id).
    RoomDeleted,
    /// A member's own view of a room changed (the room's id; the audience is the member).
    MemberChanged,
    /// An account was made or changed (its id).
    User,
    /// An account shows another status (its id); nobody's rights changed.
    Status,
    /// An account is called otherwise, by username or by name (its id).
    UserRenamed,
    /// An account is gone (its id).
    UserDeleted,
    /// An account has another picture, or none (its id).
    Avatar,
    /// What an account wrote, or where it is named, was rewritten behind an earlier change (its id):
    /// whoever keeps messages reads them again.
    MessagesRewritten,
    /// Sessions of a user ended (the token's hash, or empty for all of them).
    Session,
    /// Settings changed (the id).
    Settings,
    /// Permissions changed.
    Permissions,
    /// A role was made or changed, or is gone (its id).
    Roles,
    /// An account was given a role (the role's id, a space, the account's id).
    RoleGiven,
    /// A role was taken from an account (the same).
    RoleTaken,
}

impl Kind {
    const ALL: [Kind; 19] = [
        Kind::MessageNew,
        Kind::MessageChanged,
        Kind::MessageDeleted,
        Kind::RoomNew,
        Kind::RoomChanged,
        Kind::RoomDeleted,
        Kind::MemberChanged,
        Kind::User,
        Kind::Status,
        Kind::UserRenamed,
        Kind::UserDeleted,
        Kind::Avatar,
        Kind::MessagesRewritten,
        Kind::Session,
        Kind::Settings,
        Kind::Permissions,
        Kind::Roles,
        Kind::RoleGiven,
        Kind::RoleTaken,
    ];

    /// The kind's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::MessageNew => "message.new",
            Kind::MessageChanged => "message.changed",
            Kind::MessageDeleted => "message.deleted",
            Kind::RoomNew => "room.new",
            Kind::RoomChanged => "room.changed",
            Kind::RoomDeleted => "room.deleted",
            Kind::MemberChanged => "member.changed",
            Kind::User => "user",
            Kind::Status => "status",
            Kind::UserRenamed => "user.renamed",
            Kind::UserDeleted => "user.deleted",
            Kind::Avatar => "avatar",
            Kind::MessagesRewritten => "messages.rewritten",
            Kind::Session => "session",
            Kind::Settings => "settings",
            Kind::Permissions => "permissions",
            Kind::Roles => "roles",
            Kind::RoleGiven => "role.given",
            Kind::RoleTaken => "role.taken",
        }
    }

    /// The kind of this name; `None` for one that a newer version wrote.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place in the log: rising in commit order within a room.
    pub position: i64,
    /// When it was written, in milliseconds.
    pub at: Ms,
    /// What happened.
    pub kind: Kind,
    /// Where, if in a room.
    pub room: Option<RoomId>,
    /// For whom, if for one user only.
    pub audience: Option<UserId>,
    /// The name of what it happened to.
    pub reference: String,
}
