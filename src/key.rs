//! The server's key: the configuration's, or from a file beside the data that is made at the
//! first start and that only the operator reads. A backup of the database without it opens no second
//! factor; nodes on one database need the same.

use crate::Failure;
use parlance_core::id::Chance;
use parlance_core::secret::{Key, MIN_KEY};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The key that the operator gave, or that of this data directory.
pub(crate) fn of(data_dir: &Path, given: Option<String>) -> Result<Key, Failure> {
    if let Some(text) = given {
        let why = |_| format!("the secret key must have at least {MIN_KEY} characters");
        return Key::from_text(&text).map_err(why);
    }
    let path = data_dir.join("secret-key");
    let fault = |error: std::io::Error| {
        format!("{}: {error} (or give the key in PARLANCE_SECRET_KEY)", path.display())
    };
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(data_dir, &path).map_err(fault)?
        }
        read => read.map_err(fault)?,
    };
    let why = |_| format!("{} must have at least {MIN_KEY} characters", path.display());
    Key::from_text(text.trim()).map_err(why)
}

/// Makes the file, whole or not at all; the one that another process made meanwhile stays.
fn make(dir: &Path, path: &Path) -> std::io::Result<String> {
    parlance_core::make_private(dir)?;
    let draft = dir.join(format!("secret-key.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&draft)?;
    writeln!(file, "{}", Chance::default().token())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::read_to_string(path),
    }
}
