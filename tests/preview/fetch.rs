//! `chat.getURLPreview` and the guard behind it: who may ask, what a page gives, and what is never called.

use super::web::{CLOSED, OPEN, Web, moved, page, titled};
use super::{Scene, in_turn, soon};
use crate::app::START;
use crate::rocketchat::set;
use parlance_core::{Clock, Resolver};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;

fn still() -> Clock {
    Clock::set(START)
}

#[tokio::test]
async fn a_page_says_what_it_is() {
    let html = r#"<html><head><title>A page</title><meta property="og:title" content="The page">
        <meta name="description" content="Of a test"></head><body></body></html>"#;
    let web = Web::start(move |_| page("text/html; charset=utf-8", html)).await;
    let scene = Scene::new(&web, still()).await;
    let url = web.url("page.example", "/a/b?c=d#e");
    let meta = json!({"pageTitle": "A page", "ogTitle": "The page", "description": "Of a test"});
    let headers = json!({"contentType": "text/html; charset=utf-8",
        "contentLength": html.len().to_string()});
    let want = json!({"url": url, "meta": meta, "headers": headers, "ignoreParse": true});
    assert_eq!(scene.ask(&url).await.ok(), json!({"urlPreview": want, "success": true}));
    assert_eq!(web.asked(), ["/a/b?c=d"]);
    // What is no page has headers only.
    let web = Web::start(|_| page("image/png", "<title>no</title>")).await;
    let ports = json!(web.port.to_string());
    scene.app.core.overwrite_setting("API_EmbedSafePorts", &ports).await.unwrap();
    let preview = scene.preview(&web.url("page.example", "/x.png")).await;
    assert_eq!(preview["meta"], json!({}));
    assert_eq!(preview["headers"], json!({"contentType": "image/png", "contentLength": "17"}));
}

#[tokio::test]
async fn who_may_ask_and_how() {
    let web = Web::start(|_| titled("x")).await;
    let scene = Scene::new(&web, still()).await;
    let (room, url) = (scene.room.as_str(), web.url("page.example", "/"));
    let refused = |text: &str| {
        json!({"success": false, "error": format!("{text} [invalid-params]"),
            "errorType": "invalid-params"})
    };
    let rocket = scene.app.rocket(&scene.ann);
    for (query, text) in [
        (vec![("url", url.as_str())], "must have required property 'roomId'"),
        (vec![("roomId", room)], "must have required property 'url'"),
        (vec![("roomId", room), ("url", "")], "must NOT have fewer than 1 characters"),
        (vec![("roomId", ""), ("url", &url)], "must NOT have fewer than 1 characters"),
        (vec![("roomId", room), ("url", &url), ("x", "y")], "must NOT have additional properties"),
        (vec![("roomId", room), ("url", &url), ("url", &url)], "must be string"),
    ] {
        let answer = rocket.get("chat.getURLPreview", &query).await;
        assert_eq!(answer.expect(400), refused(text), "{query:?}");
    }
    // A foreign room and one that is not there are the same, and nothing is asked for either.
    let eve = scene.app.user("eve").await;
    for room in [room, "nothing"] {
        let query = [("roomId", room), ("url", url.as_str())];
        let answer = scene.app.rocket(&eve).get("chat.getURLPreview", &query).await;
        let want = json!({"success": false, "error": "Not allowed [error-not-allowed]",
            "errorType": "error-not-allowed"});
        assert_eq!(answer.expect(400), want);
    }
    set(&scene.app, &scene.boss, "API_Embed", json!(false)).await;
    let off = scene.ask(&url).await.expect(400);
    assert_eq!(off["error"], "Link previews are off [error-action-not-allowed]");
    assert_eq!(off["details"], json!({"method": "getURLPreview", "action": "API_Embed"}));
    assert_eq!(web.asked(), [""; 0]);
}

