//! Changes of a room with what the room says of them.

use super::{Change, Store, events, messages};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::send::Draft;
use crate::time::Ms;

const SET_TOPIC: &str = "UPDATE rooms SET topic = $2 WHERE id = $1";
const SET_BODY: &str = "UPDATE rooms SET body = $3 WHERE id = $1 AND body = $2";

/// One thing that changes.
pub(crate) enum What {
    /// The topic; an empty one takes it off.
    Topic(String),
    /// The carried members, if they still are what they were.
    Body { was: String, is: String },
}

/// Changes a room and says so in it, as one change; [`Error::NoRoom`] if it is gone or is another by now.
pub(crate) async fn room(store: &Store, parts: &[(What, Draft)], now: Ms) -> Result<()> {
    let mut change = Change::new();
    for (what, notice) in parts {
        messages::write_message(&mut change, notice, now);
        let id = &notice.room;
        match what {
            What::Topic(topic) => {
                let topic = Some(topic).filter(|topic| !topic.is_empty());
                change.expect(1, Error::NoRoom, SET_TOPIC, [id.into(), topic.into()]);
            }
            What::Body { was, is } => {
                let args = [id.into(), was.into(), is.into()];
                change.expect(1, Error::NoRoom, SET_BODY, args);
            }
        }
        events::add(&mut change, now, Kind::RoomChanged, Some(id.as_str()), None, id.as_str());
    }
    store.write(change).await.map(drop)
}
