//! Link previews and the one way out of this server (contract section 7.5, CVE-2024-39713): a real server
//! on loopback, names that a test resolves, and the settings that permit exactly that.

mod automatic;
mod bounds;
mod fetch;
mod tls;
pub(crate) mod web;

use crate::app::{Answer, TestApp, TestUser, fresh_database, options};
use parlance_core::{Clock, Core, Outside, Resolver};
use serde_json::{Value, json};
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;
use web::{OPEN, Web};

/// How long any of these tests may wait before the wait itself is the failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// The future's value; a failure if it takes unreasonably long.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Ann, in a room with bob, on a server that may reach the test's own.
struct Scene {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    room: String,
}

impl Scene {
    /// Every host is the test's own server.
    async fn new(web: &Web, clock: Clock) -> Self {
        Self::with(web, clock, Resolver::set(|_| vec![OPEN])).await
    }

    async fn with(web: &Web, clock: Clock, resolver: Resolver) -> Self {
        Self::outside(web, clock, Outside { resolver, ..Outside::default() }).await
    }

    async fn outside(web: &Web, clock: Clock, outside: Outside) -> Self {
        let database = fresh_database().await;
        let mut options = options(database.clone(), clock.clone());
        options.outside = outside;
        let core = Core::open(options).await.expect("a core");
        for (id, value) in [
            ("Parlance_Preview_Allowed_Networks", format!("{OPEN}/32")),
            ("API_EmbedSafePorts", format!("80, 443, {}", web.port)),
        ] {
            core.overwrite_setting(id, &json!(value)).await.expect("a setting");
        }
        let app = TestApp::over(core, clock, &database);
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        Self { app, boss, ann, bob, room }
    }

    /// `GET chat.getURLPreview`, by ann.
    async fn ask(&self, url: &str) -> Answer {
        let query = [("roomId", self.room.as_str()), ("url", url)];
        let rocket = self.app.rocket(&self.ann);
        soon("a preview", rocket.get("chat.getURLPreview", &query)).await
    }

    /// The preview of a page that there is.
    async fn preview(&self, url: &str) -> Value {
        let mut answer = self.ask(url).await.ok();
        assert_eq!(answer["urlPreview"]["url"], url);
        answer["urlPreview"].take()
    }

    /// There is no preview, and the answer does not say why.
    async fn none(&self, url: &str) {
        let want = json!({"success": false, "error": "There is no preview of this URL [error-no-preview]",
            "errorType": "error-no-preview"});
        assert_eq!(self.ask(url).await.expect(400), want, "{url}");
    }
}

/// A resolver that gives the next answer each time, and the last for ever.
fn in_turn(
    answers: Vec<Vec<IpAddr>>,
) -> (Resolver, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let resolver = Resolver::set(move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        answers[n.min(answers.len() - 1)].clone()
    });
    (resolver, asked)
}
