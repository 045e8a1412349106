//! The socket of a server with the embedded store: who may use it, and what it makes of nonsense.

use super::Place;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};

/// One line to the socket, one back.
fn say(stream: &mut BufReader<UnixStream>, line: &str) -> Value {
    stream.get_mut().write_all(line.as_bytes()).unwrap();
    stream.get_mut().write_all(b"\n").unwrap();
    let mut answer = String::new();
    stream.read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn it_is_there_while_the_server_runs_and_only_for_its_user() {
    let place = Place::embedded();
    let path = place.dir.join("parlance.sock");
    // Left by a server that was killed.
    std::fs::create_dir_all(&place.dir).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let server = place.serve(&[]);
    let socket = std::fs::metadata(&path).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    assert!(place.run(&["user", "list"]).lines().len() > 2);
    assert_eq!(server.stop().0, Some(0));
    assert!(!path.exists());
    // Without a server, and with a socket that nobody listens at.
    drop(UnixListener::bind(&path).unwrap());
    assert!(place.run(&["user", "list"]).lines().len() > 2);
}

#[test]
fn nonsense_is_refused_and_not_repeated() {
    let place = Place::embedded();
    let server = place.serve(&[]);
    let path = place.dir.join("parlance.sock");
    let mut stream = BufReader::new(UnixStream::connect(&path).unwrap());
    let nonsense = [
        "",
        "{",
        "null",
        "\"list_everything\"",
        r#"{"reset_password":{"user":"admin","password":7,"secret-value":"secret-value"}}"#,
        r#"{"secret-value":{}}"#,
        "\u{0}secret-value",
    ];
    for line in nonsense {
        let answer = say(&mut stream, line);
        let why = answer["Err"].as_str().unwrap();
        assert!(why.contains("does not know this request"), "{line}: {why}");
    }
    // The connection goes on after all that.
    assert!(say(&mut stream, "\"list_settings\"")["Ok"]["settings"].is_array());
    // A page is a page, whatever is asked for.
    let audit = r#"{"audit":{"filter":{},"after":null,"newest_first":true,"limit":-5}}"#;
    assert!(say(&mut stream, audit)["Ok"]["audit"]["entries"].is_array());
    // A request without an end is cut off.
    let long = vec![b'x'; 64 * 1024];
    stream.get_mut().write_all(&long).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "{\"Err\":\"the request is too long\"}\n");
    let (_, log) = server.stop();
    assert!(!log.contains("secret-value"), "{log}");
}

#[test]
fn more_commands_than_are_served_at_once_all_end() {
    let place = Place::embedded();
    let _server = place.serve(&[]);
    let path = place.dir.join("parlance.sock");
    // Those who connect and say nothing take places until they go.
    let silent: Vec<UnixStream> = (0..7).map(|_| UnixStream::connect(&path).unwrap()).collect();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let place = &place;
            scope.spawn(move || {
                let name = format!("user{n}");
                place.run(&["user", "create", "--username", &name, "--generate"]).lines();
            });
        }
    });
    drop(silent);
    assert_eq!(place.run(&["user", "list", "--json"]).lines().len(), 10);
}

#[test]
fn a_path_that_is_too_long_for_a_socket_is_no_reason_not_to_start() {
    let mut place = Place::embedded();
    let short = place.dir.clone();
    place.dir = place.dir.join("d".repeat(120));
    let server = place.serve(&[]);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("commands of the shell need the server to be stopped"), "{log}");
    assert!(place.run(&["user", "list"]).lines().len() > 2);
    std::fs::remove_dir_all(short).unwrap();
}
