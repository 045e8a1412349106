//! `GET /data-export/<id>`: an export as a file, for who ordered it. A browser that follows the link sends
//! cookies, other clients headers or the query (contract section 10.4). Parts are read one by one, as fast as
//! they are taken, so that a slow reader holds neither memory nor a reader of the store.

use crate::call;
use crate::error::Failure;
use crate::export::{self, PATH};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures_util::stream;
use parlance_core::export::Export;
use parlance_core::{Core, Error};
use parlance_http::Edge;

/// Who asks: the token and the user's id.
type Credentials = (String, String);

/// The first of the ways by which a request names both: headers, query, cookies.
fn credentials(headers: &HeaderMap, query: &str) -> Option<Credentials> {
    let owned = |(token, user): (&str, &str)| (token.to_owned(), user.to_owned());
    let asked = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let cookie = |name: &str| {
        let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|l| l.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|c| c.split_once('='));
        pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    call::credentials(headers)
        .map(owned)
        .or_else(|| asked("rc_token").zip(asked("rc_uid")))
        .or_else(|| cookie("rc_token").zip(cookie("rc_uid")))
}

/// The handler; `HEAD` is the same without the body.
pub(crate) async fn download(State(edge): State<Edge>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = match find(edge.core(), &parts).await {
        Ok(export) => file(edge.core(), export),
        Err(failure) => {
            let (status, body) = failure.render();
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let nothing = HeaderValue::from_static("default-src 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    response
}

/// The export that is asked for. Without a live session every id is the same 403, with one every id but
/// those of one's own is the same 404.
async fn find(core: &Core, asked: &Parts) -> Result<Export, Failure> {
    let found = credentials(&asked.headers, asked.uri.query().unwrap_or(""));
    let (token, user) = found.ok_or(Failure::Forbidden)?;
    let caller = core.caller(&token, Some(&user)).await.map_err(|error| match error {
        Error::NotLoggedIn => Failure::Forbidden,
        other => other.into(),
    })?;
    let id = asked.uri.path().strip_prefix(PATH).unwrap_or("");
    Ok(core.export(&caller, id).await?)
}

fn file(core: &Core, export: Export) -> Response {
    let (kind, name) = export::file(&export);
    let size = HeaderValue::from(export.size);
    let place = (core.clone(), export, 0);
    let parts = stream::try_unfold(place, |(core, export, n)| async move {
        if n >= export.parts {
            return Ok::<_, Error>(None);
        }
        let part = core.export_part(&export, n).await?;
        Ok(Some((part, (core, export, n + 1))))
    });
    let mut response = Response::new(Body::from_stream(parts));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, size);
    let disposition = format!("attachment; filename=\"{name}\"");
    // A date and a word: there is nothing in the name that a header cannot hold.
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::credentials;
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn the_first_complete_pair_counts() {
        let mut headers = HeaderMap::new();
        let found = |headers: &HeaderMap, query| credentials(headers, query).map(|(t, u)| t + &u);
        assert_eq!(found(&headers, "rc_uid=u"), None);
        headers.append("cookie", HeaderValue::from_static("rc_uid=c1; x=y"));
        headers.append("cookie", HeaderValue::from_static("rc_token=c2"));
        assert_eq!(found(&headers, "rc_uid=u").as_deref(), Some("c2c1"));
        assert_eq!(found(&headers, "rc_uid=q1&rc_token=q%2D2").as_deref(), Some("q-2q1"));
        headers.insert("x-user-id", HeaderValue::from_static("h1"));
        assert_eq!(found(&headers, "rc_uid=q1&rc_token=q2").as_deref(), Some("q2q1"));
        headers.insert("x-auth-token", HeaderValue::from_static("h2"));
        assert_eq!(found(&headers, "rc_uid=q1&rc_token=q2").as_deref(), Some("h2h1"));
    }
}
