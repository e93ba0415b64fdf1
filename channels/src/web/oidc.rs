//! Login over OpenID Connect (authorization code with PKCE): the identity provider says who somebody is and how
//! surely. What the provider's claim means as a trust level stands in the settings.

use std::collections::BTreeMap;

use amtsbote_core::config::Config;
use amtsbote_core::error::Error;
use amtsbote_core::person::Profile;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthenticationFlow, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse, UserInfoClaims, reqwest,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::Web;
use super::answer::Answer;
use super::home::own_path;
use super::login::{Login, log_in};
use super::routes::{Access, Route};
use super::visitor::{Fields, Visitor};

/// Keeps what a login that was begun must come back with, for ten minutes.
const COOKIE: &str = "amtsbote-oidc";

/// What the provider says beyond the standard claims.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    all: BTreeMap<String, Value>,
}

impl AdditionalClaims for Claims {}

type Fields_ = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type OidcClient = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields_, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider, asked for its addresses and keys once and only when somebody logs in.
#[derive(Default)]
pub struct Oidc {
    provider: OnceCell<(OidcClient, reqwest::Client)>,
}

impl Oidc {
    async fn client(&self, config: &Config) -> Result<&(OidcClient, reqwest::Client), Error> {
        self.provider
            .get_or_try_init(|| async {
                let failed = |what: String| {
                    Error::Setup(format!(
                        "the login provider {} {what}; check identity.oidc_issuer and that it can be reached",
                        config.identity.oidc_issuer
                    ))
                };
                let issuer = IssuerUrl::new(config.identity.oidc_issuer.clone())
                    .map_err(|error| failed(format!("has no valid address: {error}")))?;
                // A redirect of the provider is for browsers; following one here would let it reach into our network.
                let http = reqwest::ClientBuilder::new()
                    .redirect(reqwest::redirect::Policy::none())
                    .timeout(std::time::Duration::from_secs(10))
                    .build()
                    .map_err(|error| failed(format!("can't be asked: {error}")))?;
                let metadata = CoreProviderMetadata::discover_async(issuer, &http)
                    .await
                    .map_err(|error| failed(format!("does not answer: {error}")))?;
                let redirect = RedirectUrl::new(format!("{}/login/oidc/callback", config.public_url()))
                    .map_err(|error| failed(format!("can't send back here: {error}")))?;
                let id = ClientId::new(config.identity.oidc_client_id.clone());
                let secret = ClientSecret::new(config.identity.oidc_client_secret.expose().to_owned());
                let client =
                    OidcClient::from_provider_metadata(metadata, id, Some(secret)).set_redirect_uri(redirect);
                Ok((client, http))
            })
            .await
    }
}

/// Addresses that the login form may lead to, for the content security policy.
pub fn form_targets(config: &Config) -> String {
    let issuer = &config.identity.oidc_issuer;
    let origin: String = issuer.split('/').take(3).collect::<Vec<_>>().join("/");
    if issuer.is_empty() { String::new() } else { format!(" {origin}") }
}

pub(super) fn routes() -> Vec<Route> {
    let open = Access::Public;
    vec![
        Route { access: open, path: "/login/oidc", methods: &["POST"], handler: post(begin) },
        Route { access: open, path: "/login/oidc/callback", methods: &["GET"], handler: get(callback) },
    ]
}

async fn begin(State(web): State<Web>, jar: CookieJar, fields: Fields) -> Answer {
    let config = &web.office.config;
    if config.identity.oidc_issuer.is_empty() {
        return Err(Error::NotFound("page").into());
    }
    let (client, _) = web.oidc.client(config).await?;
    // Chance comes from the office's clock, like everywhere.
    let clock = &web.office.keys.clock;
    let verifier = PkceCodeVerifier::new(clock.token());
    let (state, nonce) = (clock.token(), clock.token());
    let (sent_state, sent_nonce) = (state.clone(), nonce.clone());
    let mut request = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            move || CsrfToken::new(sent_state),
            move || Nonce::new(sent_nonce),
        )
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    for scope in config.identity.oidc_scopes.split_whitespace().filter(|scope| *scope != "openid") {
        request = request.add_scope(Scope::new(scope.to_owned()));
    }
    let (url, _, _) = request.url();
    let next = own_path(fields.get("next"));
    let value = format!("{state}|{nonce}|{}|{}", verifier.secret(), super::answer::encode(&next));
    let cookie = Cookie::build((COOKIE, value))
        .path("/login/oidc")
        .http_only(true)
        .secure(config.is_https())
        .same_site(SameSite::Lax)
        .build();
    Ok((jar.add(cookie), Redirect::to(url.as_str())).into_response())
}

