//! Server settings that clients and administrators read (contract section 13.2): one table of ids,
//! defaults and kinds, and a snapshot of what was changed. A setting that no feature reads yet is in
//! the table all the same, because clients ask for it by name; the snapshot is replaced as a whole
//! when one changes, so a reader never sees half a change.

use crate::Core;
use crate::caller::{Admin, Perm};
use crate::error::{Error, Result};
use crate::time::Ms;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a setting holds until somebody changes it; its kind is what it may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// On or off.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(&'static str),
    /// A list of texts, empty at first.
    List,
}

impl Default {
    fn value(self) -> Value {
        match self {
            Self::Flag(v) => v.into(),
            Self::Number(v) => v.into(),
            Self::Text(v) => v.into(),
            Self::List => Value::Array(Vec::new()),
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The id on the wire.
    pub id: &'static str,
    /// Kind and first value.
    pub default: Default,
    /// May anyone read it (`settings.public`)?
    pub public: bool,
}

impl Known {
    /// Is what it holds a secret, shown to nobody? Told by the name too, so that no new one is forgotten.
    pub fn is_secret(&self) -> bool {
        let last = self.id.rsplit('_').next().unwrap_or_default().to_ascii_lowercase();
        let named = ["password", "secret", "token", "key"].iter().any(|word| last.ends_with(word));
        accounts::SECRET.contains(&self.id) || (named && matches!(self.default, Default::Text(_)))
    }
}

const fn flag(id: &'static str, value: bool, public: bool) -> Known {
    Known { id, default: Default::Flag(value), public }
}
const fn number(id: &'static str, value: i64, public: bool) -> Known {
    Known { id, default: Default::Number(value), public }
}
const fn text(id: &'static str, value: &'static str, public: bool) -> Known {
    Known { id, default: Default::Text(value), public }
}

macro_rules! known {
    ($($name:ident = $make:ident($id:literal, $value:literal, $public:literal);)*) => {
        $(#[doc = concat!("`", $id, "`")] pub const $name: Known = $make($id, $value, $public);)*
        pub(super) const NAMED: &[Known] = &[$($name,)*];
    };
}

mod accounts;
mod ours;
mod sockets;
mod value;
pub use accounts::*;
pub use ours::*;
pub use sockets::*;

// The settings that a feature reads, by name.
known! {
    UPPER_COUNT = number("API_Upper_Count_Limit", 100, false);
    DEFAULT_COUNT = number("API_Default_Count", 50, false);
    INFINITE_COUNT = flag("API_Allow_Infinite_Count", true, false);
    DM_HISTORY = flag("API_Enable_Direct_Message_History_EndPoint", false, false);
    CORS = flag("API_Enable_CORS", true, false);
    CORS_ORIGIN = text("API_CORS_Origin", "*", false);
    PINNING = flag("Message_AllowPinning", true, true);
    STARRING = flag("Message_AllowStarring", true, true);
    SELF_DM = flag("Message_AllowDirectMessagesToYourself", true, true);
    MAX_SIZE = number("Message_MaxAllowedSize", 5000, true);
    MAX_ALL = number("Message_MaxAll", 0, true);
    MAX_MEMBERS = number("DirectMesssage_maxUsers", 8, true);
    THREADS = flag("Threads_enabled", true, true);
    CUSTOM_FIELDS = flag("Message_CustomFields_Enabled", false, false);
    BAD_WORDS = flag("Message_AllowBadWordsFilter", false, false);
    BAD_WORDS_LIST = text("Message_BadWordsFilterList", "", false);
    BAD_WORDS_ALLOWED = text("Message_BadWordsWhitelist", "", false);
    STORE_LAST = flag("Store_Last_Message", true, true);
    UNREAD_DM = text("Unread_Count_DM", "all_messages", true);
    USERNAME_RULE = text("UTF8_User_Names_Validation", "[0-9a-zA-Z-_.]+", true);
    COLORS = flag("HexColorPreview_Enabled", true, true);
    KATEX = flag("Katex_Enabled", true, true);
    KATEX_PARENTHESIS = flag("Katex_Parenthesis_Syntax", true, true);
    KATEX_DOLLAR = flag("Katex_Dollar_Syntax", false, true);
    CUSTOM_DOMAINS = text("Message_CustomDomain_AutoLink", "", true);
    ALLOW_EDITING = flag("Message_AllowEditing", true, true);
    EDIT_MINUTES = number("Message_AllowEditing_BlockEditInMinutes", 0, true);
    ALLOW_DELETING = flag("Message_AllowDeleting", true, true);
    DELETE_MINUTES = number("Message_AllowDeleting_BlockDeleteInMinutes", 0, true);
    SHOW_DELETED = flag("Message_ShowDeletedStatus", false, true);
    KEEP_HISTORY = flag("Message_KeepHistory", false, true);
    READ_RECEIPTS = flag("Message_Read_Receipt_Enabled", false, true);
    SEARCH_BY_REGEX = flag("Message_AlwaysSearchRegExp", false, false);
    LOGIN_DAYS = number("Accounts_LoginExpiration", 90, true);
    REGISTRATION = text("Accounts_RegistrationForm", "Public", true);
    MANUAL_APPROVAL = flag("Accounts_ManuallyApproveNewUsers", false, true);
    INVISIBLE = flag("Accounts_AllowInvisibleStatusOption", true, true);
    STATUS_MESSAGE = flag("Accounts_AllowUserStatusMessageChange", true, true);
    BLOCKED_NAMES = text("Accounts_BlockedUsernameList", "", false);
    RESERVED_NAMES = text("Accounts_SystemBlockedUsernameList", "admin,administrator,system,user", false);
    ERASURE = text("Message_ErasureType", "Delete", true);
    PRESENCE_OFF = flag("Presence_broadcast_disabled", false, true);
    LIST_NEEDS_OUTSIDE = flag("API_Apply_permission_view-outside-room_on_users-list", false, false);
    SEARCH_FIELDS = text("Accounts_SearchFields", "username, name, bio, nickname", true);
    SUGGESTIONS = number("Number_of_users_autocomplete_suggestions", 5, true);
    RATE_LIMIT = flag("API_Enable_Rate_Limiter", true, false);
    RATE_CALLS = number("API_Enable_Rate_Limiter_Limit_Calls_Default", 1200, false);
    RATE_TIME = number("API_Enable_Rate_Limiter_Limit_Time_Default", 60_000, false);
    RATE_REGISTER = number("Rate_Limiter_Limit_RegisterUser", 1, false);
    REAL_NAMES = flag("UI_Use_Real_Name", false, true);
    SITE_NAME = text("Site_Name", "Parlance", true);
    SITE_URL = text("Site_Url", "http://localhost:3000", true);
    EMBED = flag("API_Embed", true, true);
    EMBED_IGNORED_HOSTS = text("API_EmbedIgnoredHosts", "localhost, 127.0.0.1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16", false);
    EMBED_PORTS = text("API_EmbedSafePorts", "80, 443", false);
    QUOTE_CHAIN = number("Message_QuoteChainLimit", 2, true);
}

/// `Hide_System_Messages`
pub const HIDDEN_KINDS: Known =
    Known { id: "Hide_System_Messages", default: Default::List, public: true };

// The rest: read by clients, or by features that are not here yet.
const OTHERS: &[Known] = &[
    HIDDEN_KINDS,
    flag("API_Enable_Rate_Limiter_Dev", true, false),
    flag("API_Use_REST_For_DDP_Calls", true, true),
    number("Message_GroupingPeriod", 300, true),
    text("Unread_Count", "user_and_group_mentions_only", true),
    flag("FileUpload_Enabled", true, true),
    flag("FileUpload_Enabled_Direct", true, true),
    number("FileUpload_MaxFileSize", 104_857_600, true),
    text("FileUpload_MediaTypeWhiteList", "", true),
    text("FileUpload_MediaTypeBlackList", "image/svg+xml", true),
    flag("FileUpload_ProtectFiles", true, true),
    flag("FileUpload_Restrict_to_room_members", true, true),
    flag("Message_Attachments_Strip_Exif", true, false),
    number("Message_Attachments_Thumbnails_Width", 480, false),
    number("Message_Attachments_Thumbnails_Height", 360, false),
    flag("Accounts_AllowAnonymousRead", false, true),
];

/// Every setting there is.
pub fn every() -> impl Iterator<Item = &'static Known> {
    let named = NAMED.iter().chain(accounts::NAMED).chain(ours::NAMED);
    named.chain(sockets::SOCKETS).chain(OTHERS)
}

/// The setting of this id, if there is one.
pub fn known(id: &str) -> Option<&'static Known> {
    every().find(|known| known.id == id)
}

/// The known id most like this one, for a warning about a misspelling.
pub fn nearest(id: &str) -> Option<&'static str> {
    let all = every().map(|known| known.id);
    all.map(|known| (distance(id, known), known)).min().filter(|(d, _)| *d <= 6).map(|(_, id)| id)
}

