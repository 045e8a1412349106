//! What a request holds: the body's members, the query's pairs, the path's id. A value of another
//! type than the contract's is refused, never turned into one (an operator object is not a text);
//! `null` where a key is optional means that it is absent, and unknown keys are passed over.

use crate::error::Refusal;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use parlance_http::Edge;
use parlance_http::body::{self, BodyError};
use serde_json::{Map, Value};

/// The members of the body's object.
pub(crate) struct Body(Map<String, Value>);

impl FromRequest<Edge> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Refusal> {
        let (parts, bytes) = request.into_parts();
        let bytes = body::read(bytes, edge.options().body_limit).await.map_err(Refusal::Body)?;
        body::object(&parts.headers, &bytes).map(Self).map_err(Refusal::Body)
    }
}

impl Body {
    /// A text, if it is there.
    pub(crate) fn text_if(&self, key: &'static str) -> Result<Option<&str>, Refusal> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::invalid(key)),
        }
    }

    /// A text that must be there, and not be empty.
    pub(crate) fn text(&self, key: &'static str) -> Result<&str, Refusal> {
        self.text_if(key)?.filter(|text| !text.is_empty()).ok_or(Refusal::Missing(key))
    }

    /// A list of texts; empty if it is not there.
    pub(crate) fn texts(&self, key: &'static str) -> Result<Vec<&str>, Refusal> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(all)) => {
                all.iter().map(|one| one.as_str().ok_or(Refusal::invalid(key))).collect()
            }
            Some(_) => Err(Refusal::invalid(key)),
        }
    }
}

/// The pairs of the query string.
pub(crate) struct Params(Vec<(String, String)>);

impl FromRequestParts<Edge> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, edge).await;
        let Query(pairs) = pairs.map_err(|_| Refusal::invalid("query"))?;
        if pairs.iter().any(|(key, value)| key.contains('\0') || value.contains('\0')) {
            return Err(Refusal::Body(BodyError::Nul));
        }
        Ok(Self(pairs))
    }
}

impl Params {
    /// The first value under this name; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// The id in the path.
pub(crate) struct Id(pub(crate) String);

impl FromRequestParts<Edge> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        let id = Path::<String>::from_request_parts(parts, edge).await;
        let Path(id) = id.map_err(|_| Refusal::invalid("id"))?;
        if id.contains('\0') { Err(Refusal::Body(BodyError::Nul)) } else { Ok(Self(id)) }
    }
}
