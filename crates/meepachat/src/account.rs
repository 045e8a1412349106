//! Registering, logging in and out, and who one is. A token serves as Bearer token and as cookie
//! alike; the answer to a login from another site's page sets no cookie, so that nobody can be
//! logged in to an account of somebody else's choice.

use crate::auth::{Origin, Session, clear_cookie, is_own_site, set_cookie};
use crate::error::Refusal;
use crate::input::Body;
use crate::{answer, rate, wire};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use parlance_core::account::NewUser;
use parlance_core::login::{Login, NewSession, Password};
use parlance_core::{Error, setting};
use parlance_http::Edge;

/// `GET /api/auth/config`
pub(crate) async fn config(State(edge): State<Edge>) -> Response {
    let settings = edge.core().settings();
    let open = settings.text(&setting::REGISTRATION) == "Public";
    let verified = settings.on(&setting::EMAIL_VERIFICATION);
    answer::data(StatusCode::OK, |o| {
        o.flag("directLoginEnabled", true);
        o.flag("openRegistration", open);
        o.flag("requireEmailVerification", verified);
        o.raw("socialProviders", "[]");
    })
}

/// `POST /api/auth/register`
pub(crate) async fn register(
    State(edge): State<Edge>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let username = body.text("username")?.to_lowercase();
    rate::login(&edge, &origin, &username)?;
    let new = NewUser {
        name: body.text_if("displayName")?.unwrap_or("").to_owned(),
        email: Some((body.text("email")?.to_owned(), false)),
        password: Some(Password::plain(body.text("password")?)?),
        username,
        ..NewUser::default()
    };
    let session = edge.core().register_and_login(new).await?;
    Ok(begun(StatusCode::CREATED, &session, &headers, &edge))
}

/// `POST /api/auth/login`; `code` is the second factor of an account that has one.
pub(crate) async fn login(
    State(edge): State<Edge>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (account, who) = match (body.text_if("identifier")?, body.text_if("email")?) {
        // Forms with one field send either under either name.
        (Some(text), _) | (None, Some(text)) => (text, Login::Either(text)),
        (None, None) => {
            let text = body.text("username")?;
            (text, Login::Username(text))
        }
    };
    rate::login(&edge, &origin, account)?;
    let password = body.text_if("password")?.ok_or(Refusal::Missing("password"))?;
    // A password that nobody can have is a wrong one.
    let password = Password::plain(password).map_err(|_| Error::BadCredentials)?;
    let client = origin.client(body.text_if("code")?);
    let session = edge.core().login_from(who, &password, &client).await?;
    Ok(begun(StatusCode::OK, &session, &headers, &edge))
}

/// `POST /api/auth/logout`
pub(crate) async fn logout(
    State(edge): State<Edge>,
    Session(caller): Session,
) -> Result<Response, Refusal> {
    edge.core().logout(&caller).await?;
    let mut response = answer::nothing();
    add_cookie(&mut response, &clear_cookie(&edge));
    Ok(response)
}

/// `GET /api/auth/me`
pub(crate) async fn me(
    State(edge): State<Edge>,
    Session(caller): Session,
) -> Result<Response, Refusal> {
    let own = edge.core().user(caller.id()).await?;
    Ok(answer::data(StatusCode::OK, |o| wire::own_user(o, &own)))
}

/// `GET /api/auth/get-session`
pub(crate) async fn session(
    State(edge): State<Edge>,
    Session(caller): Session,
) -> Result<Response, Refusal> {
    let own = edge.core().user(caller.id()).await?;
    Ok(answer::data(StatusCode::OK, |o| {
        o.object("user", |o| wire::own_user(o, &own));
        o.object("session", |o| o.date_if("expiresAt", caller.expires()));
    }))
}

fn begun(status: StatusCode, session: &NewSession, asked: &HeaderMap, edge: &Edge) -> Response {
    let mut response = answer::data(status, |o| o.text("token", &session.token));
    if is_own_site(asked, edge) {
        add_cookie(&mut response, &set_cookie(&session.token, edge));
    }
    response
}

fn add_cookie(response: &mut Response, cookie: &str) {
    // Tokens are letters, digits, `-` and `_`, so that this always is a header's value.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
