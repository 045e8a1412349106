//! The comparison with the npm package, on demand.
//!
//! `cargo test -p parlance-text --test peer -- --ignored --nocapture` runs what
//! `tests/peer/run` runs; it needs node and npm.

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs node and npm"]
fn trees_equal_the_peers() -> Result<(), std::io::Error> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/run");
    assert!(Command::new(script).status()?.success());
    Ok(())
}
