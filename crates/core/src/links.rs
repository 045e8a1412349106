//! The `urls` of a message (contract section 7.5): what a text's addresses become, where they stand in a
//! stored body, and which of them are to be previewed. The rest of a body is carried as it is.

use crate::preview::Preview;
use serde_json::{Map, Value, json};
use url::Url;

/// External URLs of one message that are previewed; with more, none is.
const MOST_PREVIEWS: usize = 5;
/// What a body with `urls` begins with.
pub(crate) const BEFORE: &str = "{\"channels\":[],\"urls\":";

/// Is this a URL of this server?
pub(crate) fn is_ours(url: &str, site: &str) -> bool {
    !site.is_empty() && url.contains(site)
}

/// The document's `urls`: one that the sender does not want previewed says so, but for those of this
/// server, which quote a message. What was found out of one that was there before (`was`) stays.
pub(crate) fn entries(
    found: &[&str],
    preview: Option<&[String]>,
    site: &str,
    was: &[Value],
) -> Vec<Value> {
    let known = |url: &str| {
        let same = was.iter().find(|one| one["url"] == url);
        same.filter(|one| one.get("ignoreParse").is_none()).cloned()
    };
    let one = |url: &&str| match preview {
        Some(wanted) if !is_ours(url, site) && !wanted.iter().any(|wanted| wanted == url) => {
            json!({"url": url, "meta": {}, "ignoreParse": true})
        }
        _ => known(url).unwrap_or_else(|| json!({"url": url, "meta": {}})),
    };
    found.iter().map(one).collect()
}

/// `spotify:track:<id>` among the words of a text, as the page that shows it.
pub(crate) fn spotify(text: &str) -> impl Iterator<Item = Value> {
    let uri = |word: &&str| {
        let parts = word.strip_prefix("spotify:").map(|rest| rest.split(':'));
        parts.is_some_and(|parts| {
            (2..=4).contains(&parts.clone().count()) && parts.into_iter().all(|p| !p.is_empty())
        })
    };
    text.split_whitespace().filter(uri).map(|word| {
        let path = word.trim_start_matches("spotify:").replace(':', "/");
        json!({"url": format!("https://open.spotify.com/{path}"), "source": word, "meta": {}})
    })
}

/// The places of the entries that are to be previewed, and their URLs.
pub(crate) fn wanted(entries: &[Value], site: &str) -> Vec<(usize, String)> {
    let url =
        |entry: &Value| entry["url"].as_str().filter(|url| !is_ours(url, site)).map(str::to_owned);
    let external = || entries.iter().enumerate().filter_map(|(n, one)| Some((n, one, url(one)?)));
    if external().count() > MOST_PREVIEWS {
        return Vec::new();
    }
    let blank = |one: &Value| {
        one.get("ignoreParse").is_none() && one.get("headers").is_none() && one["meta"] == json!({})
    };
    external().filter(|(_, one, _)| blank(one)).map(|(n, _, url)| (n, url)).collect()
}

/// The `urls` of a stored body, taken out of it.
pub(crate) struct Urls<'b> {
    entries: Vec<Value>,
    rest: &'b str,
}

impl<'b> Urls<'b> {
    /// `None` for a body that was not made here, or has no `urls`.
    pub(crate) fn of(body: &'b str) -> Option<Self> {
        let rest = body.strip_prefix(BEFORE)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let entries = values.next()?.ok()?;
        let end = values.byte_offset();
        Some(Self { entries, rest: rest.get(end..)? })
    }

    /// As [`wanted`].
    pub(crate) fn wanted(&self, site: &str) -> Vec<(usize, String)> {
        wanted(&self.entries, site)
    }

    /// Puts what a page says into an entry.
    pub(crate) fn fill(&mut self, place: usize, preview: &Preview) {
        let Some(Value::Object(entry)) = self.entries.get_mut(place) else { return };
        let parts = entry.get("url").and_then(Value::as_str).and_then(parts);
        entry.insert("meta".to_owned(), preview.meta.clone().into());
        entry.insert("headers".to_owned(), preview.headers.clone().into());
        entry.extend(parts.map(|parts| ("parsedUrl".to_owned(), parts.into())));
    }

