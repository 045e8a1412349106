//! Mail: letters wait in a bounded queue and are sent one after the other, with the settings of then,
//! so that no answer waits for a mail server, and none tells by its time whether there was anybody to
//! write to. A letter that cannot be sent is told to the operator, without what it says.

use crate::error::{Error, Result};
use crate::setting::{self, Settings};
use crate::{Core, Inner};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::fmt;
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::mpsc;

/// Letters that wait at most; more are not sent.
const WAITING: usize = 256;
/// How long a mail server may take for a letter.
const PATIENCE: Duration = Duration::from_secs(30);

/// One letter. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Letter {
    /// The address of the one who gets it.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(…)")
    }
}

/// How letters leave.
#[derive(Clone, Debug, Default)]
pub enum Mail {
    /// By the server that the `SMTP_` settings name.
    #[default]
    Smtp,
    /// Into the hands of a test.
    Hand(mpsc::Sender<Letter>),
}

/// What is done behind the answers.
pub(crate) enum Job {
    /// A letter is sent.
    Letter(Letter),
    /// Somebody forgot the password of the account of this address; the link begins with the second.
    Reset(String, String),
    /// Somebody wants a code for the second factor of the account of this name or address.
    Code(String),
}

/// The queue, and whoever works it off for as long as there is a core.
pub(crate) fn queue() -> (mpsc::Sender<Job>, mpsc::Receiver<Job>) {
    mpsc::channel(WAITING)
}

/// Does what waits, until the core is gone. Authorities (DER) are believed beside the public ones.
pub(crate) async fn work(
    core: Weak<Inner>,
    (mail, authorities): (Mail, Vec<Vec<u8>>),
    mut jobs: mpsc::Receiver<Job>,
) {
    while let Some(job) = jobs.recv().await {
        let Some(core) = core.upgrade().map(Core) else {
            return;
        };
        let done = match job {
            Job::Letter(letter) => core.deliver(&mail, &authorities, letter).await,
            Job::Reset(address, root_url) => core.send_reset(&address, &root_url).await,
            Job::Code(who) => core.send_asked_code(&who).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "a letter was not sent");
        }
    }
}

impl Core {
    /// Is it said how to send mail?
    pub fn can_mail(&self) -> bool {
        let settings = self.settings();
        !settings.text(&setting::SMTP_HOST).is_empty()
            && !settings.text(&setting::FROM_EMAIL).is_empty()
    }

    /// Has something done later; not at all when too much waits already.
    pub(crate) fn post(&self, job: Job) {
        if self.jobs().try_send(job).is_err() {
            tracing::warn!("too many letters wait: one was not sent");
        }
    }

    async fn deliver(&self, mail: &Mail, authorities: &[Vec<u8>], letter: Letter) -> Result<()> {
        match mail {
            Mail::Hand(hand) => hand.send(letter).await.map_err(Error::unavailable),
            Mail::Smtp => {
                let settings = self.settings();
                let message = message(&settings, letter)?;
                let transport = self.transport(&settings, authorities)?;
                let sent = tokio::time::timeout(PATIENCE, transport.send(message)).await;
                sent.map_err(Error::unavailable)?.map(drop).map_err(unsent)
            }
        }
    }

    fn transport(
        &self,
        settings: &Settings,
        authorities: &[Vec<u8>],
    ) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
        let host = settings.text(&setting::SMTP_HOST);
        let user = settings.text(&setting::SMTP_USERNAME);
        let secret = self.secret_setting(&setting::SMTP_PASSWORD).unwrap_or_default();
        let tls = || {
            let mut builder = TlsParameters::builder(host.to_owned());
            for authority in authorities {
                let authority =
                    Certificate::from_der(authority.clone()).map_err(Error::internal)?;
                builder = builder.add_root_certificate(authority);
            }
            builder.build().map_err(Error::unavailable)
        };
        let (tls, port) = if settings.text(&setting::SMTP_PROTOCOL) == "smtps" {
            (Tls::Wrapper(tls()?), 465)
        } else if settings.on(&setting::SMTP_IGNORE_TLS) {
            (Tls::None, 25)
        } else if user.is_empty() {
            (Tls::Opportunistic(tls()?), 25)
        } else {
            // A password is told to nobody who only says that he has no TLS.
            (Tls::Required(tls()?), 587)
        };
        let set = u16::try_from(settings.number(&setting::SMTP_PORT)).ok().filter(|n| *n > 0);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(set.unwrap_or(port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        if !user.is_empty() {
            builder = builder.credentials(Credentials::new(user.to_owned(), secret));
        }
        Ok(builder.build())
    }
}

/// Why a letter was not sent, without what the server said: it may repeat what it was told.
fn unsent(error: smtp::Error) -> Error {
    match error.status() {
        Some(code) => Error::unavailable(format!("the mail server refused it ({code})")),
        None if error.is_response() => {
            Error::unavailable("the mail server does not talk as it should")
        }
        None => Error::unavailable(error),
    }
}

/// The letter as mail: addresses are parsed, so that none can bring a header along.
fn message(settings: &Settings, letter: Letter) -> Result<Message> {
    let mailbox = |text: &str| {
        text.parse::<Mailbox>().map_err(|_| Error::unavailable("an address cannot be written to"))
    };
    let subject: String = letter.subject.chars().filter(|c| !c.is_control()).collect();
    let to = Mailbox::new(None, mailbox(&letter.to)?.email);
    Message::builder()
        .from(mailbox(settings.text(&setting::FROM_EMAIL))?)
        .to(to)
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text)
        .map_err(Error::unavailable)
}

#[cfg(test)]
mod tests {
    use super::{Letter, message};
    use crate::setting::Settings;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn no_address_and_no_subject_brings_a_header_along() {
        let from = (json!("Parlance <chat@example.com>"), 0);
        let settings = Settings::new(BTreeMap::from([("From_Email".to_owned(), from)]), 0);
        let letter = |to: &str| Letter {
            to: to.to_owned(),
            subject: "a\r\nBcc: eve@example.com".to_owned(),
            text: "b".to_owned(),
        };
        let sent = message(&settings, letter("ann@example.com")).expect("a message");
        let text = String::from_utf8(sent.formatted()).expect("text");
        assert!(!text.contains("\nBcc:") && text.contains("\nTo: ann@example.com\r\n"), "{text}");
        for to in ["ann@example.com\r\nBcc: eve@example.com", "a@b.c, d@e.f", "", "no"] {
            assert!(message(&settings, letter(to)).is_err(), "{to}");
        }
    }
}
