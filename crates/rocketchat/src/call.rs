//! One request, read: who calls, from where, with which parameters. Authentication comes first, then
//! the rate limit, then the body is looked at.

use crate::error::Failure;
use crate::routes::Route;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use parlance_core::factor::{self, Code};
use parlance_core::login::Client;
use parlance_core::setting::{self, Settings};
use parlance_core::{Caller, Core, Error, Perm, time};
use parlance_http::limit::{Standing, Who, Window};
use parlance_http::{Edge, body, ip};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Parameters of one query string at most.
const MOST_PARAMS: usize = 500;
/// Routes whose answers hold a secret: no client's key keeps one (ruling B9).
const SECRET_ANSWERS: &[&str] = &["login", "push.token"];

pub(crate) struct Call {
    pub(crate) edge: Edge,
    pub(crate) settings: Arc<Settings>,
    /// The path that was called, alias and all.
    pub(crate) path: String,
    pub(crate) ip: String,
    pub(crate) query: Map<String, Value>,
    pub(crate) body: Map<String, Value>,
    /// The client's own key for this write, and what stands for all that it asks.
    pub(crate) retry: Option<(String, String)>,
    caller: Option<Caller>,
    /// The token that was presented; empty without one.
    token: String,
    /// What the client calls itself.
    agent: String,
    /// The second factor of the headers, and its method if that was said.
    code: Option<(Option<factor::Method>, String)>,
}

