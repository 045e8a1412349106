//! A mail server, as letters meet it: it takes them in the clear, after STARTTLS or behind TLS, and tells
//! the test every line that it heard, and whether anybody else could have.

use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// When a server speaks TLS.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Tls {
    Never,
    /// When it is asked to.
    Asked,
    /// When it is asked to, and then it does not.
    Broken,
    /// From the first byte.
    Always,
}

/// A certificate and its key.
pub(crate) type Identity = (&'static [u8], &'static [u8]);

/// What a server heard.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// A line that everybody between could read.
    Open(String),
    /// A line under TLS.
    Sealed(String),
    /// A client that did not like the certificate.
    Refused,
    /// The end of a connection.
    End,
}

/// A mail server that runs as long as this lives.
pub(crate) struct Server {
    pub(crate) port: u16,
    heard: Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor((certificate, key): Identity) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key).into())
        .unwrap();
    Arc::new(config).into()
}

impl Server {
    /// Listens; says no to every password unless `opens`, and repeats it in the refusal.
    pub(crate) async fn start(tls: Tls, identity: Identity, opens: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (say, heard) = mpsc::channel(1024);
        let acceptor = acceptor(identity);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever hangs up ends the talk, not the server.
                let _ = talk(stream, tls, &acceptor, opens, &say).await;
                let _ = say.send(Heard::End).await;
            }
        });
        Self { port, heard, task }
    }

    /// All that is heard until the connection ends.
    pub(crate) async fn connection(&mut self) -> Vec<Heard> {
        let mut all = Vec::new();
        loop {
            match crate::store::soon("a letter", self.heard.recv()).await.expect("a server") {
                Heard::End => return all,
                heard => all.push(heard),
            }
        }
    }

    /// Was nobody else here?
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}

async fn talk(
    stream: TcpStream,
    tls: Tls,
    acceptor: &TlsAcceptor,
    opens: bool,
    say: &Sender<Heard>,
) -> std::io::Result<()> {
    if tls == Tls::Always {
        return sealed(stream, acceptor, true, opens, say).await;
    }
    let mut stream = BufReader::new(stream);
    let offer = tls != Tls::Never;
    let upgrade = lines(&mut stream, (true, offer, opens), Heard::Open, say).await?;
    if upgrade && tls == Tls::Asked {
        return sealed(stream.into_inner(), acceptor, false, opens, say).await;
    }
    Ok(())
}

async fn sealed(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    greet: bool,
    opens: bool,
    say: &Sender<Heard>,
) -> std::io::Result<()> {
    match acceptor.accept(stream).await {
        Ok(stream) => {
            let mut stream = BufReader::new(stream);
            let heard = Heard::Sealed;
            // A client that judges late may have shaken hands before it goes.
            let done = lines(&mut stream, (greet, false, opens), heard, say).await;
            if done.is_err() {
                let _ = say.send(Heard::Refused).await;
            }
            done.map(drop)
        }
        Err(error) => {
            let _ = say.send(Heard::Refused).await;
            Err(error)
        }
    }
}

/// Answers line by line; `true` if the client is to be met with TLS now.
async fn lines<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    (greet, offer, opens): (bool, bool, bool),
    heard: impl Fn(String) -> Heard,
    say: &Sender<Heard>,
) -> std::io::Result<bool> {
    if greet {
        stream.write_all(b"220 mail.example\r\n").await?;
    }
    let mut letter = false;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let text = line.trim_end().to_owned();
        let word = text.split(' ').next().unwrap_or("").to_ascii_uppercase();
        let _ = say.send(heard(text.clone())).await;
        let answer = match word.as_str() {
            "." if letter => {
                letter = false;
                "250 taken".to_owned()
            }
            _ if letter => continue,
            "EHLO" if offer => "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN".to_owned(),
            "EHLO" => "250-mail.example\r\n250 AUTH PLAIN".to_owned(),
            "STARTTLS" => "220 go ahead".to_owned(),
            "AUTH" if opens => "235 welcome".to_owned(),
            "AUTH" => format!("535 not with {}", text.rsplit(' ').next().unwrap_or("")),
            "DATA" => {
                letter = true;
                "354 go ahead".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 fine".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        stream.flush().await?;
        match word.as_str() {
            "STARTTLS" => return Ok(true),
            "QUIT" => return Ok(false),
            _ => {}
        }
    }
}
