//! Documents 000 (`dm.list.everyone`) and 001 (`dm.list`).

use super::{account, import, make_admin, refuses_strangers, same, seed};
use crate::app::app;
use serde_json::Value;

#[tokio::test]
async fn list_everyone_gives_document_000() {
    let app = app().await;
    let seed = seed(include_str!("000.json"));
    let admin = make_admin(&app, "adminAdminAdmin17", "root").await;
    account(&app, "rYhzFRd2QZjNwAAXX", "rodriq", "user").await;
    let rooms: Vec<&Value> = seed["answer"]["ims"].as_array().unwrap().iter().collect();
    import(&app, "rooms", &rooms).await;
    for name in ["dm.list.everyone", "im.list.everyone"] {
        same(&app.rocket(&admin).get(name, &[]).await.ok(), &seed["answer"], name);
        refuses_strangers(&app, &format!("/api/v1/{name}"), &seed["unauthorized"]).await;
    }
    // The members of the rooms see them too; the stranger among them, the administrator, does not.
    let list = app.rocket(&admin).get("dm.list", &[]).await.ok();
    assert_eq!((&list["ims"], &list["total"]), (&serde_json::json!([]), &0.into()));
}

#[tokio::test]
async fn list_gives_document_001() {
    let app = app().await;
    let seed = seed(include_str!("001.json"));
    let roxie = account(&app, "rbAXPnMktTFbNpwtJ", "roxie", "user").await;
    account(&app, "5fRTXMt7DMJbpPJfh", "test.john", "user").await;
    account(&app, "hFDuCPam7sWziWFYa", "hookdeck.write", "bot").await;
    let rooms: Vec<&Value> = seed["answer"]["ims"].as_array().unwrap().iter().collect();
    import(&app, "rooms", &rooms).await;
    for name in ["dm.list", "im.list"] {
        same(&app.rocket(&roxie).get(name, &[]).await.ok(), &seed["answer"], name);
        refuses_strangers(&app, &format!("/api/v1/{name}"), &seed["unauthorized"]).await;
    }
    // Importing again changes nothing.
    import(&app, "rooms", &rooms).await;
    same(&app.rocket(&roxie).get("dm.list", &[]).await.ok(), &seed["answer"], "again");
}
