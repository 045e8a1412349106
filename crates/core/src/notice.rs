//! What people are told when something happens: an event, with the content that its reader may see. A
//! notice is made once and shared by all who get it; how a face writes it down is remembered with it, so
//! that a message to eight people is printed once.

use crate::account::User;
use crate::id::{MessageId, RoomId, UserId};
use crate::message::Message;
use crate::reading::Membership;
use crate::room::Room;
use crate::time::Ms;
use std::sync::{Arc, OnceLock};

/// Whom a notice is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// Every socket of one user's.
    One(UserId),
    /// Every socket that wants to hear of a topic.
    All(Topic),
}

/// What may concern everybody; a socket hears of it only if it wants to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Who is there.
    Status,
    /// Accounts that are called otherwise, look otherwise or are gone.
    People,
    /// Settings, permissions and roles.
    Rules,
    /// How far the log was handed out.
    Position,
}

impl Topic {
    pub(crate) const fn bit(self) -> u32 {
        match self {
            Topic::Status => 1,
            Topic::People => 2,
            Topic::Rules => 4,
            Topic::Position => 8,
        }
    }
}

/// Did something begin, or change?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is new to its reader.
    Inserted,
    /// It is otherwise than before.
    Updated,
}

/// One thing that people are told.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A message as it stands now; `fresh` if it was just written. Of the stars, the reader's own alone.
    Message {
        /// The message.
        message: Arc<Message>,
        /// The room it is in.
        room: Arc<Room>,
        /// Was it just written?
        fresh: bool,
    },
    /// A message is gone.
    MessageDeleted {
        /// Where.
        room: RoomId,
        /// Which.
        message: MessageId,
    },
    /// A message that the reader may want to be alerted of ([`crate::Caller::wants_alert`] says).
    Alert {
        /// The message.
        message: Arc<Message>,
        /// What the reader calls the room, if it is a group.
        group: Option<String>,
        /// What the reader chose for this room: `all`, `mentions`, `nothing`.
        level: Option<String>,
    },
    /// A room of the reader's, with its newest message.
    Room {
        /// The room.
        room: Arc<Room>,
        /// What happened.
        how: How,
    },
    /// The reader's own view of a room.
    Membership {
        /// The view.
        it: Box<Membership>,
        /// What happened.
        how: How,
    },
    /// The reader is not in a room any more.
    Left {
        /// The room.
        room: RoomId,
        /// The membership's id.
        membership: String,
    },
    /// Somebody types, or does not any more.
    Activity(Activity),
    /// A word to the reader alone, shown in a room and kept nowhere.
    Whisper(Whisper),
    /// The reader's own account changed.
    Account(Arc<User>),
    /// Sessions of the reader's ended, or its rights changed: a socket looks whether it may go on.
    Sessions,
    /// An account shows another status.
    Status(Arc<User>),
    /// An account is called otherwise.
    Renamed(Arc<User>),
    /// An account has another picture.
    Avatar(Arc<User>),
    /// An account is gone.
    UserDeleted(UserId),
    /// A setting changed (its id).
    Setting(String),
    /// A permission changed (its id).
    Rights(String),
    /// A role was made, changed or removed (its id).
    Role(String),
    /// An account was given a role, or it was taken.
    RoleHeld {
        /// The role's id.
        role: String,
        /// The account.
        user: Arc<User>,
        /// Given, or taken?
        given: bool,
    },
    /// Everything up to this position of the log was handed out.
    Position(i64),
}

/// What somebody does in a room just now; kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Where.
    pub room: RoomId,
    /// Who: the username.
    pub username: String,
    /// Who, as others see the account.
    pub name: String,
    /// What: `user-typing`, `user-recording`, `user-uploading`; empty for nothing any more.
    pub doing: Vec<String>,
    /// In which thread.
    pub thread: Option<MessageId>,
}

/// A word to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whisper {
    /// A fresh id.
    pub id: String,
    /// Where it is shown.
    pub room: RoomId,
    /// When it was said.
    pub at: Ms,
    /// The text.
    pub text: String,
}

/// A notice on its way.
#[derive(Debug)]
pub struct Delivery {
    /// What is told.
    pub notice: Notice,
    written: OnceLock<String>,
}

impl Delivery {
    pub(crate) fn new(notice: Notice) -> Arc<Self> {
        Arc::new(Self { notice, written: OnceLock::new() })
    }

    /// The content as the face writes it, made by the first who asks.
    pub fn written(&self, write: impl FnOnce() -> String) -> &str {
        self.written.get_or_init(write)
    }

    /// About how many bytes it keeps, printed too.
    pub(crate) fn weight(&self) -> usize {
        const SMALL: usize = 512;
        let of = |message: &Message| 2 * (message.msg.len() + message.body.len());
        match &self.notice {
            // An alert shares its message with the notice before it.
            Notice::Message { message, .. } => SMALL + of(message),
            Notice::Room { room, .. } => {
                SMALL + 2 * room.body.len() + room.last.as_deref().map_or(0, of)
            }
            Notice::Membership { it, .. } => {
                SMALL + 2 * (it.member.body.len() + it.room.body.len())
            }
            _ => SMALL,
        }
    }
}
