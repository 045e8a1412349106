//! One configuration from four places, and the commands that write and show it.

use super::{Done, Place, finish};
use std::path::PathBuf;

impl Place {
    /// A file of this text beside the data.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::create_dir_all(&self.dir).unwrap();
        let path = self.dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs `config` with this file and these variables.
    fn config(&self, args: &[&str], file: &str, variables: &[(&str, &str)]) -> Done {
        let path = self.file("parlance.toml", file);
        let mut command = self.command(&[&["config"], args].concat());
        command.env_remove("PARLANCE_DATA_DIR").env_remove("PARLANCE_DATABASE_URL");
        command.env("PARLANCE_CONFIG", path).envs(variables.iter().copied());
        finish(command, "")
    }

    /// The line of `config print` about this key.
    fn printed(&self, key: &str, args: &[&str], file: &str, variables: &[(&str, &str)]) -> String {
        let done = self.config(&[&["print"], args].concat(), file, variables);
        let found =
            done.lines().into_iter().find(|line| line.trim_start_matches('#').starts_with(key));
        let line = found.unwrap_or_else(|| panic!("{key}: {done:?}")).to_owned();
        line.replace(self.dir.to_str().unwrap(), "")
    }
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let place = Place::embedded();
    let file = "http_addr = \"1.1.1.1:1\"\nbody_limit = 7\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n\
                strict = true\n[admin]\nname = \"Ann A.\"";
    let variables = [("PARLANCE_HTTP_ADDR", "2.2.2.2:2"), ("PARLANCE_ADMIN__NAME", "Ann B.")];
    let print = |key, args: &[&str], file, variables: &[(&str, &str)]| {
        place.printed(key, args, file, variables)
    };
    let flags = ["--http-addr", "3.3.3.3:3", "--admin-name", "Ann C."];
    assert_eq!(print("http_addr", &[], "", &[]), "http_addr = \"127.0.0.1:3000\" # default");
    let from_file = print("http_addr", &[], file, &[]);
    assert_eq!(from_file, "http_addr = \"1.1.1.1:1\" # file /parlance.toml");
    let from_environment = print("http_addr", &[], file, &variables);
    assert_eq!(from_environment, "http_addr = \"2.2.2.2:2\" # environment PARLANCE_HTTP_ADDR");
    let from_flag = print("http_addr", &flags, file, &variables);
    assert_eq!(from_flag, "http_addr = \"3.3.3.3:3\" # flag --http-addr");
    assert_eq!(print("name", &[], file, &[]), "name = \"Ann A.\" # file /parlance.toml");
    let nested = print("name", &[], file, &variables);
    assert_eq!(nested, "name = \"Ann B.\" # environment PARLANCE_ADMIN__NAME");
    assert_eq!(print("name", &flags, file, &variables), "name = \"Ann C.\" # flag --admin-name");
    let list = print("trusted_proxies", &[], file, &[]);
    assert_eq!(list, "trusted_proxies = [\"10.0.0.0/8\", \"::1\"] # file /parlance.toml");
    assert_eq!(print("strict", &[], file, &[]), "strict = true # file /parlance.toml");
    let off = print("strict", &["--strict=false"], file, &[]);
    assert_eq!(off, "strict = false # flag --strict");
    // An empty variable is none, but where being empty says something.
    let empty = [("PARLANCE_BODY_LIMIT", ""), ("PARLANCE_METRICS_ADDR", "")];
    assert_eq!(print("body_limit", &[], file, &empty), "body_limit = 7 # file /parlance.toml");
    let off = print("metrics_addr", &[], file, &empty);
    assert_eq!(off, "metrics_addr = \"\" # environment PARLANCE_METRICS_ADDR");
}

