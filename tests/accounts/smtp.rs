//! Mail as it leaves: to a real mail server in this process, in the clear where the operator said so, after
//! STARTTLS and behind TLS, with certificates that count and others, and without a secret in the log.

pub(crate) mod server;

use super::{app_with, set};
use crate::app::TestApp;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use server::{Heard, Identity, Server, Tls};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing::subscriber::DefaultGuard;

/// The authority that is believed here, and a certificate of its for 127.0.0.1.
pub(crate) const AUTHORITY: &[u8] = include_bytes!("tls/authority.der");
pub(crate) const OURS: Identity =
    (include_bytes!("tls/server.der"), include_bytes!("tls/server.key.der"));
/// Another authority's, for another name.
const THEIR_AUTHORITY: &[u8] = include_bytes!("../preview/tls/authority.der");
const THEIRS: Identity =
    (include_bytes!("../preview/tls/server.der"), include_bytes!("../preview/tls/server.key.der"));

const SECRET: &str = "KANARI-mail";

/// What is logged while this lives, by this test's thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// The line about a letter that was not sent.
    async fn unsent(&self) -> String {
        let found = async {
            loop {
                let text = self.text();
                if let Some(line) = text.lines().find(|line| line.contains("a letter was not sent"))
                {
                    return line.to_owned();
                }
                tokio::task::yield_now().await;
            }
        };
        crate::store::soon("a line of the log", found).await
    }

    /// Neither the password stands here, in any form, nor what a letter says.
    #[track_caller]
    fn is_clean(&self) {
        let text = self.text();
        for secret in [SECRET.to_owned(), plain(), "reset-password/".to_owned()] {
            assert!(!text.contains(&secret), "{secret} in {text}");
        }
    }
}

/// User and password as `AUTH PLAIN` has them.
fn plain() -> String {
    STANDARD.encode(format!("\0post\0{SECRET}"))
}

/// A server with Ann's account, that sends by this mail server and believes these authorities.
async fn sending(server: &Server, authorities: &[&[u8]], more: &[(&str, Value)]) -> TestApp {
    let authorities = authorities.iter().map(|one| one.to_vec()).collect();
    let app = app_with(|options| options.outside.authorities = authorities).await;
    let usual = [
        ("SMTP_Host", json!("127.0.0.1")),
        ("SMTP_Port", json!(server.port)),
        ("From_Email", json!("chat@example.com")),
        ("SMTP_Username", json!("post")),
        ("SMTP_Password", json!(SECRET)),
    ];
    set(&app, &usual).await;
    set(&app, more).await;
    app.user("ann").await;
    app
}

/// Has a letter with a link sent to Ann.
async fn forget(app: &TestApp) {
    let body = json!({"email": "ann@example.com"});
    app.call(Method::POST, "/api/v1/users.forgotPassword", &[], Some(&body)).await.ok();
}

/// The lines of a letter that arrived, each under TLS; before it only what asks for that.
#[track_caller]
fn sealed(heard: &[Heard], asked: bool) -> Vec<&str> {
    let mut open = Vec::new();
    let mut sealed = Vec::new();
    for heard in heard {
        match heard {
            Heard::Open(line) => open.push(line.as_str()),
            Heard::Sealed(line) => sealed.push(line.as_str()),
            other => panic!("{other:?}"),
        }
    }
    let want: &[&str] = if asked { &["EHLO", "STARTTLS"] } else { &[] };
    let words: Vec<&str> = open.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(words, want);
    sealed
}

#[track_caller]
fn is_letter(lines: &[&str]) {
    let has = |what: &str| lines.iter().any(|line| line.contains(what));
    assert!(has(&format!("AUTH PLAIN {}", plain())), "{lines:?}");
    assert!(has("RCPT TO:<ann@example.com>") && has("/reset-password/"), "{lines:?}");
}