#[tokio::test]
async fn refused_and_failed_are_one_answer() {
    let web = Web::start(|path| match path {
        "/gone" => super::web::Reply::All(b"HTTP/1.1 404 Not Found\r\n\r\n<title>x</title>".into()),
        "/broken" => super::web::Reply::All(b"SSH-2.0-x\r\n".into()),
        "/short" => super::web::Reply::All(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<title>x"
                .into(),
        ),
        _ => titled("inside"),
    })
    .await;
    let inside = Web::listen(SocketAddr::new(CLOSED, web.port), None, |_| titled("inside")).await;
    let resolver = Resolver::set(|host| match host {
        "page.example" => vec![OPEN],
        "inside.example" => vec![CLOSED],
        _ => Vec::new(),
    });
    let scene = Scene::with(&web, still(), resolver).await;
    assert_eq!(scene.preview(&web.url("page.example", "/")).await["meta"]["pageTitle"], "inside");
    let port = web.port;
    for url in [
        web.url("inside.example", "/"),
        web.url("127.0.0.2", "/"),
        web.url("127.2", "/"),
        web.url("2130706434", "/"),
        web.url("0x7f.2", "/"),
        web.url("[::ffff:127.0.0.2]", "/"),
        web.url("[::1]", "/"),
        web.url("10.0.0.1", "/"),
        web.url("169.254.169.254", "/latest/meta-data/"),
        web.url("localhost", "/"),
        web.url("nowhere.example", "/"),
        web.url("ann:secret@page.example", "/"),
        web.url("page.example", "/gone"),
        web.url("page.example", "/broken"),
        web.url("page.example", "/short"),
        format!("https://page.example:{port}/"),
        "http://page.example:1/".to_owned(),
        "http://page.example/closed-port".to_owned(),
        format!("ftp://page.example:{port}/"),
        "file:///etc/passwd".to_owned(),
        "http://localhost:3000/direct/x?msg=y".to_owned(),
        "page.example".to_owned(),
        "http://".to_owned(),
        format!("{}{}", web.url("page.example", "/"), "x".repeat(3000)),
    ] {
        scene.none(&url).await;
    }
    assert_eq!(inside.asked(), [""; 0]);
    assert_eq!(web.asked(), ["/", "/gone", "/broken", "/short"]);
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let web = Web::start(titled).await;
    let inside = Web::listen(SocketAddr::new(CLOSED, web.port), None, |_| titled("inside")).await;
    let (resolver, asked) = in_turn(vec![vec![OPEN], vec![CLOSED]]);
    let scene = Scene::with(&web, still(), resolver).await;
    // It is resolved once, and called where it was judged.
    let preview = scene.preview(&web.url("rebind.example", "/first")).await;
    assert_eq!(
        (&preview["meta"]["pageTitle"], asked.load(Ordering::SeqCst)),
        (&json!("/first"), 1)
    );
    scene.none(&web.url("rebind.example", "/second")).await;
    assert_eq!((asked.load(Ordering::SeqCst), inside.asked().len()), (2, 0));
    // The next hop is the next judgement.
    let web = Web::start(|_| moved("/again")).await;
    let inside = Web::listen(SocketAddr::new(CLOSED, web.port), None, |_| titled("inside")).await;
    let (resolver, asked) = in_turn(vec![vec![OPEN], vec![CLOSED]]);
    let scene = Scene::with(&web, still(), resolver).await;
    scene.none(&web.url("rebind.example", "/")).await;
    assert_eq!((asked.load(Ordering::SeqCst), web.asked().len(), inside.asked().len()), (2, 1, 0));
}

#[tokio::test]
async fn the_machine_knows_its_own_name() {
    let web = Web::start(titled).await;
    let scene = Scene::with(&web, still(), Resolver::default()).await;
    let url = |path: &str| web.url("localhost", path);
    scene.none(&url("/ignored")).await;
    for (id, value) in
        [("API_EmbedIgnoredHosts", ""), ("Parlance_Preview_Allowed_Networks", "127.0.0.1, ::1")]
    {
        set(&scene.app, &scene.boss, id, json!(value)).await;
    }
    assert_eq!(scene.preview(&url("/")).await["meta"]["pageTitle"], "/");
    set(&scene.app, &scene.boss, "Parlance_Preview_Allowed_Networks", json!("")).await;
    scene.none(&url("/refused")).await;
    assert_eq!(web.asked(), ["/"]);
}

