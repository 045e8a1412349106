//! The operator's requests as lines of JSON, for the socket in the data directory. What is said back
//! never repeats what was sent: it may hold a secret.

use super::{Answer, Request, explain};
use crate::Core;

/// The longest request, in bytes, its end included.
pub const MAX_REQUEST: usize = 64 * 1024;

/// What goes back: an answer, or a reason in words for a person.
pub type Reply = std::result::Result<Answer, String>;

impl Core {
    /// Carries out one line of the socket's protocol; gives the line to answer, with its end.
    pub async fn execute_line(&self, line: &[u8]) -> String {
        let reply: Reply = match serde_json::from_slice::<Request>(line) {
            Ok(request) => self.execute(request).await.map_err(|error| explain(&error)),
            Err(_) => Err("the running server does not know this request: is it of another \
                           version?"
                .to_owned()),
        };
        let mut text = serde_json::to_string(&reply).unwrap_or_else(|error| {
            tracing::error!(%error, "an answer to the operator cannot be written");
            r#"{"Err":"the answer cannot be written"}"#.to_owned()
        });
        text.push('\n');
        text
    }
}
