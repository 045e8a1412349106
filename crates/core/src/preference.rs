//! Preferences (contract section 8.3): one table of names, kinds and first values. An account stores what
//! its user chose and nothing else, so that a new default reaches everybody who never chose; what is
//! shown is always the whole table with the choices laid over it.

use crate::account::User;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::store::profiles;
use crate::{Core, Perm};
use serde_json::{Map, Value, json};

/// Characters of one text, entries of one list, and bytes of one entry that is an object.
const MAX_TEXT: usize = 256;
const MAX_LIST: usize = 100;
const MAX_ENTRY: usize = 1024;
/// How often a change is tried again when the same account is changed at the same time.
const TRIES: usize = 16;

/// What a preference may be.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Flag(bool),
    Number(i64),
    Text(&'static str),
    /// One of these, the first at first.
    Choice(&'static [&'static str]),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// Shown only where it was chosen.
    NumberIf,
    TextIf,
    TextsIf,
    FlagIf,
    /// A list of objects; `[]` as a text at first, where clients parse it.
    Objects(Option<&'static str>),
}

use Kind::{Choice, Flag, FlagIf, Number, NumberIf, Objects, Text, TextIf, Texts, TextsIf};

const LEVELS: &[&str] = &["all", "mentions", "nothing", "default"];
const SECTIONS: &[&str] = &[
    "Incoming_Calls",
    "Incoming_Livechats",
    "Open_Livechats",
    "On_Hold_Livechats",
    "Unread",
    "Favorites",
    "Teams",
    "Discussions",
    "Channels",
    "Direct_Messages",
    "Conversations",
];

const TABLE: &[(&str, Kind)] = &[
    ("enableAutoAway", Flag(true)),
    ("idleTimeLimit", Number(300)),
    ("desktopNotifications", Choice(LEVELS)),
    ("pushNotifications", Choice(LEVELS)),
    ("desktopNotificationRequireInteraction", Flag(false)),
    ("unreadAlert", Flag(true)),
    ("useEmojis", Flag(true)),
    ("convertAsciiEmoji", Flag(true)),
    ("autoImageLoad", Flag(true)),
    ("saveMobileBandwidth", Flag(true)),
    ("collapseMediaByDefault", Flag(false)),
    ("hideUsernames", Flag(false)),
    ("hideRoles", Flag(false)),
    ("hideFlexTab", Flag(false)),
    ("displayAvatars", Flag(true)),
    ("sidebarGroupByType", Flag(true)),
    ("themeAppearence", Choice(&["auto", "light", "dark", "high-contrast"])),
    ("sidebarViewMode", Choice(&["medium", "extended", "condensed"])),
    ("sidebarDisplayAvatar", Flag(true)),
    ("sidebarShowUnread", Flag(false)),
    ("sidebarSortby", Choice(&["activity", "alphabetical"])),
    ("sidebarShowFavorites", Flag(true)),
    ("showThreadsInMainChannel", Flag(false)),
    ("alsoSendThreadToChannel", Choice(&["default", "always", "never"])),
    ("sendOnEnter", Choice(&["normal", "alternative", "desktop"])),
    ("emailNotificationMode", Choice(&["mentions", "nothing", "all", "default"])),
    ("newRoomNotification", Text("door")),
    ("newMessageNotification", Text("chime")),
    ("muteFocusedConversations", Flag(true)),
    ("notificationsSoundVolume", Number(100)),
    ("omnichannelTranscriptEmail", Flag(false)),
    ("notifyCalendarEvents", Flag(true)),
    ("enableMobileRinging", Flag(true)),
    ("featuresPreview", Objects(Some("[]"))),
    ("sidebarSectionsOrder", Texts(SECTIONS)),
    ("highlights", TextsIf),
    ("language", TextIf),
    ("clockMode", NumberIf),
    ("messageViewMode", NumberIf),
    ("fontSize", TextIf),
    ("voipRingerVolume", NumberIf),
    ("masterVolume", NumberIf),
    ("mentionsWithSymbol", FlagIf),
    ("receiveLoginDetectionEmail", FlagIf),
    ("omnichannelTranscriptPDF", FlagIf),
    ("omnichannelHideConversationAfterClosing", FlagIf),
    ("dontAskAgainList", Objects(None)),
];

impl Kind {
    fn default(self) -> Option<Value> {
        Some(match self {
            Flag(value) => value.into(),
            Number(value) => value.into(),
            Text(value) => value.into(),
            Choice(all) => (*all.first()?).into(),
            Texts(all) => all.into(),
            Objects(first) => first?.into(),
            NumberIf | TextIf | TextsIf | FlagIf => return None,
        })
    }

    /// What the contract's validator would say of a value, if it would not take it.
    fn refuse(self, value: &Value) -> Option<&'static str> {
        let texts = |all: &Vec<Value>| {
            let fits = |one: &Value| one.as_str().is_some_and(|text| text.len() <= MAX_TEXT);
            all.len() <= MAX_LIST && all.iter().all(fits)
        };
        let objects = |all: &Vec<Value>| {
            let fits = |one: &Value| one.is_object() && one.to_string().len() <= MAX_ENTRY;
            all.len() <= MAX_LIST && all.iter().all(fits)
        };
        match (self, value) {
            (Flag(_) | FlagIf, Value::Bool(_)) | (Number(_) | NumberIf, Value::Number(_)) => None,
            (Text(_) | TextIf, Value::String(text)) => {
                (text.len() > MAX_TEXT).then_some("must NOT have more than 256 characters")
            }
            (Choice(all), Value::String(text)) => (!all.contains(&text.as_str()))
                .then_some("must be equal to one of the allowed values"),
            (Texts(_) | TextsIf, Value::Array(all)) => {
                (!texts(all)).then_some("must be an array of short strings")
            }
            (Objects(_), Value::Array(all)) => {
                (!objects(all)).then_some("must be an array of small objects")
            }
            (Flag(_) | FlagIf, _) => Some("must be boolean"),
            (Number(_) | NumberIf, _) => Some("must be number"),
            (Text(_) | TextIf | Choice(_), _) => Some("must be string"),
            (Texts(_) | TextsIf | Objects(_), _) => Some("must be array"),
        }
    }
}

