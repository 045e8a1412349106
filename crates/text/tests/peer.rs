//! The comparison with the npm package, on demand.
//!
//! `PARLANCE_TEXT_PEER` names a `node_modules` folder that holds
//! `@rocket.chat/message-parser`; `cargo test -p parlance-text --test peer -- --ignored` runs it.

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs the npm package in PARLANCE_TEXT_PEER"]
fn trees_equal_the_peers() -> Result<(), std::io::Error> {
    let here = std::env::current_exe()?;
    let built = here.ancestors().nth(2).map(|dir| dir.join("examples/tree"));
    let tree = built.ok_or_else(|| std::io::Error::other("no build folder"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/compare.mjs");
    for seed in ["1", "2", "3"] {
        let status = Command::new("node").arg(&script).arg(&tree).arg(seed).arg("4000").status()?;
        assert!(status.success(), "seed {seed}");
    }
    Ok(())
}
