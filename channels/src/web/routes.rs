//! The ONE table of routes: path, methods, who may come in. The router is built from it, and so is the test that
//! tries every role on every route. What is not in the table does not exist.

use std::any::Any;

use amtsbote_core::error::Error;
use amtsbote_core::staff::{self, Role};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::answer::{Refusal, WebError, refusal_page};
use super::visitor::Visitor;
use super::{Web, assets, chat, home, login, oidc, pay, portal, staff as desk, stream};

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody; the handler shows only what belongs to the visitor's own session.
    Public,
    /// A citizen who is logged in.
    Person,
    /// Any member of staff who is logged in.
    Staff,
    /// Staff who work on cases: clerks and approvers.
    Desk,
    /// Staff who manage accounts.
    Admin,
}

/// One line of the table.
pub struct Route {
    /// Who may come in.
    pub access: Access,
    /// Path with its parameters.
    pub path: &'static str,
    /// Methods, for the tests.
    pub methods: &'static [&'static str],
    /// What answers.
    pub handler: MethodRouter<Web>,
}

/// A line of the table as tests read it.
#[derive(Debug, Clone, Copy)]
pub struct RouteInfo {
    /// Who may come in.
    pub access: Access,
    /// Path with its parameters.
    pub path: &'static str,
    /// Methods.
    pub methods: &'static [&'static str],
}

/// Largest upload that is read at all, in bytes; a smaller limit of the settings is told in words.
pub(super) const UPLOAD_LIMIT: usize = 64 * 1_000_000;

fn routes() -> Vec<Route> {
    let mut routes = home::routes();
    routes.extend(chat::routes());
    routes.extend(stream::routes());
    routes.extend(login::routes());
    routes.extend(oidc::routes());
    routes.extend(portal::routes());
    routes.extend(pay::routes());
    routes.extend(assets::routes());
    routes.extend(desk::routes());
    routes
}

/// The table as tests read it.
pub fn route_table() -> Vec<RouteInfo> {
    routes()
        .into_iter()
        .map(|route| RouteInfo { access: route.access, path: route.path, methods: route.methods })
        .collect()
}

/// The router, built from the table.
pub fn router(web: &Web) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let access = route.access;
        let check = middleware::from_fn_with_state(web.clone(), move |state: State<Web>, request, next| {
            enter(state, access, request, next)
        });
        router = router.route(route.path, route.handler.layer(check));
    }
    let compression = CompressionLayer::new()
        .gzip(true)
        .compress_when(SizeAbove::new(256).and(NotForContentType::const_new("text/event-stream")));
    router
        .fallback(not_found)
        .layer(axum::extract::DefaultBodyLimit::max(UPLOAD_LIMIT + 1_000_000))
        .layer(middleware::from_fn_with_state(web.clone(), around))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(compression)
        .with_state(web.clone())
}

async fn not_found() -> WebError {
    WebError::from(Error::NotFound("page"))
}

/// A panic is our mistake: it is logged without its message, which could carry what somebody wrote.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// The access check of a route; deny by default.
async fn enter(State(web): State<Web>, access: Access, mut request: Request, next: Next) -> Response {
    let visitor = match request.extensions().get::<Visitor>() {
        Some(visitor) => visitor.clone(),
        None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let allowed = match access {
        Access::Public => Ok(()),
        Access::Person => visitor.need_person().map(|_| ()),
        Access::Staff | Access::Desk | Access::Admin => staff_may(&web, &visitor, access).await,
    };
    match allowed {
        Ok(()) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

async fn staff_may(web: &Web, visitor: &Visitor, access: Access) -> Result<(), WebError> {
    let id = visitor.need_staff()?;
    let mut tx = web.office.db.read().await?;
    let member = staff::load(&mut tx, id)
        .await?
        .filter(|member| member.active)
        .ok_or_else(|| WebError::staff_login(&visitor.path))?;
    let fits = match access {
        Access::Desk => member.is(Role::Clerk) || member.is(Role::Approver),
        Access::Admin => member.is(Role::Admin),
        Access::Public | Access::Person | Access::Staff => true,
    };
    if fits { Ok(()) } else { Err(WebError::from(Error::refused("desk.wrong_role"))) }
}

/// Around every request: who asks, how often, safe headers, and refusals in the caller's language.
async fn around(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut visitor = match Visitor::of(&web.office, &parts).await {
        Ok(visitor) => visitor,
        Err(error) => {
            let stranger = Visitor::stranger(&web.office, &parts);
            let mut response = refusal_page(&web.office, &stranger, &error);
            safe_headers(&web, &stranger, &mut response, false);
            return response;
        }
    };
    let mut request = Request::from_parts(parts, body);
    visitor.too_many = request.method() == Method::POST && web.limiter.check_key(&visitor.ip).is_err();
    // Many people may share an address: in the chat, an emergency and the wish for a person are heard all the same.
    let refused = visitor.too_many && request.uri().path() != chat::PATH;
    let scripts = request.uri().path().starts_with("/static/");
    let mut response = if refused {
        WebError::from(Error::refused("web.too_many")).into_response()
    } else {
        request.extensions_mut().insert(visitor.clone());
        next.run(request).await
    };
    if let Some(Refusal(error)) = response.extensions_mut().remove::<Refusal>() {
        response = refusal_page(&web.office, &visitor, &error);
        if matches!(error, Error::Storage(_)) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
    }
    safe_headers(&web, &visitor, &mut response, scripts);
    response
}

fn safe_headers(web: &Web, visitor: &Visitor, response: &mut Response, is_static: bool) {
    let frame = if visitor.embedded && !web.office.config.widget.allowed_origins.is_empty() {
        web.office.config.widget.allowed_origins.join(" ")
    } else {
        "'none'".to_owned()
    };
    // `data:` for the icons of KERN-UX, which are part of its style sheet.
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'{}; base-uri 'none'; frame-ancestors {frame}",
        oidc::form_targets(&web.office.config)
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, super::visitor::header_value(&policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    );
    if web.office.config.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    if !is_static {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
