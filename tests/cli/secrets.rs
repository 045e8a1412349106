//! The real server with a real mail server beside it: what is secret is in no line of the log, however
//! much is logged, and in no file but those that are for it; a link that was sent works.

use super::{Place, Server};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

/// Speaks as much SMTP as a letter takes; gives what was sent.
fn letter(stream: TcpStream) -> String {
    let mut out = stream.try_clone().unwrap();
    let mut say = |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    say("220 mail.example.com");
    let (mut text, mut in_data) = (String::new(), false);
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        match line.split(' ').next().unwrap_or("").to_ascii_uppercase().as_str() {
            _ if in_data && line == "." => {
                in_data = false;
                say("250 taken");
            }
            _ if in_data => text.extend([&line, "\n"]),
            "EHLO" => say("250 mail.example.com"),
            "DATA" => {
                in_data = true;
                say("354 go on");
            }
            "QUIT" => {
                say("221 bye");
                break;
            }
            _ => say("250 ok"),
        }
    }
    text
}

/// A mail server, and the letters that it took.
fn mail_server() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (give, letters) = mpsc::sync_channel(8);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if give.send(letter(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (port, letters)
}

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let (start, end) = (body.find('{').unwrap(), body.rfind('}').unwrap());
    serde_json::from_str(&body[start..=end]).unwrap()
}

fn post(server: &Server, name: &str, headers: &str, what: &Value) -> Value {
    body(&server.ask("POST", &format!("/api/v1/{name}"), headers, &what.to_string()))
}

#[tokio::test]
async fn no_secret_is_in_the_log_and_the_link_works() {
    let place = Place::new().await;
    let (port, letters) = mail_server();
    let server = place.serve(&[
        ("PARLANCE_LOG", "debug"),
        ("ADMIN_PASS", "KANARI-of-the-admin"),
        ("ADMIN_EMAIL", "admin@example.com"),
        ("CREATE_TOKENS_FOR_USERS", "true"),
        ("CREATE_TOKENS_FOR_USERS_SECRET", "KANARI-create"),
        ("OVERWRITE_SETTING_SMTP_Host", "127.0.0.1"),
        ("OVERWRITE_SETTING_SMTP_Port", &port),
        ("OVERWRITE_SETTING_SMTP_Password", "KANARI-smtp"),
        ("OVERWRITE_SETTING_From_Email", "Chat <chat@example.com>"),
    ]);
    let password = json!({"user": "admin", "password": "KANARI-of-the-admin"});
    let data = post(&server, "login", "", &password)["data"].clone();
    let (token, id) = (data["authToken"].as_str().unwrap(), data["userId"].as_str().unwrap());
    let headers = format!("X-Auth-Token: {token}\r\nX-User-Id: {id}\r\n");
    let named = json!({"tokenName": "ci"});
    let named = post(&server, "users.generatePersonalAccessToken", &headers, &named);
    let named = named["token"].as_str().unwrap().to_owned();
    let made = json!({"userId": id, "secret": "KANARI-create"});
    let made = post(&server, "users.createToken", &headers, &made)["data"]["authToken"].clone();
    let wrong = json!({"user": "admin", "password": "KANARI-wrong", "code": "KANARI-code"});
    assert_eq!(post(&server, "login", "", &wrong)["error"], "Unauthorized");
    let forgot = json!({"email": "admin@example.com"});
    assert_eq!(post(&server, "users.forgotPassword", "", &forgot)["success"], true);
    let letter = letters.recv().unwrap();
    assert!(letter.contains("To: admin@example.com\n"), "{letter}");
    assert!(letter.contains("From: Chat <chat@example.com>\n"), "{letter}");
    // The end of a line may be written as `=`.
    let text = letter.replace("=\n", "");
    let link = text.split("/reset-password/").nth(1).unwrap();
    let reset = link.split_whitespace().next().unwrap().to_owned();
    assert_eq!(reset.len(), 43, "{letter}");
    let form = json!({"password": "KANARI-chosen"}).to_string();
    let path = format!("/reset-password/{reset}");
    assert!(server.ask("GET", &path, "", "").starts_with("HTTP/1.1 200"));
    assert!(server.ask("POST", &path, "", &form).starts_with("HTTP/1.1 200"));
    assert!(server.logs_in("admin", "KANARI-chosen"));
    let secrets = [token, &named, made.as_str().unwrap(), &reset];
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(
        log.contains("/reset-password/") && log.contains("DEBUG"),
        "everything is logged: {log}"
    );
    let canary =
        log.find("KANARI").map(|at| &log[at.saturating_sub(300)..(at + 60).min(log.len())]);
    assert_eq!(canary, None);
    for secret in secrets {
        assert!(!log.contains(secret), "{secret}");
    }
    for file in std::fs::read_dir(&place.dir).unwrap().map(|file| file.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in secrets.iter().chain(&["KANARI"]) {
            let held = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!held, "{secret} in {}", file.display());
        }
    }
}

#[tokio::test]
async fn the_key_is_made_once_and_only_the_operator_reads_it() {
    let place = Place::new().await;
    assert_eq!(place.serve(&[]).stop().0, Some(0));
    let file = place.dir.join("secret-key");
    let key = std::fs::read_to_string(&file).unwrap();
    assert_eq!(key.trim().len(), 43);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (_, log) = place.serve(&[]).stop();
    assert!(!log.contains("not the key"), "{log}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), key);
    let other = ("PARLANCE_SECRET_KEY", "another key of thirty-two letters");
    let (code, log) = place.serve(&[other]).stop();
    assert!(code == Some(0) && log.contains("not the key") && !log.contains(other.1), "{log}");
    let mut command = place.command(&["serve"]);
    command.env("PARLANCE_SECRET_KEY", "short");
    let done = super::finish(command, "");
    let why = "parlance: the secret key must have at least 32 characters\n";
    assert_eq!((done.code, done.err.as_str()), (Some(1), why));
    let mut command = place.command(&["serve"]);
    command.env("MAX_RESUME_LOGIN_TOKENS", "none");
    let done = super::finish(command, "");
    assert_eq!(done.err, "parlance: MAX_RESUME_LOGIN_TOKENS is not a number from 1\n");
}