#[test]
fn the_variables_of_an_existing_deployment_count_below_ours() {
    let place = Place::embedded();
    let address = |file, variables: &[(&str, &str)]| {
        let line = place.printed("http_addr", &[], file, variables);
        line.split('"').nth(1).unwrap().to_owned()
    };
    let file = "http_addr = \"0.0.0.0:8000\"";
    assert_eq!(address("", &[("PORT", "80")]), "127.0.0.1:80");
    assert_eq!(address(file, &[("PORT", "80")]), "0.0.0.0:80");
    assert_eq!(address(file, &[("BIND_IP", "::1"), ("PORT", "")]), "[::1]:8000");
    let ours = [("PORT", "80"), ("PARLANCE_HTTP_ADDR", "[::]:1")];
    assert_eq!(address(file, &ours), "[::]:1");
    for (name, key, value) in [
        ("ROOT_URL", "root_url", "https://a.example"),
        ("ADMIN_USERNAME", "username", "ann"),
        ("ADMIN_EMAIL", "email", "a@b.example"),
        ("ADMIN_NAME", "name", "Ann"),
        ("ADMIN_PASS_FILE", "password_file", "/run/secret"),
    ] {
        let line = place.printed(key, &[], "", &[(name, value)]);
        assert_eq!(line, format!("{key} = \"{value}\" # environment {name}"));
    }
    let line = place.printed("password ", &[], "", &[("ADMIN_PASS", "s3cret")]);
    assert_eq!(line, "password = \"(hidden)\" # environment ADMIN_PASS");
}

#[test]
fn what_is_not_known_is_named_with_what_is() {
    let place = Place::embedded();
    let cases = [
        ("http_adr = \"x\"", "unknown key http_adr; the nearest is http_addr"),
        ("[admin]\nusrname = \"x\"", "unknown key admin.usrname; the nearest is admin.username"),
        ("[no.such]\ntable = 1", "unknown key no.such"),
        ("something_else_altogether = 1", "unknown key something_else_altogether"),
        ("http_addr = [[1]]", "http_addr: not a value of this option"),
        ("data_dir = 1979-05-27", "data_dir: not a value of this option"),
        ("admin = 1", "unknown key admin"),
        (
            "[settings]\nSite_Nam = \"x\"",
            "settings.Site_Nam: there is no setting Site_Nam; the nearest is Site_Name",
        ),
        ("a = 1\nb = \"s3cret\n", "line 2: "),
        ("log = 1\nlog = 2", "line 2: "),
    ];
    for (file, why) in cases {
        let done = place.config(&["check"], file, &[]);
        let start = format!("parlance: {}: ", place.dir.join("parlance.toml").display());
        assert_eq!((done.code, &*done.out), (Some(1), ""), "{done:?}");
        assert!(
            done.err.starts_with(&start) && done.err[start.len()..].starts_with(why),
            "{done:?}"
        );
        assert!(done.err.lines().count() == 1 && !done.err.contains("s3cret"), "{done:?}");
    }
    let missing = place.run(&["config", "check", "--config", "/nowhere/at.all"]);
    assert!(missing.err.starts_with("parlance: /nowhere/at.all: "), "{missing:?}");
    // In the environment there may be more than ours.
    let odd = [("PARLANCE_HTP_ADDR", "x"), ("OVERWRITE_SETTING_Site_Nam", "x")];
    let told = [
        "unknown variable PARLANCE_HTP_ADDR; the nearest is PARLANCE_HTTP_ADDR",
        "OVERWRITE_SETTING_Site_Nam: there is no setting Site_Nam; the nearest is Site_Name",
    ];
    let done = place.config(&["check"], "", &odd);
    assert_eq!(done.lines(), ["the configuration is fine"]);
    assert_eq!(done.err, format!("warning: {}\nwarning: {}\n", told[0], told[1]));
    for (odd, told) in odd.into_iter().zip(told) {
        let done = place.config(&["check", "--strict"], "", &[odd]);
        assert_eq!((done.code, done.err), (Some(1), format!("parlance: {told}\n")));
        let mut serve = place.command(&["serve", "--strict"]);
        serve.env(odd.0, odd.1).env("PORT", "0").env("PARLANCE_METRICS_ADDR", "");
        let done = finish(serve, "");
        assert_eq!((done.code, done.err), (Some(1), format!("parlance: {told}\n")));
    }
}

