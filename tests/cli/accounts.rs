//! `parlance user create`.

use super::Place;

const PASSWORD: &str = "typed by hand";

fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["user", "create", "--username", "ann"], more].concat()
}

#[tokio::test]
async fn an_account_is_made_with_a_password_from_stdin() {
    let place = Place::new().await;
    let args = create(&[
        "--email",
        "ann@example.com",
        "--name",
        "Ann A.",
        "--role",
        "admin",
        "--role",
        "user",
        "--id",
        "anna1",
        "--password-stdin",
    ]);
    let done = place.run_with(&args, &format!("{PASSWORD}\nmore\n"));
    assert_eq!(done.lines(), ["anna1"]);
    assert_eq!(done.err, "");
    let server = place.serve(&[]);
    assert!(server.logs_in("ann", PASSWORD) && server.logs_in("ann@example.com", PASSWORD));
    assert!(!server.logs_in("ann", "wrong"));
    // There is an administrator already: none is made.
    assert!(!place.dir.join("initial-admin-password").exists());
    drop(server);
    let again = place.run_with(&args, PASSWORD);
    assert_eq!(again.code, Some(1));
    assert!(again.err.starts_with("parlance: ") && again.err.lines().count() == 1, "{again:?}");
}

#[tokio::test]
async fn a_generated_password_is_printed_once_and_works() {
    let place = Place::new().await;
    let done = place.run(&create(&["--role", "admin", "--generate"]));
    let lines = done.lines();
    assert_eq!(lines.len(), 2, "{done:?}");
    let (id, password) = (lines[0], lines[1]);
    assert_eq!((id.len(), password.len()), (24, 43));
    assert!(place.serve(&[]).logs_in("ann", password));
}

#[tokio::test]
async fn upsert_makes_and_then_changes() {
    let place = Place::new().await;
    let args = create(&["--role", "admin", "--upsert", "--password-stdin"]);
    let first = place.run_with(&args, PASSWORD);
    let second = place.run_with(&args, "another one");
    assert_eq!(first.lines(), second.lines());
    // Without a password the account keeps its own.
    let third = place.run(&create(&["--upsert", "--name", "Ann B."]));
    assert_eq!(first.lines(), third.lines());
    let server = place.serve(&[]);
    assert!(server.logs_in("ann", "another one") && !server.logs_in("ann", PASSWORD));
}

#[tokio::test]
async fn what_cannot_be_is_said_in_one_line() {
    let place = Place::new().await;
    let cases: [(&[&str], &str); 5] = [
        (&[], "an account needs --password-stdin or --generate"),
        (&["--generate", "--role", "king"], "there is no role king"),
        (&["--generate", "--id", "a b"], "the id is taken, or cannot be used"),
        (&["--generate", "--email", "nobody"], "not an e-mail address"),
        (&["--password-stdin"], "there is no password on standard input"),
    ];
    for (more, reason) in cases {
        let done = place.run(&create(more));
        assert_eq!((done.code, &*done.out), (Some(1), ""), "{done:?}");
        assert_eq!(done.err, format!("parlance: {reason}\n"));
    }
    let done = place.run(&create(&["--generate", "--password-stdin"]));
    assert_eq!(done.code, Some(2), "the two exclude each other");
}
