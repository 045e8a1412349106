//! Who calls: `Authorization: Bearer`, or the cookie that a login set. The header decides where
//! there is one. A browser sends the cookie by itself, so a write that rests on it must not come
//! from another site's page: `SameSite=Lax` says so to the browser, and the `Origin` is checked.

use crate::error::Refusal;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use parlance_core::factor::Code;
use parlance_core::login::Client;
use parlance_core::{Caller, Error};
use parlance_http::{Edge, ip};

/// The cookie's name.
const COOKIE: &str = "meepa_session";
/// How long a browser keeps it, in seconds: 30 days.
const MAX_AGE: u32 = 2_592_000;

/// A request with a live token.
pub(crate) struct Session(pub(crate) Caller);

impl FromRequestParts<Edge> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        let Some(Found { caller, by_cookie }) = parts.extensions.remove::<Found>() else {
            return Err(Error::Internal("a route without its layer".into()).into());
        };
        let caller = caller?;
        if by_cookie && !parts.method.is_safe() && !is_own_site(&parts.headers, edge) {
            return Err(Refusal::OtherSite);
        }
        Ok(Self(caller))
    }
}

/// Whose token a request carries, or why it is nobody's.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) caller: Result<Caller, Error>,
    by_cookie: bool,
}

impl Found {
    /// Looks a request's token up.
    pub(crate) async fn of(headers: &HeaderMap, edge: &Edge) -> Self {
        let (token, by_cookie) = match headers.get(header::AUTHORIZATION) {
            Some(value) => (bearer(value), false),
            None => (cookie(headers), true),
        };
        let caller = match token {
            Some(token) => edge.core().caller(token, None).await,
            None => Err(Error::NotLoggedIn),
        };
        Self { caller, by_cookie }
    }
}

/// From where a login comes.
pub(crate) struct Origin {
    pub(crate) ip: String,
    agent: String,
}

impl FromRequestParts<Edge> for Origin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        let ip = ip::client(&parts.headers, &parts.extensions, &edge.options().trusted_proxies);
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self { ip, agent: agent.unwrap_or("").chars().take(256).collect() })
    }
}

impl Origin {
    /// The client of a login, with this second factor if there is one.
    pub(crate) fn client<'a>(&'a self, code: Option<&'a str>) -> Client<'a> {
        let code = code.map(|code| Code { method: None, code });
        Client { ip: Some(&self.ip), agent: &self.agent, code }
    }
}

/// The token of `Bearer <token>`; any other scheme has none.
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|one| one.split_once('='));
    pairs.find(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim())
}

/// Does the request come from a page of this server, or from no page at all?
pub(crate) fn is_own_site(headers: &HeaderMap, edge: &Edge) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Some((_, origin)) = origin.to_str().ok().and_then(|text| text.split_once("://")) else {
        return false;
    };
    let asked = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let root = edge.options().root_url.split_once("://").map(|(_, rest)| rest);
    [asked, root].into_iter().flatten().any(|own| host(own).eq_ignore_ascii_case(host(origin)))
}

/// The host and port of what follows `://`, without a default port.
fn host(text: &str) -> &str {
    let host = text.split('/').next().unwrap_or(text);
    host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host)
}

/// The `Set-Cookie` that begins a session in a browser.
pub(crate) fn set_cookie(token: &str, edge: &Edge) -> String {
    with_attributes(token, MAX_AGE, edge)
}

/// The `Set-Cookie` that ends one.
pub(crate) fn clear_cookie(edge: &Edge) -> String {
    with_attributes("", 0, edge)
}

fn with_attributes(value: &str, age: u32, edge: &Edge) -> String {
    let secure = if edge.is_https() { "; Secure" } else { "" };
    format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={age}{secure}")
}

#[cfg(test)]
mod tests {
    use super::{bearer, cookie, host};
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn tokens_are_found_where_they_may_be() {
        let read = |text: &'static str| bearer(&HeaderValue::from_static(text)).map(str::to_owned);
        assert_eq!(read("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("bearer  abc").as_deref(), Some("abc"));
        assert_eq!(read("Bot 1.abc"), None);
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=b; xmeepa_session=no"));
        headers.append("cookie", HeaderValue::from_static("c=d; meepa_session=yes"));
        assert_eq!(cookie(&headers), Some("yes"));
    }

    #[test]
    fn hosts_are_compared_without_default_ports() {
        assert_eq!(host("chat.example.com:443/x"), "chat.example.com");
        assert_eq!(host("chat.example.com:8091"), "chat.example.com:8091");
        assert_eq!(host("[::1]:3000/"), "[::1]:3000");
    }
}