#[tokio::test]
async fn a_letter_goes_after_starttls_or_behind_tls() {
    let (log, _guard) = Log::begin();
    for (tls, protocol) in [(Tls::Asked, "smtp"), (Tls::Always, "smtps")] {
        let mut server = Server::start(tls, OURS, true).await;
        let more = [("SMTP_Protocol", json!(protocol))];
        let app = sending(&server, &[AUTHORITY], &more).await;
        forget(&app).await;
        let heard = server.connection().await;
        is_letter(&sealed(&heard, tls == Tls::Asked));
    }
    // Without a password, too, TLS is taken where it is offered.
    let mut server = Server::start(Tls::Asked, OURS, true).await;
    let app = sending(&server, &[AUTHORITY], &[("SMTP_Username", json!(""))]).await;
    forget(&app).await;
    let heard = server.connection().await;
    assert!(sealed(&heard, true).iter().any(|line| line.contains("/reset-password/")));
    assert!(!log.text().contains("a letter was not sent"), "{}", log.text());
    log.is_clean();
}

#[tokio::test]
async fn a_wrong_certificate_is_refused_and_nothing_is_said() {
    // Nobody who is believed; a name that is not the server's; both.
    let cases: [(Identity, &[&[u8]]); 3] =
        [(OURS, &[]), (THEIRS, &[AUTHORITY, THEIR_AUTHORITY]), (THEIRS, &[AUTHORITY])];
    for (tls, protocol) in [(Tls::Asked, "smtp"), (Tls::Always, "smtps")] {
        for (user, (identity, authorities)) in
            ["post", ""].into_iter().flat_map(|user| cases.map(|case| (user, case)))
        {
            let (log, _guard) = Log::begin();
            let mut server = Server::start(tls, identity, true).await;
            let more = [("SMTP_Protocol", json!(protocol)), ("SMTP_Username", json!(user))];
            let app = sending(&server, authorities, &more).await;
            forget(&app).await;
            let heard = server.connection().await;
            let open = if tls == Tls::Asked { 2 } else { 0 };
            assert_eq!(heard.len(), open + 1, "{heard:?}");
            assert_eq!(heard.last(), Some(&Heard::Refused));
            let line = log.unsent().await;
            assert!(line.contains("certificate"), "{line}");
            log.is_clean();
            assert!(server.is_quiet(), "it is not tried in the clear");
        }
    }
}

#[tokio::test]
async fn a_password_is_told_to_nobody_without_tls() {
    for (tls, protocol) in
        [(Tls::Never, "smtp"), (Tls::Broken, "smtp"), (Tls::Never, "smtps"), (Tls::Asked, "smtps")]
    {
        let (log, _guard) = Log::begin();
        let mut server = Server::start(tls, OURS, true).await;
        let app = sending(&server, &[AUTHORITY], &[("SMTP_Protocol", json!(protocol))]).await;
        forget(&app).await;
        let heard = server.connection().await;
        let said = |what: &str| {
            heard.iter().any(|heard| matches!(heard, Heard::Open(line) if line.contains(what)))
        };
        assert!(!said("AUTH") && !said("MAIL") && !said(SECRET), "{heard:?}");
        log.unsent().await;
        log.is_clean();
    }
    // The operator may say that it is to be so.
    let (log, _guard) = Log::begin();
    let mut server = Server::start(Tls::Asked, OURS, true).await;
    let app = sending(&server, &[AUTHORITY], &[("SMTP_IgnoreTLS", json!(true))]).await;
    forget(&app).await;
    let heard = server.connection().await;
    let lines = heard.iter().map(|heard| match heard {
        Heard::Open(line) => line.as_str(),
        other => panic!("{other:?}"),
    });
    is_letter(&lines.collect::<Vec<_>>());
    log.is_clean();
}

#[tokio::test]
async fn a_server_that_repeats_the_password_does_not_get_it_into_the_log() {
    let (log, _guard) = Log::begin();
    let mut server = Server::start(Tls::Always, OURS, false).await;
    let app = sending(&server, &[AUTHORITY], &[("SMTP_Protocol", json!("smtps"))]).await;
    forget(&app).await;
    let heard = server.connection().await;
    assert!(heard.contains(&Heard::Sealed(format!("AUTH PLAIN {}", plain()))), "{heard:?}");
    let line = log.unsent().await;
    assert!(line.contains("the mail server refused it (535)"), "{line}");
    log.is_clean();
}