#[test]
fn a_wrong_value_is_found_before_the_start() {
    let place = Place::embedded();
    let cases = [
        ("http_addr = \"here\"", "--http-addr: here is not HOST:PORT"),
        ("metrics_addr = \"[::1]:x\"", "--metrics-addr: [::1]:x is not HOST:PORT"),
        ("root_url = \"chat.example\"", "--root-url must begin with http:// or https://"),
        ("trusted_proxies = [\"all\"]", "--trusted-proxies: "),
        ("database_url_file = \"/nowhere/at.all\"", "/nowhere/at.all: "),
        ("[admin]\npassword_file = \"/nowhere/at.all\"", "/nowhere/at.all: "),
    ];
    for (file, why) in cases {
        let done = place.config(&["check"], file, &[]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.starts_with(&format!("parlance: {why}")), "{done:?}");
    }
    let done = place.config(&["check"], "body_limit = \"many\"", &[]);
    assert!(done.code == Some(2) && done.err.contains("--body-limit"), "{done:?}");
    let done = place.config(&["check"], "metrics_addr = \"\"", &[]);
    assert_eq!(done.lines(), ["the configuration is fine"]);
}

#[test]
fn a_secret_comes_from_a_file_too_and_the_nearer_one_counts() {
    let place = Place::embedded();
    let path = place.file("url", "postgres://nowhere.invalid/in-a-file\n");
    let path = path.to_str().unwrap();
    let url = "postgres://nowhere.invalid/itself";
    let shown = |args: &[&str], file: &str, variables: &[(&str, &str)]| {
        let of = |key: &str| place.printed(key, args, file, variables);
        (!of("database_url ").starts_with('#'), !of("database_url_file ").starts_with('#'))
    };
    let (in_file, its) =
        (format!("database_url = {url:?}"), format!("database_url_file = {path:?}"));
    let (variable, its_variable) =
        (("PARLANCE_DATABASE_URL", url), ("PARLANCE_DATABASE_URL_FILE", path));
    assert_eq!(shown(&[], &in_file, &[]), (true, false));
    assert_eq!(shown(&[], &its, &[]), (false, true));
    assert_eq!(shown(&[], &in_file, &[its_variable]), (false, true));
    assert_eq!(shown(&[], &its, &[variable]), (true, false));
    assert_eq!(shown(&[], "", &[variable, its_variable]), (true, false));
    let both = place.run(&["user", "list", "--database-url", url, "--database-url-file", path]);
    assert_eq!(both.code, Some(2), "{both:?}");
    let printed = place.config(&["print"], &in_file, &[]);
    assert!(!printed.out.contains("nowhere.invalid"), "{printed:?}");
    let help = finish(
        {
            let mut command = place.command(&["serve", "--help"]);
            command.env("PARLANCE_DATABASE_URL", url);
            command
        },
        "",
    );
    assert!(!help.out.contains("nowhere.invalid"), "{help:?}");
}

#[test]
fn init_writes_a_file_that_works_once() {
    let place = Place::embedded();
    std::fs::create_dir_all(&place.dir).unwrap();
    let path = place.dir.join("mine.toml");
    let name = path.to_str().unwrap();
    let done = place.run(&["init", name]);
    assert_eq!(done.lines()[1], format!("next: parlance serve --config {name}"));
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let password = text.lines().find_map(|line| line.strip_prefix("password = ")).unwrap();
    let password = password.trim_matches('"');
    assert!(password.len() == 43 && !done.out.contains(password));
    let again = place.run(&["init", name]);
    assert_eq!(again.err, format!("parlance: {name} is there already, and stays as it is\n"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let check = place.run(&["config", "check", "--config", name]);
    assert_eq!(check.lines(), ["the configuration is fine"]);
    let server = place.serve(&[("PARLANCE_CONFIG", name)]);
    assert!(server.logs_in("admin", password));
    // Every line of it that is a comment with a value is one that could stand.
    let example = place.run(&["config", "example"]).out;
    let live: String = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') && rest.contains(" = ") => rest.to_owned() + "\n",
            _ => line.to_owned() + "\n",
        })
        .filter(|line| !line.contains("_file") && !line.starts_with("root_url"))
        .collect();
    let live = live.replace("\"NETWORKS\"", "\"10.0.0.0/8\"");
    assert_eq!(place.config(&["check"], &live, &[]).lines(), ["the configuration is fine"]);
}

