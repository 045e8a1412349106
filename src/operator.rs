//! Carries out what the shell's commands ask: through the server that holds the data directory if one
//! runs, on the store itself if not. On `PostgreSQL` always the latter: the event log tells the nodes.

use crate::Failure;
use crate::config::StoreConfig;
use crate::control::Client;
use parlance_core::Core;
use parlance_core::command::{Answer, Request, Secret, explain};
use std::io::Read as _;

/// The longest secret on standard input, in bytes.
const MAX_SECRET: u64 = 16 * 1024;

/// Who carries out requests.
pub(crate) enum Operator {
    /// The running server.
    Server(Client),
    /// This process.
    Store(Core),
}

impl Operator {
    /// Finds the server, or opens the store. `founding` is for what may be done before there is one.
    pub(crate) async fn find(store: &StoreConfig, founding: bool) -> Result<Self, Failure> {
        let database = store.database()?;
        if let Some(path) = database.socket()
            && let Some(client) = Client::connect(&path).await?
        {
            return Ok(Self::Server(client));
        }
        if !founding && !database.exists() {
            let dir = store.data_dir.display();
            return Err(format!("there is no store in {dir}: name another --data-dir"));
        }
        store.open().await.map(Self::Store)
    }

    /// Carries out one request.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Answer, Failure> {
        match self {
            Self::Server(client) => client.ask(&request).await,
            Self::Store(core) => {
                Box::pin(core.execute(request)).await.map_err(|error| explain(&error))
            }
        }
    }

    /// Lets go of the store.
    pub(crate) async fn close(self) {
        if let Self::Store(core) = self {
            core.close().await;
        }
    }
}

/// Carries out one request of a command that has only this one.
pub(crate) async fn ask(
    store: &StoreConfig,
    founding: bool,
    request: Request,
) -> Result<Answer, Failure> {
    let mut operator = Operator::find(store, founding).await?;
    let answer = operator.ask(request).await;
    operator.close().await;
    answer
}

/// The first line of standard input, without its end: a secret, which is never an argument because
/// others see those.
pub(crate) fn secret_from_stdin(what: &str) -> Result<Secret, Failure> {
    let mut text = String::new();
    let most = MAX_SECRET + 2;
    let read = std::io::stdin().lock().take(most).read_to_string(&mut text);
    read.map_err(|error| format!("standard input: {error}"))?;
    let line = text.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(format!("there is no {what} on standard input"));
    }
    Ok(Secret(line.to_owned()))
}

/// For a person's terminal: what could move its cursor is written out.
pub(crate) fn plain(text: &str) -> String {
    let letter = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(letter).collect()
}

/// What cannot happen: the answer is that of another request.
pub(crate) fn other() -> Failure {
    "the answer is not to this request".to_owned()
}
