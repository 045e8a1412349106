//! A room's clock (ruling A4): every change of a room, its messages or its members takes the next time
//! from the room's row, and locks that row by taking it. Whoever asks what changed since the newest
//! time it has seen misses nothing, in whatever order changes commit.

use super::Change;
use crate::error::Error;
use crate::id::{MessageId, RoomId};
use crate::time::Ms;

/// The next time, as a SET of `rooms`; `$2` is the machine's.
macro_rules! tick {
    () => {
        "last_ts = CASE WHEN last_ts >= $2 THEN last_ts + 1 ELSE $2 END"
    };
}
/// The same for a change that members see in the room itself.
macro_rules! tick_shown {
    () => {
        "last_ts = CASE WHEN last_ts >= $2 THEN last_ts + 1 ELSE $2 END,
            updated = CASE WHEN last_ts >= $2 THEN last_ts + 1 ELSE $2 END"
    };
}
pub(crate) use {tick, tick_shown};

const OF_ROOM: &str = concat!("UPDATE rooms SET ", tick!(), " WHERE id = $1");
const OF_MESSAGE: &str = concat!(
    "UPDATE rooms SET ",
    tick_shown!(),
    " WHERE id = (SELECT m.room FROM messages m WHERE m.id = $1)"
);

/// Takes the next time of a room for a change of its members.
pub(super) fn take(change: &mut Change, room: &RoomId, now: Ms) {
    change.run(OF_ROOM, [room.into(), now.into()]);
}

/// Takes the next time of a message's room for a change of the message, or refuses the change with
/// [`Error::NoMessage`].
pub(super) fn take_of(change: &mut Change, message: &MessageId, now: Ms) {
    change.expect(1, Error::NoMessage, OF_MESSAGE, [message.into(), now.into()]);
}
