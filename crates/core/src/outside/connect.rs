//! One GET on one connection to an address that was judged before. The peer is a stranger: its head
//! is bounded, compressed answers are not unpacked, and no more is read than the head of a page.

use super::{Client, Failed, Fetched};
use crate::time::Ms;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

/// Time for one address of several, in milliseconds.
const CONNECT_TIME: Ms = 3000;
/// Bytes of an answer's head.
const MOST_HEAD: usize = 32 * 1024;
const MOST_HEADERS: usize = 100;
/// Bytes of a page.
const MOST_BODY: usize = 256 * 1024;
/// Bytes of a header that is kept.
const MOST_VALUE: usize = 256;

/// What one request gave.
pub(super) enum Answer {
    Page(Fetched),
    Moved(String),
}

impl Client {
    /// Asks one of these addresses for a URL.
    pub(super) async fn exchange(
        &self,
        addresses: &[SocketAddr],
        host: &Host<String>,
        url: &Url,
    ) -> Result<Answer, Failed> {
        let stream = self.connect(addresses).await?;
        let request = request(url)?;
        if url.scheme() == "http" {
            return ask(stream, request).await;
        }
        let name = match host {
            Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(*address)),
            Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(*address)),
            Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                .map_err(|_| Failed("no name for a certificate"))?,
        };
        let stream = self.tls.connect(name, stream).await.map_err(|_| Failed("no TLS"))?;
        ask(stream, request).await
    }

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Failed> {
        for address in addresses {
            let connected = tokio::select! {
                biased;
                () = self.clock.sleep(CONNECT_TIME) => continue,
                connected = TcpStream::connect(address) => connected,
            };
            if let Ok(stream) = connected {
                return Ok(stream);
            }
        }
        Err(Failed("no connection"))
    }
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, Failed> {
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(header::USER_AGENT, concat!("Parlance/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.5")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close");
    request.body(Empty::new()).map_err(|_| Failed("not a URL to ask for"))
}

/// The connection is driven here and not by a task, so that it ends with whoever asked.
async fn ask<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Answer, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_headers(MOST_HEADERS).max_buf_size(MOST_HEAD);
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| Failed("no HTTP"))?;
    let work = async {
        let answer = sender.send_request(request).await.map_err(|_| Failed("no answer"))?;
        read(answer).await
    };
    match select(pin!(work), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        // What came before the end may not be read yet.
        Either::Right((_, work)) => work.await,
    }
}

async fn read(answer: Response<Incoming>) -> Result<Answer, Failed> {
    let (head, body) = answer.into_parts();
    let header = |name: HeaderName| text(&head.headers, &name);
    if head.status.is_redirection() {
        let place = head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        return place
            .map(|place| Answer::Moved(place.to_owned()))
            .ok_or(Failed("moved to nowhere"));
    }
    if !head.status.is_success() {
        return Err(Failed("not found"));
    }
    let content_type = header(header::CONTENT_TYPE);
    let plain = head.headers.get(header::CONTENT_ENCODING).is_none_or(|how| how == "identity");
    let html = match &content_type {
        Some(kind) if plain && is_html(kind) => Some(beginning(body).await?),
        _ => None,
    };
    let content_length = header(header::CONTENT_LENGTH);
    Ok(Answer::Page(Fetched { content_type, content_length, html }))
}

/// A header that is kept, if it is not too long for that.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= MOST_VALUE).then(|| value.to_owned())
}

fn is_html(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or("").trim();
    ["text/html", "application/xhtml+xml"].iter().any(|html| kind.eq_ignore_ascii_case(html))
}

/// A page up to the end of its head, or as much of it as is read of any.
async fn beginning(mut body: Incoming) -> Result<Vec<u8>, Failed> {
    const END: &[u8] = b"</head";
    let mut page = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failed("the page broke off"))?;
        let Some(data) = frame.data_ref() else { continue };
        let seen = page.len().saturating_sub(END.len());
        page.extend_from_slice(&data[..data.len().min(MOST_BODY - page.len())]);
        let ended = page[seen..].windows(END.len()).any(|part| part.eq_ignore_ascii_case(END));
        if ended || page.len() == MOST_BODY {
            break;
        }
    }
    Ok(page)
}