fn kind(name: &str) -> Option<Kind> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

impl User {
    /// The preferences that the user chose.
    pub fn chosen(&self) -> Map<String, Value> {
        serde_json::from_str(&self.preferences).unwrap_or_default()
    }

    /// All preferences: the first values, and over them what the user chose.
    pub fn preferences(&self) -> Map<String, Value> {
        let first = TABLE.iter().filter_map(|(name, kind)| Some(((*name).into(), kind.default()?)));
        let mut all: Map<String, Value> = first.collect();
        all.extend(self.chosen());
        all
    }

    /// The words that count as a mention of the user, as JSON, if there are any.
    pub fn highlights(&self) -> Option<&str> {
        self.highlights.as_deref()
    }
}

/// The highlights among preferences, as they are stored: without blank ones, `None` for none.
fn words(chosen: &Map<String, Value>) -> Option<String> {
    let all = chosen.get("highlights")?.as_array()?;
    let words = all.iter().filter_map(Value::as_str).map(str::trim).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    (!words.is_empty()).then(|| json!(words).to_string())
}

/// Those preferences of a document from elsewhere that are known here, as stored, and the highlights.
pub(crate) fn known(from: Map<String, Value>) -> (String, Option<String>) {
    let fits = |(name, value): &(String, Value)| {
        kind(name).is_some_and(|kind| kind.refuse(value).is_none())
    };
    let chosen: Map<String, Value> = from.into_iter().filter(fits).collect();
    let words = words(&chosen);
    (Value::Object(chosen).to_string(), words)
}

/// What a membership shows of its user's preferences, unless the room has settings of its own.
const SHOWN: [&str; 3] = ["desktopNotifications", "pushNotifications", "emailNotificationMode"];

impl Core {
    /// Changes preferences of the caller, or of another account for who may edit those; returns the
    /// account. One that is `null` is as if it was never chosen.
    pub async fn set_preferences(
        &self,
        caller: &Caller,
        user: Option<&UserId>,
        changes: &Map<String, Value>,
    ) -> Result<User> {
        let user = user.unwrap_or(caller.id());
        if user != caller.id() {
            self.admin(caller, Perm::EditOtherUserInfo)?;
        }
        for (name, value) in changes {
            let kind = kind(name).ok_or_else(|| {
                Error::BadPreference("must NOT have additional properties".to_owned())
            })?;
            if !value.is_null()
                && let Some(why) = kind.refuse(value)
            {
                return Err(Error::BadPreference(why.to_owned()));
            }
        }
        for _ in 0..TRIES {
            let was = self.user(user).await?;
            let mut chosen = was.chosen();
            for (name, value) in changes {
                if value.is_null() {
                    chosen.remove(name);
                } else {
                    chosen.insert(name.clone(), value.clone());
                }
            }
            let highlights = words(&chosen);
            let before = was.chosen();
            let touch = highlights != was.highlights
                || SHOWN.iter().any(|name| chosen.get(*name) != before.get(*name));
            let text = Value::Object(chosen).to_string();
            if text == was.preferences {
                return Ok(was);
            }
            let new = (text.as_str(), highlights.as_deref());
            let now = self.clock().now();
            if profiles::set_preferences(self.store(), &was, new, touch, now).await? {
                self.live().forget_user(user);
                return self.user(user).await;
            }
        }
        Err(Error::unavailable("too many changes at once"))
    }
}

/// Does a text hold one of these words, whatever its case, as a word of its own and not as the name of
/// an emoji (contract section 6.5)?
pub(crate) fn holds_word(text: &str, words: &[String]) -> bool {
    words.iter().any(|word| {
        text.match_indices(word.as_str()).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            let whole = |edge: Option<char>, next: Option<char>| {
                let part = |c: char| c.is_alphanumeric() || c == '_';
                !(edge.is_some_and(part) && next.is_some_and(part))
            };
            let emoji = before == Some(':') && after == Some(':');
            whole(found.chars().next(), before) && whole(found.chars().next_back(), after) && !emoji
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{TABLE, holds_word, kind};

    #[test]
    fn first_values_are_values() {
        for (name, kind) in TABLE {
            // The one that clients parse is a text at first, and a list once it was chosen.
            if let Some(first) = kind.default().filter(|_| *name != "featuresPreview") {
                assert_eq!(kind.refuse(&first), None, "{name}");
            }
        }
        assert!(kind("highlights").is_some() && kind("high").is_none());
    }

    #[test]
    fn words_are_whole_and_no_emoji() {
        let words = ["ship".to_owned(), "c++".to_owned(), "été".to_owned()];
        for text in
            ["the ship", "ship!", "(ship)", "a c++ b", "c++", ":ship", "l'été", "ship ships"]
        {
            assert!(holds_word(text, &words), "{text}");
        }
        for text in ["ships", "worship", "ship_yard", ":ship:", "xc++", "", "étés"] {
            assert!(!holds_word(text, &words), "{text}");
        }
    }
}
