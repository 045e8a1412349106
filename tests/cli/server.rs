//! `parlance serve`: start, first administrator, settings, lock, stop.

use super::Place;

#[tokio::test]
async fn it_answers_and_stops_on_sigterm() {
    let place = Place::new().await;
    let server = place.serve(&[]);
    let alive = server.ask("GET", "/livez", "X-Request-Id: mine-1\r\n", "");
    assert!(alive.starts_with("HTTP/1.1 200") && alive.contains("x-request-id: mine-1"), "{alive}");
    let ready = server.ask("GET", "/readyz", "X-Request-Id: {not decent}\r\n", "");
    assert!(ready.starts_with("HTTP/1.1 200") && !ready.contains("decent"), "{ready}");
    assert!(ready.contains("x-request-id: "), "{ready}");
    let nothing = server.ask("GET", "/api/nothing?token=secret", "", "");
    assert!(nothing.starts_with("HTTP/1.1 404"), "{nothing}");
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped") && !log.contains("secret"), "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn without_an_administrator_one_is_made_and_told_once() {
    let place = Place::new().await;
    let file = place.dir.join("initial-admin-password");
    let (code, log) = place.serve(&[]).stop();
    assert_eq!(code, Some(0));
    let password = std::fs::read_to_string(&file).unwrap();
    let password = password.trim();
    assert_eq!((password.len(), log.matches(password).count()), (43, 1), "{log}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&place.dir)), (0o600, 0o700));
    }
    let server = place.serve(&[]);
    assert!(server.logs_in("admin", password));
    assert!(!server.stop().1.contains(password), "it is told once");
}

#[tokio::test]
async fn the_operator_names_the_administrator() {
    let place = Place::new().await;
    let given = [
        ("ADMIN_USERNAME", "root.ann"),
        ("ADMIN_PASS", "given by hand"),
        ("ADMIN_EMAIL", "ann@example.com"),
        ("ADMIN_NAME", "Ann A."),
    ];
    let server = place.serve(&given);
    assert!(server.logs_in("root.ann", "given by hand"));
    assert!(server.logs_in("ann@example.com", "given by hand"));
    let (_, log) = server.stop();
    assert!(!log.contains("given by hand"), "{log}");
    assert!(!place.dir.join("initial-admin-password").exists());
    // An account that exists is never changed.
    let server = place.serve(&[("ADMIN_USERNAME", "root.ann"), ("ADMIN_PASS", "another one")]);
    assert!(server.logs_in("root.ann", "given by hand"));
    assert!(!server.logs_in("root.ann", "another one"));
}

#[tokio::test]
async fn a_password_alone_makes_admin() {
    let place = Place::new().await;
    std::fs::create_dir_all(&place.dir).unwrap();
    let secret = place.dir.join("secret");
    std::fs::write(&secret, "given in a file\n").unwrap();
    let server = place.serve(&[("ADMIN_PASS_FILE", secret.to_str().unwrap())]);
    assert!(server.logs_in("admin", "given in a file"));
}

#[tokio::test]
async fn settings_come_from_the_environment() {
    let place = Place::new().await;
    let id = "DirectMesssage_maxUsers";
    let value = |server: &super::Server| public(server, id).as_i64().unwrap();
    let (first, always) =
        ("SETTING_DirectMesssage_maxUsers", "OVERWRITE_SETTING_DirectMesssage_maxUsers");
    assert_eq!(value(&place.serve(&[(first, "5")])), 5);
    assert_eq!(value(&place.serve(&[(first, "6")])), 5, "it was given a value before");
    assert_eq!(value(&place.serve(&[(always, "7")])), 7);
    assert_eq!(value(&place.serve(&[])), 7);
}

/// A public setting of a server.
fn public(server: &super::Server, id: &str) -> serde_json::Value {
    let answer = server.ask("GET", "/api/v1/settings.public?count=0", "", "");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let (start, end) = (body.find('{').unwrap(), body.rfind('}').unwrap());
    let body: serde_json::Value = serde_json::from_str(&body[start..=end]).unwrap();
    let found = body["settings"].as_array().unwrap().iter().find(|one| one["_id"] == id);
    found.unwrap()["value"].clone()
}

#[tokio::test]
async fn the_public_address_is_the_site_url() {
    let place = Place::new().await;
    let url = |variables: &[(&str, &str)]| public(&place.serve(variables), "Site_Url");
    assert_eq!(url(&[]), "http://localhost:3000");
    assert_eq!(url(&[("ROOT_URL", "https://chat.example/")]), "https://chat.example");
    assert_eq!(url(&[]), "https://chat.example", "nobody named another");
    let over = ("OVERWRITE_SETTING_Site_Url", "https://b.example");
    assert_eq!(url(&[("PARLANCE_ROOT_URL", "https://a.example"), over]), "https://b.example");
}

#[tokio::test]
async fn an_unknown_setting_is_a_warning_and_strictly_an_error() {
    let place = Place::new().await;
    let unknown = ("OVERWRITE_SETTING_DirectMessage_maxUsers", "5");
    let told = "OVERWRITE_SETTING_DirectMessage_maxUsers: there is no setting \
                DirectMessage_maxUsers; the nearest is DirectMesssage_maxUsers";
    let server = place.serve(&[unknown, ("OVERWRITE_SETTING_Message_MaxAllowedSize", "many")]);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    assert!(
        log.contains(told) && log.contains("not a value of Message_MaxAllowedSize: a whole number"),
        "{log}"
    );
    let mut command = place.command(&["serve", "--strict", "--http-addr", "127.0.0.1:0"]);
    command.env(unknown.0, unknown.1);
    let done = super::finish(command, "");
    assert_eq!((done.code, done.err), (Some(1), format!("parlance: {told}\n")));
}

#[tokio::test]
async fn a_second_process_on_one_directory_is_refused() {
    let place = Place::embedded();
    let server = place.serve(&[]);
    let dir = place.dir.display().to_string();
    let commands: [&[&str]; 2] = [&["serve", "--http-addr", "127.0.0.1:0"], &["import", "-"]];
    for command in commands {
        let done = place.run(command);
        assert_eq!((done.code, &*done.out), (Some(1), ""), "{done:?}");
        assert!(done.err.starts_with("parlance: ") && done.err.lines().count() == 1, "{done:?}");
        assert!(done.err.contains("another parlance process uses") && done.err.contains(&dir));
    }
    assert_eq!(server.stop().0, Some(0));
    // The lock goes with the process.
    assert_eq!(place.run(&["import", "-"]).code, Some(0));
}

#[tokio::test]
async fn the_variables_of_an_existing_deployment_say_where_to_listen() {
    let place = Place::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = place.command(&["serve"]);
    command.env("PORT", &port).env("BIND_IP", "127.0.0.1").env("ROOT_URL", "https://chat.example");
    let done = super::finish(command, "");
    assert_eq!(done.code, Some(1));
    let why = format!("parlance: cannot listen on 127.0.0.1:{port}: ");
    assert!(done.err.starts_with(&why), "{done:?}");
}

#[tokio::test]
async fn a_flag_wins_over_the_environment() {
    let place = Place::new().await;
    let mut command = place.command(&["serve", "--root-url", "chat.example"]);
    command.env("PARLANCE_ROOT_URL", "https://chat.example").env("PORT", "0");
    let done = super::finish(command, "");
    assert_eq!(done.code, Some(1));
    assert_eq!(done.err, "parlance: --root-url must begin with http:// or https://\n");
}