    /// The whole body again.
    pub(crate) fn body(self) -> String {
        format!("{BEFORE}{}{}", Value::Array(self.entries), self.rest)
    }
}

/// The parts of a URL as the original's platform names them: what is not there is null.
fn parts(url: &str) -> Option<Map<String, Value>> {
    let url = Url::parse(url).ok()?;
    let port = url.port().map(|port| port.to_string());
    let hostname = url.host_str();
    let host =
        hostname.map(|name| port.as_ref().map_or(name.to_owned(), |port| format!("{name}:{port}")));
    let parts = json!({
        "protocol": format!("{}:", url.scheme()),
        "host": host,
        "hostname": hostname,
        "port": port,
        "pathname": url.path(),
        "search": url.query().map(|query| format!("?{query}")),
        "query": url.query(),
        "hash": url.fragment().map(|hash| format!("#{hash}")),
    });
    match parts {
        Value::Object(parts) => Some(parts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{BEFORE, Urls, entries, parts, wanted};
    use crate::preview::Preview;
    use serde_json::{Map, Value, json};

    #[test]
    fn what_stands_beside_the_urls_stays_to_the_byte() {
        let rest = r#","x":1e400,"md":[{"b": 2,"a":"\u0041"}]}"#;
        let body = format!(r#"{BEFORE}[{{"url":"https://a.example/x?y#z","meta":{{}}}}]{rest}"#);
        let mut urls = Urls::of(&body).expect("urls");
        assert_eq!(urls.wanted("http://localhost"), [(0, "https://a.example/x?y#z".to_owned())]);
        let meta = Map::from_iter([("pageTitle".to_owned(), json!("t"))]);
        urls.fill(0, &Preview { meta, headers: Map::new() });
        urls.fill(7, &Preview::default());
        let filled = urls.body();
        assert!(
            filled.ends_with(rest) && filled.contains(r#""meta":{"pageTitle":"t"}"#),
            "{filled}"
        );
        assert!(Urls::of(&filled).is_some_and(|urls| urls.wanted("").is_empty()));
        for odd in ["{}", "", r#"{"channels":[],"urls":"#, r#"{"channels":[],"urls":7}"#] {
            assert!(Urls::of(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn five_are_previewed_and_six_are_not() {
        let site = "https://chat.example";
        let urls: Vec<String> = (0..6).map(|n| format!("https://{n}.example/")).collect();
        let mut found: Vec<&str> = urls[..5].iter().map(String::as_str).collect();
        found.push("https://chat.example/direct/x?msg=y");
        let places = |found: &[&str], preview: Option<&[String]>, was: &[Value]| {
            let all = entries(found, preview, site, was);
            wanted(&all, site).into_iter().map(|(place, _)| place).collect::<Vec<_>>()
        };
        assert_eq!(places(&found, None, &[]), [0, 1, 2, 3, 4]);
        assert_eq!(places(&found, Some(&urls[1..2]), &[]), [1]);
        let was = [json!({"url": urls[3], "meta": {"pageTitle": "known"}, "headers": {}})];
        assert_eq!(places(&found, None, &was), [0, 1, 2, 4]);
        found.push(&urls[5]);
        assert_eq!(places(&found, None, &[]), [0; 0]);
    }

    #[test]
    fn the_parts_of_a_url() {
        let got = parts("http://a.example:8080/b/c?d=e#f").map(Value::Object);
        let want = json!({"protocol": "http:", "host": "a.example:8080", "hostname": "a.example",
            "port": "8080", "pathname": "/b/c", "search": "?d=e", "query": "d=e", "hash": "#f"});
        assert_eq!(got, Some(want));
        let got = parts("https://a.example").map(Value::Object);
        let want = json!({"protocol": "https:", "host": "a.example", "hostname": "a.example",
            "port": null, "pathname": "/", "search": null, "query": null, "hash": null});
        assert_eq!(got, Some(want));
    }
}
