//! The operator's way into a running server: a socket in its data directory, for what the shell's
//! commands would otherwise do to the files themselves. Only this user and root may use it, who could
//! read the files anyway. A line of JSON each way; what a line says is the core's.

use crate::Failure;
use parlance_core::Core;
use parlance_core::command::{Answer, MAX_REQUEST, Reply, Request};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// Commands that are served at the same time; more wait.
const MOST: usize = 8;
/// How long a command may be silent, or leave its answer unread.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest answer that a command reads, in bytes.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

/// A socket that listens; it goes away with this.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// Whose the server is.
    owner: u32,
}

impl Control {
    /// Listens at this path. Whoever calls holds the data directory, so that a socket that is left
    /// there from before belongs to nobody.
    pub(crate) fn listen(path: PathBuf) -> std::io::Result<Self> {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let owner = std::fs::metadata(&path)?.uid();
        Ok(Self { listener, path, owner })
    }

    /// Serves commands for as long as it is polled.
    pub(crate) async fn serve(self, core: Core) {
        let places = std::sync::Arc::new(Semaphore::new(MOST));
        loop {
            // The semaphore is never closed.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a command could not be taken");
                    core.clock().sleep(100).await;
                    continue;
                }
            };
            let peer = stream.peer_cred().map(|peer| peer.uid());
            if !peer.is_ok_and(|uid| uid == self.owner || uid == 0) {
                tracing::warn!("a command of another user was refused");
                continue;
            }
            let core = core.clone();
            tokio::spawn(async move {
                if let Err(error) = answer(stream, &core).await {
                    tracing::debug!(%error, "a command broke off");
                }
                drop(place);
            });
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next server removes it too.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn answer(stream: UnixStream, core: &Core) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut stream).take(MAX_REQUEST as u64);
        let read = bounded.read_until(b'\n', &mut line);
        tokio::time::timeout(PATIENCE, read).await??;
        if line.is_empty() {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            // Too long, or cut off: what follows would not be understood.
            return stream.write_all(b"{\"Err\":\"the request is too long\"}\n").await;
        }
        let answer = Box::pin(core.execute_line(&line)).await;
        tokio::time::timeout(PATIENCE, stream.write_all(answer.as_bytes())).await??;
    }
}

/// A connection to the server that holds a data directory.
pub(crate) struct Client(BufReader<UnixStream>);

impl Client {
    /// Connects; `None` if no server listens there.
    pub(crate) async fn connect(path: &Path) -> Result<Option<Self>, Failure> {
        use std::io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
        // The last is a path too long for a socket.
        let none = |kind| matches!(kind, NotFound | ConnectionRefused | InvalidInput);
        match UnixStream::connect(path).await {
            Ok(stream) => Ok(Some(Self(BufReader::new(stream)))),
            Err(error) if none(error.kind()) => Ok(None),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Has the server carry a request out.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        let broken = |error: std::io::Error| format!("the running server: {error}");
        let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        line.push(b'\n');
        if line.len() > MAX_REQUEST {
            return Err("the request is too long".to_owned());
        }
        self.0.write_all(&line).await.map_err(broken)?;
        let mut answer = Vec::new();
        (&mut self.0).take(MAX_ANSWER).read_until(b'\n', &mut answer).await.map_err(broken)?;
        let reply = serde_json::from_slice::<Reply>(&answer);
        reply.map_err(|_| {
            "the running server gave no answer that is understood: is it of another version?"
                .to_owned()
        })?
    }
}
