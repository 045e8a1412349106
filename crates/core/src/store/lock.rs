//! One process per data directory: the event log's positions and the caches live in memory, so a
//! second process on the same files would serve stale answers. An advisory lock on `parlance.lock`,
//! held until the process ends however it ends, is enough and leaves nothing to clean up.

use crate::error::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Holds the directory for this process while it lives.
pub(crate) struct DirLock(#[expect(dead_code, reason = "held, never read")] File);

impl DirLock {
    /// Makes the directory (mode 0700) if needed and takes its lock.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        make_private(dir)
            .map_err(|e| Error::unavailable(format!("cannot make {}: {e}", dir.display())))?;
        let path = dir.join("parlance.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Error::unavailable(format!("cannot open {}: {e}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::unavailable(format!(
                "another parlance process uses {}: stop it first, or name another --data-dir",
                dir.display()
            ))),
            Err(TryLockError::Error(e)) => {
                Err(Error::unavailable(format!("cannot lock {}: {e}", path.display())))
            }
        }
    }
}

/// Makes a directory that nobody else can look into (mode 0700), and those above it.
#[cfg(unix)]
pub fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Makes a directory, and those above it.
#[cfg(not(unix))]
pub fn make_private(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)
}
