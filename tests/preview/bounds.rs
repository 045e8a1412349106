//! Servers that are slow, talk without end, send what nobody asked for: each costs a bounded time and
//! memory, and none of them more than its preview.

use super::web::{Reply, Web, page};
use super::{Scene, soon};
use crate::app::START;
use parlance_core::Clock;
use serde_json::json;

const HTML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";

async fn scene(web: &Web) -> Scene {
    Scene::new(web, Clock::set(START)).await
}

#[tokio::test]
async fn a_slow_server_is_given_ten_seconds() {
    let web = Web::start(|path| match path {
        "/head" => Reply::Silent(HTML.into()),
        "/page" => Reply::Silent(format!("{HTML}\r\n<title>half").into()),
        "/early" => Reply::Silent(b"HTTP/1.1 100 Continue\r\n\r\n".into()),
        _ => Reply::Silent(Vec::new()),
    })
    .await;
    let scene = scene(&web).await;
    let mut now = START;
    for (n, path) in ["/", "/head", "/page", "/early"].into_iter().enumerate() {
        let url = web.url("page.example", path);
        let wait = async {
            web.asked_times(n + 1).await;
            now += 9_999;
            scene.app.clock.move_to(now);
            now += 1;
            scene.app.clock.move_to(now);
        };
        tokio::join!(scene.none(&url), soon("the request", wait));
        // Nothing goes on behind it.
        soon("the end of it", web.over_times(n + 1)).await;
    }
}

#[tokio::test]
async fn a_page_without_end_is_read_to_a_bound() {
    let title = format!("{HTML}\r\n<html><head><title>endless</title>");
    let web = Web::start(move |path| match path {
        "/head" => Reply::Endless(title.clone().into(), b"<meta name=x content=y>".repeat(40)),
        "/text" => Reply::Endless(format!("{HTML}\r\n<title>").into(), vec![b'x'; 4096]),
        "/chunks" => Reply::Endless(
            format!("{HTML}Transfer-Encoding: chunked\r\n\r\n17\r\n<title>in one</title>  \r\n")
                .into(),
            b"1\r\n \r\n".repeat(500),
        ),
        _ => Reply::Endless(
            format!("{HTML}\r\n<title>whole</title></HEAD >").into(),
            vec![b' '; 4096],
        ),
    })
    .await;
    let scene = scene(&web).await;
    for (n, (path, meta)) in [
        ("/head", json!({"pageTitle": "endless"})),
        ("/text", json!({})),
        ("/chunks", json!({"pageTitle": "in one"})),
        ("/ended", json!({"pageTitle": "whole"})),
    ]
    .into_iter()
    .enumerate()
    {
        let preview = scene.preview(&web.url("page.example", path)).await;
        assert_eq!(preview["meta"], meta, "{path}");
        soon("the server to be hung up on", web.over_times(n + 1)).await;
    }
}

#[tokio::test]
async fn heads_are_bounded() {
    let web = Web::start(|path| match path {
        "/long" => Reply::Endless(HTML.into(), format!("X-Long: {}\r\n", "x".repeat(900)).into()),
        "/line" => Reply::Endless(format!("{HTML}X-Line: ").into(), vec![b'x'; 4096]),
        "/many" => {
            Reply::All(format!("{HTML}{}\r\n<title>x</title>", "X: y\r\n".repeat(200)).into())
        }
        "/early" => Reply::Endless(Vec::new(), b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n".into()),
        "/type" => page(&format!("text/html; x={}", "x".repeat(300)), "<title>x</title>"),
        _ => Reply::All(format!("{HTML}{}\r\n<title>x</title>", "X: y\r\n".repeat(50)).into()),
    })
    .await;
    let scene = scene(&web).await;
    for path in ["/long", "/line", "/many"] {
        scene.none(&web.url("page.example", path)).await;
    }
    // Heads without end run into the time.
    let early = web.url("page.example", "/early");
    let wait = async {
        web.asked_times(4).await;
        scene.app.clock.move_to(START + 10_000);
    };
    tokio::join!(scene.none(&early), soon("the request", wait));
    // A header that is too long to keep is as if it were not there.
    let preview = scene.preview(&web.url("page.example", "/type")).await;
    assert_eq!(
        (&preview["meta"], &preview["headers"]),
        (&json!({}), &json!({"contentLength": "16"}))
    );
    let preview = scene.preview(&web.url("page.example", "/some")).await;
    assert_eq!(preview["meta"], json!({"pageTitle": "x"}));
}

#[tokio::test]
async fn what_is_packed_is_not_unpacked() {
    // The beginning of a gzip stream, which could become anything.
    let web = Web::start(|path| {
        let how = path.trim_start_matches('/');
        let text = b"\x1f\x8b\x08\0\0\0\0\0\0\x03<title>x</title>";
        let head =
            format!("{HTML}Content-Encoding: {how}\r\nContent-Length: {}\r\n\r\n", text.len());
        Reply::All([head.as_bytes(), text].concat())
    })
    .await;
    let scene = scene(&web).await;
    for how in ["gzip", "br", "deflate", "gzip,gzip", "GZIP"] {
        let preview = scene.preview(&web.url("page.example", &format!("/{how}"))).await;
        assert_eq!(preview["meta"], json!({}), "{how}");
        assert_eq!(preview["headers"]["contentType"], "text/html");
    }
}

#[tokio::test]
async fn other_letters_are_read() {
    let web = Web::start(|path| match path {
        "/latin" => page("text/html; charset=iso-8859-1", b"<title>caf\xe9</title>"),
        "/utf16" => page("text/html", b"\xff\xfe<\0t\0i\0t\0l\0e\0>\0x\0<\0/\0t\0i\0t\0l\0e\0>\0"),
        _ => page("text/html; charset=utf-8", b"<title>\xff\xfe\0caf\xc3\xa9\xc3</title>"),
    })
    .await;
    let scene = scene(&web).await;
    for (path, title) in [
        ("/latin", "caf\u{e9}"),
        ("/utf16", "x"),
        ("/", "\u{fffd}\u{fffd}\u{fffd}caf\u{e9}\u{fffd}"),
    ] {
        let preview = scene.preview(&web.url("page.example", path)).await;
        assert_eq!(preview["meta"]["pageTitle"], title, "{path}");
    }
}
