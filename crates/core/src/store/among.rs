//! Where the messages of a search come from: the arms of the index of searches, each in the order of
//! time, and beside them what the index does not cover yet. How far it covers a room is read by the
//! statement itself, so that all of it is of one snapshot.

use super::terms::LOWEST;
use super::{Read, Row, Store, Value};
use crate::error::Result;
use crate::id::{RoomId, UserId};
use crate::term;
use crate::time::Ms;
use std::fmt::Write as _;

const COUNT: &str = "SELECT count(*) FROM (SELECT 1 FROM terms t
    WHERE t.room = (SELECT s.n FROM searchable s WHERE s.room = $1) AND t.term = $2
    LIMIT $3) found";
const COUNT_ALL: &str = "SELECT count(*) FROM (SELECT 1 FROM members ms
    JOIN searchable se ON se.room = ms.room JOIN terms t ON t.room = se.n
    WHERE ms.usr = $1 AND t.term = $2 LIMIT $3) found";
const STORED: &str = "SELECT CAST(coalesce(sum(r.stored), 0) AS BIGINT)
    FROM members s JOIN rooms r ON r.id = s.room WHERE s.usr = $1";

/// How many messages of a room, or of all the reader's rooms, have each of these terms, counted up to
/// `most`.
pub(super) async fn counts(
    store: &Store,
    room: Option<&RoomId>,
    reader: &UserId,
    terms: &[&str],
    most: i64,
) -> Result<Vec<i64>> {
    let (sql, whose) = room.map_or((COUNT_ALL, reader.into()), |room| (COUNT, room.into()));
    let one = |term: &&str| {
        let args: [Value; 3] = [Value::clone(&whose), (*term).into(), most.into()];
        Read::new(sql, args)
    };
    store.read_all(terms.iter().map(one).collect()).await?.into_iter().map(number).collect()
}

/// How many messages there are in the reader's rooms.
pub(super) async fn stored(store: &Store, reader: &UserId) -> Result<i64> {
    number(store.read(STORED, [reader.into()]).await?)
}

fn number(rows: Vec<Row>) -> Result<i64> {
    rows.into_iter().next().map_or(Ok(0), |mut row| row.int())
}

/// What a search looks at.
#[derive(Clone)]
pub(crate) struct Among {
    /// Of one room, which is `$1`; else of all rooms of `$2`.
    pub(super) one_room: bool,
    pub(super) descending: bool,
    /// A message has all terms of one of these.
    pub(super) any: Vec<Vec<String>>,
    /// Not before the first time, and before the second.
    pub(super) range: (Ms, Ms),
}

/// Where some of the messages come from: tables, the column of their times, a condition.
pub(super) struct Arm {
    pub(super) from: String,
    pub(super) time: &'static str,
    pub(super) condition: String,
}

impl Among {
    /// The arms, and their arguments, of which the first has the number `first`.
    pub(super) fn arms(&self, first: usize) -> (Vec<Arm>, Vec<Value>) {
        let mut args: Vec<Value> = vec![self.range.0.into(), self.range.1.into()];
        let (from, within) = if self.one_room {
            let within = "t.room = (SELECT se.n FROM searchable se WHERE se.room = $1)
                AND m.room = $1";
            ("terms t JOIN messages m ON m.ts = t.ts", within)
        } else {
            let from = "members ms JOIN searchable se ON se.room = ms.room
                JOIN terms t ON t.room = se.n JOIN messages m ON m.room = se.room AND m.ts = t.ts";
            (from, "ms.usr = $2")
        };
        let too_many = vec![term::TOO_MANY.to_owned()];
        let mut arms = Vec::new();
        for terms in self.any.iter().chain([&too_many]) {
            let mut condition = format!("{within} AND t.ts >= ${first} AND t.ts < ${}", first + 1);
            for (n, term) in terms.iter().enumerate() {
                let number = first + args.len();
                args.push(term.into());
                let _ = match n {
                    0 => write!(condition, " AND t.term = ${number}"),
                    _ => write!(
                        condition,
                        " AND EXISTS (SELECT 1 FROM terms o
                            WHERE o.room = t.room AND o.term = ${number} AND o.ts = t.ts)"
                    ),
                };
            }
            arms.push(Arm { from: from.to_owned(), time: "t.ts", condition });
        }
        arms.extend(self.uncovered());
        (arms, args)
    }

    /// What was written, and what was changed, after what the index covers.
    fn uncovered(&self) -> [Arm; 2] {
        let (from, room, until) = if self.one_room {
            let until = "(SELECT se.until FROM searchable se WHERE se.room = $1)";
            ("messages m", "m.room = $1", until)
        } else {
            let from = "members ms LEFT JOIN searchable se ON se.room = ms.room
                JOIN messages m ON TRUE";
            (from, "ms.usr = $2 AND m.room = ms.room", "se.until")
        };
        let until = format!("coalesce({until}, {LOWEST})");
        let written = format!("{room} AND m.ts > {until}");
        // A sum, so that the index of changes leads and not that of times.
        let changed =
            format!("{room} AND m.updated > m.ts AND m.updated > {until} AND m.ts + 0 <= {until}");
        [(written, "m.ts"), (changed, "m.ts + 0")].map(|(condition, time)| Arm {
            from: from.to_owned(),
            time,
            condition,
        })
    }
}
