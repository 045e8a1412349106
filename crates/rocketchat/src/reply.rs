//! What a route answers with: a whole text, or a text in pieces where everything was asked for
//! (`count=0`). A list writes its items first and what is known of it last, so that memory holds one
//! piece of it, however long it is and however slowly its reader reads.

use futures_util::stream::{self, BoxStream, StreamExt};
use parlance_core::list::{Pieces, count};
use parlance_core::{Error, Result};
use parlance_http::json::{Dates, Object};

/// The JSON text of a success.
pub(crate) enum Reply {
    Whole(String),
    /// Texts to be joined; an error breaks the answer off, so that no client takes it for whole.
    Pieces(BoxStream<'static, Result<String>>),
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::Whole(text)
    }
}

/// An object that begins with a list: `write` prints an item, `tail` what stands behind the list, by
/// the number of items that were given.
pub(crate) fn list<T: Send + 'static>(
    name: &str,
    items: &[T],
    more: Option<Pieces<T>>,
    write: impl Fn(&mut String, &T) -> Result<()> + Send + Sync + 'static,
    tail: impl FnOnce(&mut Object<'_>, i64) + Send + 'static,
) -> Result<Reply> {
    let mut out = String::new();
    Object::new(&mut out, Dates::Iso).key(name).push('[');
    append(&mut out, items, 0, &write)?;
    let Some(more) = more else {
        end(&mut out, items.len(), tail);
        return Ok(Reply::Whole(out));
    };
    let rest = Rest { more, given: items.len(), write, tail: Some(tail) };
    let head = stream::once(std::future::ready(Ok(out)));
    Ok(Reply::Pieces(head.chain(stream::try_unfold(rest, Rest::step)).boxed()))
}

/// What is still to be written of a list.
struct Rest<T, W, F> {
    more: Pieces<T>,
    given: usize,
    write: W,
    tail: Option<F>,
}

impl<T, W, F> Rest<T, W, F>
where
    W: Fn(&mut String, &T) -> Result<()>,
    F: FnOnce(&mut Object<'_>, i64),
{
    async fn step(mut self) -> Result<Option<(String, Self)>> {
        let mut out = String::new();
        match self.more.next().await.transpose()? {
            Some(items) => {
                append(&mut out, &items, self.given, &self.write)?;
                self.given += items.len();
            }
            None => match self.tail.take() {
                Some(tail) => end(&mut out, self.given, tail),
                None => return Ok(None),
            },
        }
        Ok(Some((out, self)))
    }
}

/// Appends items behind `given` others.
fn append<T>(
    out: &mut String,
    items: &[T],
    given: usize,
    write: &impl Fn(&mut String, &T) -> Result<()>,
) -> Result<()> {
    for (n, item) in items.iter().enumerate() {
        if given + n > 0 {
            out.push(',');
        }
        write(out, item)?;
    }
    Ok(())
}

/// Closes the list and the object.
fn end(out: &mut String, given: usize, tail: impl FnOnce(&mut Object<'_>, i64)) {
    out.push(']');
    let mut object = Object::resume(out, Dates::Iso);
    tail(&mut object, count(given));
    object.flag("success", true);
    object.end();
}

/// How an error ends an answer whose head is out: in the log, and for the client by its end.
pub(crate) fn broken_off(error: Error) -> Error {
    tracing::warn!(%error, "a list broke off");
    error
}