/// Levenshtein's distance, for texts of the length of a setting's id.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(128).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// One setting as it stands.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its row in the table.
    pub known: &'static Known,
    /// What it holds.
    pub value: Value,
    /// When that was last changed; the server's first start if never.
    pub updated: Ms,
}

/// A snapshot of what was changed.
#[derive(Debug)]
pub struct Settings {
    changed: BTreeMap<String, (Value, Ms)>,
    born: Ms,
}

impl Settings {
    pub(crate) fn new(changed: BTreeMap<String, (Value, Ms)>, born: Ms) -> Self {
        Self { changed, born }
    }

    /// The setting as it stands.
    pub fn get(&self, known: &'static Known) -> Setting {
        let changed = self.changed.get(known.id);
        let changed = changed.cloned();
        let (mut value, updated) = changed.unwrap_or_else(|| (known.default.value(), self.born));
        if known.is_secret() {
            value = known.default.value();
        }
        Setting { known, value, updated }
    }

    /// Did somebody give it a value?
    pub fn is_changed(&self, id: &str) -> bool {
        self.changed.contains_key(id)
    }

    /// Is the switch on?
    pub fn on(&self, known: &Known) -> bool {
        match (self.changed.get(known.id), known.default) {
            (Some((value, _)), _) => value.as_bool().unwrap_or(false),
            (None, Default::Flag(on)) => on,
            _ => false,
        }
    }

