//! Settings that clients ask for and that nothing here reads, each with the reason. What begins to be read
//! must leave the list, and be switched like the others.

use super::another;
use super::scene::Scene;
use crate::rocketchat::set;
use parlance_core::setting;
use std::path::Path;

const FILES: &str = "there are no files yet";
const CLIENTS: &str = "a client reads it";

pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("FileUpload_Enabled", FILES),
    ("FileUpload_Enabled_Direct", FILES),
    ("FileUpload_MaxFileSize", FILES),
    ("FileUpload_MediaTypeWhiteList", FILES),
    ("FileUpload_MediaTypeBlackList", FILES),
    ("FileUpload_ProtectFiles", FILES),
    ("FileUpload_Restrict_to_room_members", FILES),
    ("Message_Attachments_Strip_Exif", FILES),
    ("Message_Attachments_Thumbnails_Width", FILES),
    ("Message_Attachments_Thumbnails_Height", FILES),
    ("Message_GroupingPeriod", CLIENTS),
    ("API_Use_REST_For_DDP_Calls", CLIENTS),
    ("API_Enable_Rate_Limiter_Dev", "there is no development mode"),
    ("Unread_Count", "it is about channels and groups that are not direct"),
    ("Accounts_AllowAnonymousRead", "it is about public channels"),
];

#[tokio::test]
async fn they_are_kept_and_told() {
    let scene = Scene::new().await;
    for (id, why) in WITHOUT_EFFECT {
        let (known, was) = (setting::known(id).unwrap(), scene.value(id).await);
        let to = another(known);
        set(&scene.app, &scene.boss, id, to.clone()).await;
        assert!(was != to && scene.value(id).await == to, "{id}: {why}");
        let query = [("_id", *id)];
        let shown = scene.app.rocket(&scene.ann).get("settings.public", &query).await.ok();
        let value = shown["settings"].as_array().unwrap().first().map(|one| one["value"].clone());
        assert_eq!(value, known.public.then_some(to), "{id}");
    }
}

/// Every source file below a folder, with its text.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.to_string_lossy().into_owned(), text));
        }
    }
}

#[test]
fn nothing_reads_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "crates/core/src", "crates/http/src", "crates/meepachat/src"] {
        sources(&root.join(folder), &mut found);
    }
    sources(&root.join("crates/rocketchat/src"), &mut found);
    for (id, why) in WITHOUT_EFFECT {
        let quoted = format!("\"{id}\"");
        for (path, text) in &found {
            // Where their values are judged.
            if path.ends_with("setting/value.rs") {
                continue;
            }
            // A row without a name is one that nobody can ask for.
            for line in text.lines().filter(|line| line.contains(&quoted)) {
                let table = path.ends_with("core/src/setting.rs");
                let start = line.trim_start();
                let bare = ["flag(", "number(", "text("].iter().any(|kind| start.starts_with(kind));
                assert!(table && bare, "{id} ({why}) is read: {path}: {line}");
            }
        }
    }
}
