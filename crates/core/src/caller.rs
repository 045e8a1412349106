//! Who calls, and what they may: a right is a value. A face gets a [`Caller`] only for a live
//! token, and an [`Admin`] only from a caller whose roles hold the permission, so that a function
//! that takes `Admin` needs no check of its own. Permissions are granted to roles (contract 13.1)
//! and looked up in a snapshot that a change replaces at once.

use crate::Core;
use crate::account::User;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::time::Ms;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Someone with a live token.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) user: Arc<User>,
    pub(crate) token_hash: Arc<str>,
    /// When the token ends; `None` for never.
    pub(crate) expires: Option<Ms>,
}

impl Caller {
    /// The caller's account, as of the last change to it.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The caller's id.
    pub fn id(&self) -> &UserId {
        &self.user.id
    }

    /// When the caller's token ends; `None` for never.
    pub fn expires(&self) -> Option<Ms> {
        self.expires
    }
}

/// Proof that a caller holds the permission it was made for.
#[derive(Clone, Copy, Debug)]
pub struct Admin<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) perm: Perm,
}

impl Admin<'_> {
    /// A function checks that the proof is for what it does.
    pub(crate) fn holds(&self, perm: Perm) -> Result<()> {
        if self.perm == perm { Ok(()) } else { Err(Error::Lacks(perm)) }
    }
}

macro_rules! perms {
    ($($name:ident $id:literal [$($role:literal)*];)*) => {
        /// A permission (contract section 13.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Perm {
            $(#[doc = concat!("`", $id, "`")] $name,)*
        }

        impl Perm {
            /// Every permission, in the order of their ids.
            pub const ALL: &'static [Perm] = &[$(Perm::$name,)*];

            /// The id on the wire.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The roles that hold it until somebody changes that.
            pub const fn default_roles(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($role,)*],)* }
            }
        }
    };
}

perms! {
    AccessPermissions "access-permissions" ["admin"];
    BypassRateLimit "api-bypass-rate-limit" ["admin" "bot" "app"];
    AssignAdminRole "assign-admin-role" ["admin"];
    AssignRoles "assign-roles" ["admin"];
    BypassTimeLimit "bypass-time-limit-edit-and-delete" ["bot" "app"];
    CleanChannelHistory "clean-channel-history" ["admin"];
    CreateC "create-c" ["admin" "user" "bot" "app"];
    CreateD "create-d" ["admin" "user" "bot" "app"];
    CreateP "create-p" ["admin" "user" "bot" "app"];
    CreatePersonalAccessTokens "create-personal-access-tokens" ["admin" "user"];
    CreateUser "create-user" ["admin"];
    DeleteD "delete-d" ["admin"];
    DeleteMessage "delete-message" ["admin" "owner" "moderator"];
    DeleteOwnMessage "delete-own-message" ["admin" "user"];
    DeleteUser "delete-user" ["admin"];
    EditMessage "edit-message" ["admin" "owner" "moderator"];
    EditOtherUserActiveStatus "edit-other-user-active-status" ["admin"];
    EditOtherUserAvatar "edit-other-user-avatar" ["admin"];
    EditOtherUserInfo "edit-other-user-info" ["admin"];
    EditOtherUserPassword "edit-other-user-password" ["admin"];
    EditPrivilegedSetting "edit-privileged-setting" ["admin"];
    EditRoom "edit-room" ["admin" "owner" "moderator"];
    ForceDeleteMessage "force-delete-message" ["admin" "owner"];
    LogoutOtherUser "logout-other-user" ["admin"];
    MailMessages "mail-messages" ["admin"];
    ManageCloud "manage-cloud" ["admin"];
    ManageModerationActions "manage-moderation-actions" ["admin"];
    MentionAll "mention-all" ["admin" "owner" "moderator" "user"];
    MentionHere "mention-here" ["admin" "owner" "moderator" "user"];
    MessageImpersonate "message-impersonate" ["bot" "app"];
    MobileUploadFile "mobile-upload-file" ["user" "admin"];
    MuteUser "mute-user" ["admin" "owner" "moderator"];
    PinMessage "pin-message" ["owner" "moderator" "admin"];
    PostReadonly "post-readonly" ["admin" "owner" "moderator"];
    PreviewCRoom "preview-c-room" ["admin" "user" "anonymous"];
    SendManyMessages "send-many-messages" ["admin" "bot" "app"];
    TestPushNotifications "test-push-notifications" ["user" "admin"];
    UserGenerateAccessToken "user-generate-access-token" ["admin"];
    ViewDRoom "view-d-room" ["admin" "user" "bot" "app" "guest"];
    ViewFullOtherUserInfo "view-full-other-user-info" ["admin"];
    ViewHistory "view-history" ["admin" "user" "anonymous"];
    ViewJoinedRoom "view-joined-room" ["guest" "bot" "app" "anonymous"];
    ViewOutsideRoom "view-outside-room" ["admin" "owner" "moderator" "user"];
    ViewPrivilegedSetting "view-privileged-setting" ["admin"];
    ViewRoomAdministration "view-room-administration" ["admin"];
    ViewStatistics "view-statistics" ["admin"];
}