#[derive(Debug, Deserialize)]
struct Callback {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

async fn callback(
    State(web): State<Web>,
    visitor: Visitor,
    jar: CookieJar,
    Query(query): Query<Callback>,
) -> Answer {
    let config = &web.office.config;
    let refused = || Error::refused("login.failed");
    if config.identity.oidc_issuer.is_empty() {
        return Err(Error::NotFound("page").into());
    }
    let kept = jar.get(COOKIE).map(|cookie| cookie.value().to_owned()).ok_or_else(refused)?;
    let parts: Vec<&str> = kept.split('|').collect();
    let [state, nonce, verifier, next] = parts.as_slice() else { return Err(refused().into()) };
    if query.code.is_empty() || query.state != *state {
        return Err(refused().into());
    }
    let (client, http) = web.oidc.client(config).await?;
    let failed = |error: String| {
        tracing::warn!(error = %error, "a login over OIDC failed");
        refused()
    };
    let token = client
        .exchange_code(AuthorizationCode::new(query.code))
        .map_err(|error| failed(error.to_string()))?
        .set_pkce_verifier(PkceCodeVerifier::new((*verifier).to_owned()))
        .request_async(http)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let id_token = token.id_token().ok_or_else(|| failed("no id token".to_owned()))?;
    let claims = id_token
        .claims(&client.id_token_verifier(), &Nonce::new((*nonce).to_owned()))
        .map_err(|error| failed(error.to_string()))?;
    let subject = claims.subject().as_str().to_owned();
    // Standard claims are taken out of the additional ones by the library: both are read from the token's own JSON.
    let mut all = serde_json::to_value(claims).map_err(|error| failed(error.to_string()))?;
    // Many providers put attributes only behind the userinfo address; the signed token wins where both speak.
    if let Ok(request) = client.user_info(token.access_token().clone(), Some(claims.subject().clone())) {
        let info: UserInfoClaims<Claims, CoreGenderClaim> =
            request.request_async(http).await.map_err(|error| failed(error.to_string()))?;
        let info = serde_json::to_value(info).map_err(|error| failed(error.to_string()))?;
        if let (Value::Object(all), Value::Object(info)) = (&mut all, info) {
            for (name, value) in info {
                all.entry(name).or_insert(value);
            }
        }
    }
    let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned);
    let trust = config.identity.trust(text(&config.identity.oidc_trust_claim).as_deref());
    let login = Login { provider: "oidc", subject, profile: profile(&all), trust };
    let next = form_urlencoded::parse(next.as_bytes()).next().map(|(path, _)| path.into_owned());
    let jar = jar.remove(Cookie::build((COOKIE, "")).path("/login/oidc").build());
    log_in(&web, &visitor, jar, login, &own_path(&next.unwrap_or_default())).await
}

/// The attributes that forms use, from standard claims (OpenID Connect Core 1.0, section 5.1).
fn profile(claims: &Value) -> Profile {
    let top = [
        ("given_name", "given_name"),
        ("family_name", "family_name"),
        ("birthdate", "birth_date"),
        ("email", "email"),
    ];
    let address = [("street_address", "street"), ("postal_code", "postcode"), ("locality", "city")];
    let mut attributes = BTreeMap::new();
    let mut take = |object: &Value, pairs: &[(&str, &str)]| {
        for (claim, attribute) in pairs {
            if let Some(text) = object.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty()) {
                attributes.insert((*attribute).to_owned(), text.to_owned());
            }
        }
    };
    take(claims, &top);
    take(claims.get("address").unwrap_or(&Value::Null), &address);
    Profile(attributes)
}
