//! `GET /api/dms`: the order of the list, and how one gets to its end.

use super::calls::{channels, dms, refused, rows, say, send};
use crate::app::{Answer, START, TestApp, TestUser, app, with_query};
use axum::http::Method;
use parlance_core::account::{Authority, NewUser};
use parlance_core::time;
use serde_json::json;

/// `ann` with a conversation with each of `n` others, all made in one millisecond.
async fn crowd(n: usize) -> (TestApp, TestUser, Vec<String>) {
    let app = app().await;
    let ann = app.user("ann").await;
    let mut ids = Vec::new();
    for n in 0..n {
        let new = NewUser { username: format!("peer{n:03}"), ..NewUser::default() };
        let peer = app.core.create_user(Authority::Operator, new).await.unwrap();
        ids.push(app.meepa(&ann).open(peer.id.as_str()).await);
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    (app, ann, ids)
}

fn link(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let (path, rest) = link.strip_prefix("</api").unwrap().split_once('>').unwrap();
    assert_eq!(rest, "; rel=\"next\"");
    Some(path.to_owned())
}

#[tokio::test]
async fn a_large_group_takes_one_place_of_a_page() {
    let app = app().await;
    let ann = app.user("ann").await;
    let names = ["b", "c", "d", "e", "f", "g"];
    for name in names {
        app.user(name).await;
    }
    let caller = app.caller(&ann).await;
    for others in [&names[..1], &names[1..2], &names[..]] {
        app.clock.move_to(app.clock.now() + 10);
        app.core.open_direct(&caller, others, false).await.unwrap();
    }
    let page = dms(&app, &ann, &[("limit", "2")]).await;
    assert_eq!(page.len(), 2);
    assert_eq!(page[0]["channel"]["memberCount"], 7);
    assert_eq!(page[0]["otherUsers"].as_array().unwrap().len(), 6);
    assert_eq!(page[1]["otherUser"]["username"], "c");
}

#[tokio::test]
async fn activity_orders_the_list_and_before_cuts_it() {
    let (app, ann, ids) = crowd(4).await;
    assert_eq!(channels(&dms(&app, &ann, &[]).await), ids, "ties by id, descending");
    let mut times = Vec::new();
    for (n, channel) in [&ids[3], &ids[0], &ids[2]].into_iter().enumerate() {
        app.clock.move_to(START + 1000 * (1 + i64::try_from(n).unwrap()));
        times.push(say(&app, &ann, channel, "hi").await["createdAt"].as_str().unwrap().to_owned());
    }
    let order = [2, 0, 3, 1].map(|n: usize| ids[n].clone());
    assert_eq!(channels(&dms(&app, &ann, &[]).await), order);
    let page = dms(&app, &ann, &[("before", &times[2])]).await;
    assert_eq!(channels(&page), order[1..], "before is strict");
    let page = dms(&app, &ann, &[("before", &times[1]), ("limit", "1")]).await;
    assert_eq!(channels(&page), order[2..3]);
    assert_eq!(page[0]["lastMessage"]["createdAt"], times[0]);
    let page = dms(&app, &ann, &[("before", &time::iso(START + 1))]).await;
    assert_eq!(channels(&page), order[3..]);
    assert!(dms(&app, &ann, &[("before", &time::iso(START))]).await.is_empty());
    // Neither a reaction nor a reply in a thread is activity.
    app.clock.move_to(START + 9000);
    let message = say(&app, &ann, &ids[1], "root").await["id"].as_str().unwrap().to_owned();
    let order = channels(&dms(&app, &ann, &[]).await);
    app.clock.move_to(START + 10_000);
    let old = dms(&app, &ann, &[]).await[3]["lastMessage"]["id"].as_str().unwrap().to_owned();
    app.core.react(&app.caller(&ann).await, &old, "tada", None).await.unwrap();
    let reply = json!({"content": "in the thread", "threadId": old});
    send(&app, &ann, &ids[3], reply).await.expect(201);
    let rows = dms(&app, &ann, &[]).await;
    assert_eq!((channels(&rows), &rows[0]["lastMessage"]["id"]), (order, &json!(message)));
}

#[tokio::test]
async fn before_takes_every_form_of_a_time_and_nothing_else() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    app.meepa(&ann).open(&bob.id).await; // at 03:04:05.678 UTC
    let count = async |raw: &str| {
        let path = format!("/dms?before={raw}");
        rows(&app.meepa(&ann).get(&path, &[]).await).len()
    };
    for (raw, rows) in [
        ("", 1),
        ("2026-01-02T03:04:05.679Z", 1),
        ("2026-01-02T03:04:05.678Z", 0),
        ("2026-01-02T03:04:05.6780001Z", 1),
        ("2026-01-02T05:04:05.679%2B02:00", 1),
        ("2026-01-02T05:04:05.679+02:00", 1),
        ("2026-01-02T05:04:05.678+02:00", 0),
        ("2026-01-02T05:04:05.678%20%2b02:00", 2),
        ("2026-01-01T22:04:06-05:00", 1),
        ("9999-12-31T23:59:59.999Z", 1),
    ] {
        if rows < 2 {
            assert_eq!(count(raw).await, rows, "{raw}");
        } else {
            let answer = app.meepa(&ann).get(&format!("/dms?before={raw}"), &[]).await;
            refused(&answer, 400, "invalid before timestamp");
        }
    }
    let id = app.core.new_id();
    for text in
        ["yesterday", "2026-01-02", "1767323045678", "{\"$gt\":0}", &id, "2026-01-02T03:04:05"]
    {
        let answer = app.meepa(&ann).get("/dms", &[("before", text)]).await;
        refused(&answer, 400, "invalid before timestamp");
    }
}

