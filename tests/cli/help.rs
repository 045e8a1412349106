//! Every help text, as a reader sees it. When one changes on purpose:
//! `PARLANCE_BLESS=1 cargo test --test main -- cli::help`, and read what changed.

use super::Place;
use std::fmt::Write as _;

const COMMANDS: [&[&str]; 26] = [
    &[],
    &["serve"],
    &["init"],
    &["config"],
    &["config", "check"],
    &["config", "print"],
    &["config", "example"],
    &["user"],
    &["user", "create"],
    &["user", "list"],
    &["user", "reset-password"],
    &["user", "revoke-sessions"],
    &["user", "activate"],
    &["user", "deactivate"],
    &["user", "set-role"],
    &["token"],
    &["token", "create"],
    &["setting"],
    &["setting", "get"],
    &["setting", "set"],
    &["setting", "list"],
    &["audit"],
    &["audit", "list"],
    &["audit", "export"],
    &["import"],
    &["healthcheck"],
];

#[test]
fn every_help_reads_as_it_did() {
    let place = Place::embedded();
    let mut all = String::new();
    for command in COMMANDS {
        let mut asked = place.command(&[command, &["--help"]].concat());
        asked.env_remove("PARLANCE_DATA_DIR");
        let done = super::finish(asked, "");
        assert!(done.lines().len() > 5 && done.err.is_empty(), "{done:?}");
        // Each command of a group is in the list above.
        if let Some((_, rest)) = done.out.split_once("Commands:\n") {
            for line in rest.lines().take_while(|line| line.starts_with("  ")) {
                let name = line.split_whitespace().next().unwrap();
                let listed = COMMANDS.contains(&&*[command, &[name]].concat());
                assert!(listed || name == "help" || line.starts_with("    "), "{line}");
            }
        }
        let name = ["parlance"].iter().chain(command).copied().collect::<Vec<_>>().join(" ");
        write!(all, "$ {name} --help\n{}\n", done.out).unwrap();
    }
    assert!(all.lines().all(|line| line.chars().count() <= 100), "wider than a terminal");
    assert!(!place.dir.exists(), "help touches nothing");
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help.txt");
    if std::env::var_os("PARLANCE_BLESS").is_some() {
        std::fs::write(&kept, &all).unwrap();
    }
    let before = std::fs::read_to_string(&kept).unwrap();
    for (now, before) in all.lines().zip(before.lines()) {
        assert_eq!(now, before);
    }
    assert_eq!(all.len(), before.len());
}

#[test]
fn a_broken_file_keeps_nobody_from_the_help() {
    let place = Place::embedded();
    let mut command = place.command(&["serve", "--help"]);
    command.env("PARLANCE_CONFIG", "/nowhere/at.all");
    assert!(super::finish(command, "").lines().len() > 5);
    let wrong = place.run(&["srve"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("serve"), "{wrong:?}");
}
