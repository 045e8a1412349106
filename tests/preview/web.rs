//! Another server, as previews meet them: it says byte for byte what a test wants said, and tells the
//! test what it was asked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Where what the guard permits listens, in these tests.
pub(crate) const OPEN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where what it refuses listens.
pub(super) const CLOSED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// What the server says.
pub(crate) enum Reply {
    /// This, and no more.
    All(Vec<u8>),
    /// This, then the last again and again, until nobody reads any more.
    Endless(Vec<u8>, Vec<u8>),
    /// This, and then nothing for as long as the test runs.
    Silent(Vec<u8>),
    /// This, once the test says so.
    Held(Arc<Notify>, Vec<u8>),
}

/// A page of this type.
pub(crate) fn page(content_type: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Reply::All([head.as_bytes(), body].concat())
}

/// An HTML page with this title.
pub(crate) fn titled(title: &str) -> Reply {
    page("text/html", format!("<html><head><title>{title}</title></head><body>x</body></html>"))
}

/// A redirect.
pub(super) fn moved(to: &str) -> Reply {
    Reply::All(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into())
}

/// A server that runs as long as this lives.
pub(crate) struct Web {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    count: watch::Receiver<usize>,
    /// Connections that are over.
    over: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Web {
    /// Listens and answers by the path of each request.
    pub(crate) async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Web {
        Self::listen(SocketAddr::new(OPEN, 0), None, answer).await
    }

    pub(super) async fn listen(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Web {
        let listener = TcpListener::bind(address).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let ((say, count), (end, over)) = (watch::channel(0), watch::channel(0));
        let (answer, heard) = (Arc::new(answer), asked.clone());
        let (say, end) = (Arc::new(say), Arc::new(end));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, heard, say) = (answer.clone(), heard.clone(), say.clone());
                let (tls, end) = (tls.clone(), end.clone());
                tokio::spawn(async move {
                    let told = |path: &str| {
                        heard.lock().unwrap().push(path.to_owned());
                        say.send_modify(|n| *n += 1);
                        answer(path)
                    };
                    match tls {
                        None => serve(stream, told).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, told).await;
                            }
                        }
                    }
                    end.send_modify(|n| *n += 1);
                });
            }
        });
        Web { port, asked, count, over, task }
    }

    /// The URL of a path here, under a host's name.
    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// The paths that were asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns when so many requests have come.
    pub(super) async fn asked_times(&self, times: usize) {
        self.count.clone().wait_for(|n| *n >= times).await.expect("a server");
    }

    /// Returns when so many connections are over.
    pub(super) async fn over_times(&self, times: usize) {
        self.over.clone().wait_for(|n| *n >= times).await.expect("a server");
    }
}

/// One request and its answer; whoever hangs up early ends it.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: impl Fn(&str) -> Reply) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => head.extend_from_slice(&piece[..read]),
            _ => return,
        }
        // A client that begins with TLS says nothing more before it is answered.
        if !head.starts_with(b"G") {
            return;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("");
    let text = match answer(path) {
        Reply::All(text) => text,
        Reply::Held(release, text) => {
            release.notified().await;
            text
        }
        Reply::Silent(text) => {
            let _ = stream.write_all(&text).await;
            // Until the other side hangs up.
            let _ = stream.read(&mut [0; 1]).await;
            return;
        }
        Reply::Endless(text, again) => {
            let mut more = stream.write_all(&text).await;
            while more.is_ok() {
                more = stream.write_all(&again).await;
            }
            return;
        }
    };
    let _ = stream.write_all(&text).await;
    let _ = stream.shutdown().await;
}