#[test]
fn the_example_file_is_the_programs() {
    let example = Place::embedded().run(&["config", "example"]).out;
    let kept = include_str!("../../parlance.example.toml");
    assert!(example == kept, "run: parlance config example > parlance.example.toml");
}

#[tokio::test]
async fn settings_of_the_file_count_at_every_start() {
    let place = Place::new().await;
    let text = "[settings]\nSite_Name = \"From the file\"\nThreads_enabled = false\n\
                Message_MaxAllowedSize = 9\nHide_System_Messages = [\"uj\"]";
    let path = place.file("parlance.toml", text);
    let path = path.to_str().unwrap();
    let value = |id: &str| place.run(&["setting", "get", id]).out;
    let server = place.serve(&[("PARLANCE_CONFIG", path)]);
    assert_eq!(value("Site_Name"), "From the file\n");
    assert_eq!(value("Hide_System_Messages"), "[\"uj\"]\n");
    assert_eq!((&*value("Message_MaxAllowedSize"), &*value("Threads_enabled")), ("9\n", "false\n"));
    place.run(&["setting", "set", "Site_Name", "Changed"]).lines();
    drop(server);
    let more = [("PARLANCE_CONFIG", path), ("PARLANCE_SETTINGS__Message_MaxAllowedSize", "10")];
    let _server = place.serve(&more);
    assert_eq!(value("Site_Name"), "From the file\n");
    assert_eq!(value("Message_MaxAllowedSize"), "10\n", "the environment wins");
    let bad = place.file("bad.toml", "[settings]\nMessage_MaxAllowedSize = \"many\"");
    let done = place.run(&["serve", "--config", bad.to_str().unwrap(), "--metrics-addr", ""]);
    assert_eq!(done.code, Some(1));
}

#[tokio::test]
async fn every_setting_can_be_given_both_ways() {
    use parlance_core::setting::Default;
    let place = Place::new().await;
    let app = crate::app::app().await;
    let all = app.core.settings().all();
    let (mut first, mut always) = (Vec::new(), Vec::new());
    for setting in &all {
        let id = setting.known.id;
        let (one, other) = match setting.known.default {
            Default::Flag(on) => ((!on).to_string(), on.to_string()),
            Default::Number(n) => ((n + 1).to_string(), n.to_string()),
            Default::Text(text) => (text.to_owned(), text.to_owned()),
            Default::List => ("[\"uj\"]".to_owned(), "[]".to_owned()),
        };
        first.push((format!("SETTING_{id}"), one));
        always.push((format!("OVERWRITE_SETTING_{id}"), other));
    }
    let start = |variables: &[(String, String)]| {
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        let (code, log) = place.serve(&variables).stop();
        assert!(code == Some(0) && !log.contains("SETTING_"), "{log}");
        let listed = place.run(&["setting", "list", "--changed", "--json"]);
        let lines = listed.lines().into_iter().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    };
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    for given in [first, always] {
        let listed = start(&given);
        assert_eq!(listed.len(), all.len());
        for (line, (name, value)) in listed.iter().zip(&given) {
            assert!(name.ends_with(line["id"].as_str().unwrap()), "{name}: {line}");
            let hidden = line["value"].is_null();
            assert!(hidden || plain(&line["value"]) == *value, "{name}: {line}");
        }
    }
}