impl Call {
    /// `standing` is where the caller stands with the rate limit, of a call that is limited.
    pub(crate) async fn read(
        edge: &Edge,
        route: &'static Route,
        request: Request,
        standing: &mut Option<Standing>,
    ) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let ip = ip::client(&parts.headers, &parts.extensions, &edge.options().trusted_proxies);
        let caller = match credentials(&parts.headers) {
            Some((token, user)) => match edge.core().caller(token, Some(user)).await {
                Ok(caller) => Some(caller),
                Err(Error::NotLoggedIn) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let path = parts.uri.path().to_owned();
        *standing = rate(edge, (route.name, path.contains("/im.")), caller.as_ref(), &ip);
        if let Some(wait) = standing.and_then(|standing| standing.wait) {
            return Err(Failure::TooMany(wait));
        }
        // An open route does not care about a dead token.
        if route.login && caller.is_none() {
            return Err(Error::NotLoggedIn.into());
        }
        let query = params(parts.uri.query().unwrap_or(""))?;
        let (mut body_read, mut retry) = (Map::new(), None);
        if parts.method == Method::POST || parts.method == Method::DELETE {
            let bytes = body::read(body, edge.options().body_limit).await?;
            if caller.is_some() && !SECRET_ANSWERS.contains(&route.name) {
                retry = retry_key(&parts.headers)?.map(|key| {
                    let query = parts.uri.query().unwrap_or("");
                    (key.to_owned(), parlance_core::retry::hash(&[query.as_bytes(), &bytes]))
                });
            }
            body_read = body::object(&parts.headers, &bytes)?;
        }
        Ok(Self {
            settings: edge.core().settings(),
            edge: edge.clone(),
            path,
            ip,
            query,
            body: body_read,
            retry,
            caller,
            token: header(&parts.headers, "x-auth-token").unwrap_or("").to_owned(),
            agent: agent(&parts.headers),
            code: factor_code(&parts.headers),
        })
    }

    /// A call of a method on a socket.
    pub(crate) fn on_socket(
        edge: &Edge,
        caller: Option<Caller>,
        token: &str,
        ip: &str,
        agent: &str,
    ) -> Self {
        Self {
            settings: edge.core().settings(),
            edge: edge.clone(),
            path: "/websocket".to_owned(),
            ip: ip.to_owned(),
            query: Map::new(),
            body: Map::new(),
            retry: None,
            caller,
            token: token.to_owned(),
            agent: agent.to_owned(),
            code: None,
        }
    }

    /// The same on behalf of the caller as it stands now, of nobody when its session is over: a socket
    /// knows its caller as of what it was last told (ruling A14).
    pub(crate) async fn renewed(mut self) -> Result<Self, Failure> {
        if let Some(caller) = self.caller.take() {
            self.caller = match self.core().again(&caller).await {
                Ok(now) => Some(now),
                Err(Error::NotLoggedIn) => None,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(self)
    }

    pub(crate) fn core(&self) -> &Core {
        self.edge.core()
    }

    /// Who calls. A route of the table that needs a login always has one.
    pub(crate) fn caller(&self) -> Result<&Caller, Failure> {
        self.caller.as_ref().ok_or(Failure::Core(Error::NotLoggedIn))
    }

    /// Goes on as nobody.
    pub(crate) fn forget_caller(&mut self) {
        self.caller = None;
    }

    /// The token that the caller presented.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// From where and with which second factor the request comes.
    pub(crate) fn client(&self) -> Client<'_> {
        let code = self.code.as_ref().map(|(method, code)| Code { method: *method, code });
        Client { ip: Some(&self.ip), agent: &self.agent, code }
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.caller.is_some()
    }

    /// Counts the call among those of a route that it stands for.
    pub(crate) fn count_as(&self, route: &'static str) -> Result<(), Failure> {
        let standing = rate(&self.edge, (route, false), self.caller.as_ref(), &self.ip);
        let wait = standing.and_then(|standing| standing.wait);
        wait.map_or(Ok(()), |wait| Err(Failure::TooMany(wait)))
    }

    /// Takes a second factor that came in another place than the headers.
    pub(crate) fn bring_code(&mut self, method: &str, code: &str) {
        self.code = Some((factor::Method::named(method), code.trim().to_owned()));
    }

    /// A parameter of the query string; an empty one counts as none.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A text of the body; an empty or blank one counts as none.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// The last segment of the path, of a route that takes one.
    pub(crate) fn segment(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or("")
    }

    /// A time that a client sent as text or number, in milliseconds.
    pub(crate) fn time(value: &Value) -> Option<parlance_core::Ms> {
        match value {
            Value::String(text) => time::parse(text),
            Value::Number(number) => number.as_i64(),
            Value::Object(map) => map.get("$date").and_then(Self::time),
            _ => None,
        }
    }
}

/// Counts a call (contract section 3.3): an account's own calls, else those of its address; each route and
/// its alias by itself. Nothing is counted of those whom the permission spares.
fn rate(
    edge: &Edge,
    (route, alias): (&'static str, bool),
    caller: Option<&Caller>,
    ip: &str,
) -> Option<Standing> {
    let (core, settings) = (edge.core(), edge.core().settings());
    let spared = |caller: &Caller| core.may(caller, Perm::BypassRateLimit);
    if !settings.on(&setting::RATE_LIMIT) || caller.is_some_and(spared) {
        return None;
    }
    let calls =
        if route == "users.register" { &setting::RATE_REGISTER } else { &setting::RATE_CALLS };
    let window =
        Window { calls: settings.number(calls), time: settings.number(&setting::RATE_TIME) };
    let who = caller.map_or_else(|| Who::address(ip), |caller| Who::User(caller.id().clone()));
    Some(edge.limits().count(who, (route, alias), window, core.clock().now()))
}

/// `Idempotency-Key`, if it is one.
fn retry_key(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    const MOST: usize = 255;
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().ok().filter(|key| !key.trim().is_empty() && key.len() <= MOST);
    key.map(Some).ok_or_else(|| {
        Failure::coded("error-invalid-idempotency-key", "Invalid Idempotency-Key header")
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What the client calls itself.
pub(crate) fn agent(headers: &HeaderMap) -> String {
    header(headers, "user-agent").unwrap_or("").chars().take(256).collect()
}

/// Token and user id; both headers or none.
pub(crate) fn credentials(headers: &HeaderMap) -> Option<(&str, &str)> {
    header(headers, "x-auth-token").zip(header(headers, "x-user-id"))
}

/// `x-2fa-code` and `x-2fa-method`.
fn factor_code(headers: &HeaderMap) -> Option<(Option<factor::Method>, String)> {
    let method = header(headers, "x-2fa-method").and_then(factor::Method::named);
    let code = header(headers, "x-2fa-code").unwrap_or("").trim();
    (method.is_some() || !code.is_empty()).then(|| (method, code.to_owned()))
}

/// The query string as the original's parser sees it: a repeated key, or one with `[]`, is a list.
fn params(query: &str) -> Result<Map<String, Value>, Failure> {
    let mut params = Map::new();
    for (n, (key, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
        if n >= MOST_PARAMS {
            return Err(Failure::plain("Invalid query parameters"));
        }
        if key.contains('\0') || value.contains('\0') {
            return Err(Failure::plain("Invalid query parameters"));
        }
        let value = Value::from(value.into_owned());
        let (key, list) = match key.strip_suffix("[]") {
            Some(key) => (key.to_owned(), true),
            None => (key.into_owned(), false),
        };
        match params.get_mut(&key) {
            Some(Value::Array(all)) => all.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
            None if list => {
                params.insert(key, Value::Array(vec![value]));
            }
            None => {
                params.insert(key, value);
            }
        }
    }
    Ok(params)
}