#[tokio::test]
async fn thirty_are_given_unless_asked_and_a_hundred_at_most() {
    let (app, ann, ids) = crowd(103).await;
    // Apart in time, so that no page is longer for a tie.
    for (n, channel) in ids.iter().enumerate() {
        app.clock.move_to(START + 1000 + i64::try_from(n).unwrap());
        say(&app, &ann, channel, "hi").await;
    }
    for (limit, count) in [
        ("", 30),
        ("abc", 30),
        ("0", 30),
        ("-5", 30),
        ("2.5", 30),
        ("7", 7),
        ("100", 100),
        ("1000000000000", 100),
        ("99999999999999999999", 100),
    ] {
        assert_eq!(dms(&app, &ann, &[("limit", limit)]).await.len(), count, "{limit}");
    }
    assert_eq!(dms(&app, &ann, &[]).await.len(), 30);
}

/// Follows pages by the last activity seen, as a client that knows nothing else.
async fn by_time(app: &TestApp, user: &TestUser, limit: &str) -> Vec<Vec<String>> {
    let (mut pages, mut before) = (Vec::new(), String::new());
    loop {
        let page = dms(app, user, &[("before", &before), ("limit", limit)]).await;
        let Some(last) = page.last() else {
            return pages;
        };
        let seen = last.get("lastMessage").unwrap_or(&last["channel"]);
        seen["createdAt"].as_str().unwrap().clone_into(&mut before);
        pages.push(channels(&page));
        assert!(pages.len() < 20, "the list has an end: {pages:?}");
    }
}

#[tokio::test]
async fn pages_by_time_alone_lose_nothing_to_ties() {
    let (app, ann, ids) = crowd(12).await;
    app.clock.move_to(START + 5000);
    for channel in &ids[..5] {
        say(&app, &ann, channel, "at once").await;
    }
    let pages = by_time(&app, &ann, "3").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 7], "extended over the tie");
    assert_eq!(pages.concat(), ids);
}

#[tokio::test]
async fn the_link_goes_on_where_a_tie_is_longer_than_a_page_can_be() {
    let (app, ann, ids) = crowd(205).await;
    let (mut seen, mut path) = (Vec::new(), with_query("/dms", &[("limit", "2")]));
    let mut pages = Vec::new();
    loop {
        let answer = app.meepa(&ann).call(Method::GET, &path, None).await;
        let page = channels(&rows(&answer));
        pages.push(page.len());
        assert!(pages.len() < 20, "the list has an end: {pages:?}");
        seen.extend(page);
        let Some(next) = link(&answer) else { break };
        let before = time::iso(START);
        let want = format!("/dms?before={before}&beforeId={}&limit=2", seen.last().unwrap());
        assert_eq!(next, want);
        path = next;
    }
    assert_eq!(pages, [102, 102, 1]);
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn a_link_is_there_only_when_there_is_more() {
    let (app, ann, ids) = crowd(3).await;
    app.clock.move_to(START + 1000);
    say(&app, &ann, &ids[2], "hi").await;
    let page = app.meepa(&ann).get("/dms", &[("limit", "1")]).await;
    let next = link(&page).unwrap();
    assert_eq!(channels(&rows(&page)), ids[2..]);
    let page = app.meepa(&ann).call(Method::GET, &next, None).await;
    assert_eq!((channels(&rows(&page)), link(&page)), (ids[..2].to_vec(), None));
    assert_eq!(link(&app.meepa(&ann).get("/dms", &[]).await), None);
    // Without a time the id says nothing.
    let page = dms(&app, &ann, &[("beforeId", &ids[1])]).await;
    assert_eq!(page.len(), 3);
}