    /// The number it holds.
    pub fn number(&self, known: &Known) -> i64 {
        match (self.changed.get(known.id), known.default) {
            (Some((value, _)), _) => value.as_i64().unwrap_or(0),
            (None, Default::Number(n)) => n,
            _ => 0,
        }
    }

    /// The text it holds.
    pub fn text(&self, known: &Known) -> &str {
        match (self.changed.get(known.id), known.default) {
            (Some((value, _)), _) => value.as_str().unwrap_or(""),
            (None, Default::Text(text)) => text,
            _ => "",
        }
    }

    /// The texts it holds.
    pub fn list(&self, known: &Known) -> Vec<String> {
        let value = self.changed.get(known.id).map(|(value, _)| value);
        let all = value.and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Setting> {
        let mut all: Vec<_> = every().map(|known| self.get(known)).collect();
        all.sort_by_key(|setting| setting.known.id);
        all
    }
}

impl Core {
    /// Changes a setting; it counts from now on, here and on every node.
    pub async fn set_setting(&self, admin: Admin<'_>, id: &str, value: &Value) -> Result<()> {
        admin.holds(Perm::EditPrivilegedSetting)?;
        self.overwrite_setting(id, value).await
    }

    /// Changes a setting for the operator, who has no account (`OVERWRITE_SETTING_<id>`).
    pub async fn overwrite_setting(&self, id: &str, value: &Value) -> Result<()> {
        let known = known(id).ok_or_else(|| Error::NoSetting(id.to_owned()))?;
        let value = value::taken(known, value).ok_or_else(|| Error::BadSetting(id.to_owned()))?;
        let text = value.as_str().unwrap_or("");
        if known.is_secret() && !text.is_empty() {
            let sealed = self.key().seal(self.chance(), known.id, text)?;
            return self.save_setting(known, &sealed.into()).await;
        }
        self.save_setting(known, &value).await
    }

    /// What a secret setting holds; `None` if nothing, or if it was sealed with another key.
    pub(crate) fn secret_setting(&self, known: &Known) -> Option<String> {
        let sealed = self.settings().text(known).to_owned();
        self.key().open(known.id, &sealed)
    }

    /// Gives a setting its first value for the operator (`SETTING_<id>`); `false` if somebody gave
    /// it one already, which stays.
    pub async fn preset_setting(&self, id: &str, value: &Value) -> Result<bool> {
        if self.settings().is_changed(id) {
            return Ok(false);
        }
        self.overwrite_setting(id, value).await.map(|()| true)
    }
}

/// The items of a setting that holds several, separated by commas.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{MAX_MEMBERS, every, known, nearest};
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_found() {
        let ids: BTreeSet<_> = every().map(|known| known.id).collect();
        assert_eq!(ids.len(), every().count());
        assert!(known(MAX_MEMBERS.id).is_some() && known("DirectMessage_maxUsers").is_none());
        assert_eq!(nearest("DirectMessage_maxUsers"), Some(MAX_MEMBERS.id));
        assert_eq!(nearest("Something_Else_Entirely_Unknown"), None);
    }
}