/// One permission as it stands.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Which.
    pub perm: Perm,
    /// The roles that hold it.
    pub roles: Arc<[String]>,
    /// When that was last changed; the server's first start if never.
    pub updated: Ms,
}

/// A snapshot of who holds what.
#[derive(Debug)]
pub(crate) struct Permissions(Vec<Grant>);

impl Permissions {
    pub(crate) fn new(changed: &BTreeMap<String, (Vec<String>, Ms)>, born: Ms) -> Self {
        let grant = |perm: &Perm| {
            let (roles, updated) = changed.get(perm.id()).cloned().unwrap_or_else(|| {
                (perm.default_roles().iter().map(|&role| role.to_owned()).collect(), born)
            });
            Grant { perm: *perm, roles: roles.into(), updated }
        };
        Self(Perm::ALL.iter().map(grant).collect())
    }

    pub(crate) fn grants(&self) -> &[Grant] {
        &self.0
    }

    fn holds(&self, user: &User, perm: Perm) -> bool {
        self.0.get(perm as usize).is_some_and(|grant| {
            grant.roles.iter().any(|role| user.roles.iter().any(|mine| mine == role))
        })
    }
}

impl Core {
    /// Does the caller hold the permission now?
    pub fn may(&self, caller: &Caller, perm: Perm) -> bool {
        self.holds(&caller.user, perm)
    }

    /// Does an account hold the permission now, whoever calls?
    pub(crate) fn holds(&self, user: &User, perm: Perm) -> bool {
        self.permissions().holds(user, perm)
    }

    /// Proof that the caller holds the permission, or [`Error::Lacks`].
    pub fn admin<'a>(&self, caller: &'a Caller, perm: Perm) -> Result<Admin<'a>> {
        if self.may(caller, perm) { Ok(Admin { caller, perm }) } else { Err(Error::Lacks(perm)) }
    }

    /// May the account use direct rooms at all (contract section 5, "Access")?
    pub(crate) fn may_read_rooms(&self, user: &User) -> bool {
        self.holds(user, Perm::ViewDRoom) || self.holds(user, Perm::ViewJoinedRoom)
    }

    /// Every permission and who holds it.
    pub fn grants(&self) -> Vec<Grant> {
        self.permissions().grants().to_vec()
    }

    /// Gives permissions to roles, all of them or none.
    pub async fn set_grants(
        &self,
        admin: Admin<'_>,
        grants: &[(String, Vec<String>)],
    ) -> Result<()> {
        admin.holds(Perm::AccessPermissions)?;
        for (id, roles) in grants {
            if !Perm::ALL.iter().any(|perm| perm.id() == id) {
                return Err(Error::NoPermission(id.clone()));
            }
            self.check_role_ids(roles)?;
        }
        self.save_grants(grants).await
    }
}

#[cfg(test)]
mod tests {
    use super::Perm;
    use crate::role::is_built_in;

    #[test]
    fn the_table_is_in_order_and_names_known_roles() {
        assert!(Perm::ALL.is_sorted_by_key(|perm| perm.id()));
        for perm in Perm::ALL {
            for role in perm.default_roles() {
                assert!(is_built_in(role), "{role}");
            }
        }
    }
}