#[tokio::test]
async fn one_bad_address_among_good_ones_spoils_them() {
    let web = Web::start(|_| titled("x")).await;
    let private = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    for answer in [vec![OPEN, private], vec![private, OPEN], vec![OPEN, "::1".parse().unwrap()]] {
        let scene = Scene::with(&web, still(), Resolver::set(move |_| answer.clone())).await;
        scene.none(&web.url("mixed.example", "/")).await;
    }
    assert_eq!(web.asked(), [""; 0]);
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_judged_each_time() {
    let web = Web::start(|path| match path.trim_start_matches('/').parse::<u32>() {
        Ok(0) => titled("at last"),
        Ok(n) => moved(&format!("/{}", n - 1)),
        Err(_) => match path {
            "/absolute" => moved("//other.example/"),
            "/loop" => moved("/loop"),
            "/nowhere" => super::web::Reply::All(b"HTTP/1.1 302 Found\r\n\r\n".into()),
            path => moved(path.strip_prefix("/to/").unwrap_or("/0")),
        },
    })
    .await;
    let inside = Web::listen(SocketAddr::new(CLOSED, web.port), None, |_| titled("inside")).await;
    let scene = Scene::new(&web, still()).await;
    let title = scene.preview(&web.url("page.example", "/5")).await["meta"]["pageTitle"].clone();
    assert_eq!(title, "at last");
    scene.none(&web.url("page.example", "/6")).await;
    scene.none(&web.url("page.example", "/loop")).await;
    scene.none(&web.url("page.example", "/nowhere")).await;
    let port = web.port;
    for to in [
        format!("http://127.0.0.2:{port}/"),
        format!("//127.0.0.2:{port}/"),
        format!("http://0x7f000002:{port}/"),
        "http://169.254.169.254/".to_owned(),
        "http://localhost/".to_owned(),
        "http://page.example:25/".to_owned(),
        format!("http://a:b@page.example:{port}/0"),
        "file:///etc/passwd".to_owned(),
        "gopher://page.example/".to_owned(),
    ] {
        scene.none(&web.url("page.example", &format!("/to/{to}"))).await;
    }
    assert_eq!(inside.asked(), [""; 0]);
}

#[tokio::test]
async fn a_page_is_remembered_for_some_minutes() {
    let web = Web::start(|path| match path {
        "/gone" => super::web::Reply::All(b"HTTP/1.1 404 Not Found\r\n\r\n".into()),
        _ => titled("x"),
    })
    .await;
    let scene = Scene::new(&web, still()).await;
    let (page, gone) = (web.url("page.example", "/"), web.url("page.example", "/gone"));
    let many = (0..20).map(|_| scene.preview(&page));
    soon("twenty at once", futures_util::future::join_all(many)).await;
    scene.none(&gone).await;
    scene.none(&gone).await;
    assert_eq!(web.asked(), ["/", "/gone"]);
    scene.app.clock.move_to(START + 61_000);
    scene.preview(&page).await;
    scene.none(&gone).await;
    scene.app.clock.move_to(START + 601_000);
    scene.preview(&page).await;
    assert_eq!(web.asked(), ["/", "/gone", "/gone", "/"]);
    // What the settings refuse now is not asked for anew; what they cannot mean is not taken.
    for (id, bad) in [
        ("Parlance_Preview_Allowed_Networks", "10.0.0.0/33"),
        ("Parlance_Preview_Allowed_Networks", "127.0.0.1, intern"),
        ("API_EmbedSafePorts", "80, 70000"),
        ("API_EmbedSafePorts", "http"),
    ] {
        let body = json!({ "value": bad });
        let answer = scene.app.rocket(&scene.boss).post(&format!("settings/{id}"), body).await;
        assert_eq!(answer.expect(400)["errorType"], "error-invalid-setting-value", "{bad}");
    }
    set(&scene.app, &scene.boss, "Parlance_Preview_Allowed_Networks", json!("")).await;
    scene.none(&web.url("page.example", "/other")).await;
    assert_eq!(web.asked().len(), 4);
}
