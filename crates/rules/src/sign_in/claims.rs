//! Judges the claims of a token whose signature holds: is it for us, does it hold now, and who is it?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clean::clean_name;
use crate::access::Role;
use crate::ids::{DEFAULT_ORG, OrgId};
use crate::limits::SUBJECT_BYTES_MAX;
use crate::time::{Millis, Span};

/// What the hub expects of a token.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who must have issued it.
    pub issuer: &'a str,
    /// What `aud` must hold; if absent, `aud` or `azp` must hold the client's id.
    pub audience: Option<&'a str>,
    /// The client's id.
    pub client_id: &'a str,
    /// By how much clocks may differ.
    pub leeway: Span,
    /// Where the roles stand: names with dots between them.
    pub roles_claim: &'a str,
    /// Which of the provider's roles are which of ours.
    pub roles: &'a BTreeMap<String, Role>,
    /// Where the org stands.
    pub org_claim: &'a str,
    /// What becomes of those who have none.
    pub org_when_absent: OrgWhenAbsent,
}

/// What becomes of people whose token names no org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OrgWhenAbsent {
    /// They are refused.
    #[default]
    #[serde(rename = "")]
    Refused,
    /// They belong to the hub's own org.
    #[serde(rename = "default")]
    Default,
}

/// Who a token says its bearer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's own id of the person.
    pub subject: String,
    /// What the person is called.
    pub name: String,
    /// What the person is here.
    pub role: Role,
    /// The person's org, which need not exist.
    pub org: OrgId,
    /// The token's own id, if it has one.
    pub jti: Option<String>,
    /// From when on the token is worth nothing, the leeway included.
    pub ends_at: Millis,
}

/// Why a token is worth nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A claim is missing, or is not what it should be.
    #[error("the claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not valid yet")]
    NotYet,
    /// Somebody else issued it.
    #[error("it is of another issuer")]
    OtherIssuer,
    /// It is for somebody else.
    #[error("it is for another audience")]
    OtherAudience,
    /// It is a token for something else, such as one that says who somebody is.
    #[error("it is no access token")]
    NoAccessToken,
    /// None of the person's roles is known here.
    #[error("none of its roles is known here")]
    NoRole,
    /// The person has no org.
    #[error("it names no org")]
    NoOrg,
    /// What stands where the org should be is no org's id.
    #[error("what it names as org is no org's id")]
    BadOrg,
}

impl Refusal {
    /// Whether the token is good and only the person is nobody here: then they are told why.
    pub fn is_of_the_person(self) -> bool {
        matches!(self, Refusal::NoRole | Refusal::NoOrg | Refusal::BadOrg)
    }
}

/// Who the bearer is, or why they are nobody here.
pub fn judge(claims: &Map<String, Value>, expected: &Expected<'_>, now: Millis) -> Result<Identity, Refusal> {
    if text(claims, "iss").ok_or(Refusal::Claim("iss"))? != expected.issuer {
        return Err(Refusal::OtherIssuer);
    }
    if !is_for_us(claims, expected) {
        return Err(Refusal::OtherAudience);
    }
    if matches!(text(claims, "typ"), Some("ID" | "Refresh" | "Offline" | "Logout")) {
        return Err(Refusal::NoAccessToken);
    }
    // Where nothing else tells the one from the other: these stand in tokens that say who somebody is.
    if expected.audience.is_none() && ["nonce", "at_hash", "c_hash"].iter().any(|claim| claims.contains_key(*claim)) {
        return Err(Refusal::NoAccessToken);
    }
    let ends_at = moment(claims, "exp")?.ok_or(Refusal::Claim("exp"))? + expected.leeway;
    if now >= ends_at {
        return Err(Refusal::Expired);
    }
    if moment(claims, "nbf")?.is_some_and(|begins_at| now + expected.leeway < begins_at) {
        return Err(Refusal::NotYet);
    }
    let subject = text(claims, "sub").filter(|subject| is_plain(subject)).ok_or(Refusal::Claim("sub"))?;
    let jti = match claims.get("jti") {
        None | Some(Value::Null) => None,
        Some(jti) => Some(jti.as_str().filter(|jti| is_plain(jti)).ok_or(Refusal::Claim("jti"))?.to_owned()),
    };
    let role = strongest(claims, expected)?;
    let org = org(claims, expected)?;
    let told = ["preferred_username", "email", "sub"].into_iter().find_map(|claim| clean_name(text(claims, claim)?));
    let name = told.ok_or(Refusal::Claim("sub"))?;
    Ok(Identity { subject: subject.to_owned(), name, role, org, jti, ends_at })
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name)?.as_str()
}

/// Ids are kept and compared, so they are short and hold nothing that cannot be seen.
fn is_plain(id: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&id.len()) && !id.chars().any(char::is_control)
}

/// A time in seconds, whole or not.
fn moment(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Millis>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let whole = value.as_i64().map(|seconds| Millis(seconds.saturating_mul(1000)));
    // A float too large for the type becomes the largest there is.
    #[expect(clippy::cast_possible_truncation, reason = "saturates, as it should")]
    let moment = whole.or_else(|| value.as_f64().map(|seconds| Millis((seconds * 1000.0) as i64)));
    moment.map(Some).ok_or(Refusal::Claim(name))
}

fn is_for_us(claims: &Map<String, Value>, expected: &Expected<'_>) -> bool {
    let holds = |wanted: &str| match claims.get("aud") {
        Some(Value::String(audience)) => audience == wanted,
        Some(Value::Array(all)) => all.iter().any(|audience| audience.as_str() == Some(wanted)),
        _ => false,
    };
    match expected.audience {
        Some(audience) => holds(audience),
        None => holds(expected.client_id) || text(claims, "azp") == Some(expected.client_id),
    }
}

/// What stands at a path. A claim whose own name has dots in it is found as well.
fn at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(claims.get(first)?.as_object()?, rest)
}

fn strongest(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<Role, Refusal> {
    let missing = Refusal::Claim("roles");
    let ours = |word: &str| expected.roles.get(word).copied();
    let strength = |role: &Role| role.permissions().iter().count();
    match at(claims, expected.roles_claim).ok_or(missing)? {
        Value::String(one) => ours(one).ok_or(Refusal::NoRole),
        Value::Array(all) => {
            all.iter().filter_map(|role| ours(role.as_str()?)).max_by_key(strength).ok_or(Refusal::NoRole)
        }
        _ => Err(missing),
    }
}

fn org(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<OrgId, Refusal> {
    match at(claims, expected.org_claim) {
        None | Some(Value::Null) => match expected.org_when_absent {
            OrgWhenAbsent::Refused => Err(Refusal::NoOrg),
            OrgWhenAbsent::Default => Ok(DEFAULT_ORG),
        },
        Some(Value::String(id)) => id.parse().map_err(|_| Refusal::BadOrg),
        Some(_) => Err(Refusal::BadOrg),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Millis = Millis(1_700_000_000_000);
    const ORG: &str = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";

    fn good() -> Value {
        json!({
            "iss": "https://id.example/realms/r", "aud": ["account", "hub"], "azp": "sortie", "sub": "s-1",
            "exp": 1_700_000_300, "jti": "j", "preferred_username": "ada", "org_id": ORG,
            "realm_access": { "roles": ["offline_access", "user", "admin"] },
        })
    }

    fn judged(changes: Value, change: impl FnOnce(&mut Expected<'_>)) -> Result<Identity, Refusal> {
        let roles = [("user".to_owned(), Role::Viewer), ("admin".to_owned(), Role::Admin)].into();
        let mut expected = Expected {
            issuer: "https://id.example/realms/r",
            audience: Some("hub"),
            client_id: "sortie",
            leeway: Span::seconds(60),
            roles_claim: "realm_access.roles",
            roles: &roles,
            org_claim: "org_id",
            org_when_absent: OrgWhenAbsent::Refused,
        };
        change(&mut expected);
        let mut claims = good().as_object().unwrap().clone();
        for (name, value) in changes.as_object().unwrap() {
            // What is changed to `false` is taken out.
            if *value == json!(false) {
                claims.remove(name)
            } else {
                claims.insert(name.clone(), value.clone())
            };
        }
        judge(&claims, &expected, NOW)
    }

    fn with(changes: Value) -> Result<Identity, Refusal> {
        judged(changes, |_| {})
    }

    #[test]
    fn a_good_token_says_who_its_bearer_is() {
        let ada = Identity {
            subject: "s-1".into(),
            name: "ada".into(),
            role: Role::Admin,
            org: ORG.parse().unwrap(),
            jti: Some("j".into()),
            ends_at: Millis(NOW.0 + 360_000),
        };
        assert_eq!(with(json!({})), Ok(ada.clone()));
        assert_eq!(with(json!({ "jti": false })), Ok(Identity { jti: None, ..ada }));
        assert_eq!(with(json!({ "preferred_username": "\n", "email": "a@b" })).unwrap().name, "a@b");
        assert_eq!(with(json!({ "preferred_username": false })).unwrap().name, "s-1");
    }

    #[test]
    fn a_token_counts_from_its_beginning_to_its_end_and_a_leeway_more() {
        let second = |by: i64| json!(NOW.0 / 1000 + by);
        assert_eq!(with(json!({ "exp": second(-60) })), Err(Refusal::Expired));
        assert!(with(json!({ "exp": second(-59) })).is_ok());
        assert!(with(json!({ "nbf": second(60) })).is_ok());
        assert_eq!(with(json!({ "nbf": second(61) })), Err(Refusal::NotYet));
        assert_eq!(with(json!({ "exp": i64::MAX })).unwrap().ends_at, Millis(i64::MAX));
        assert!(with(json!({ "exp": 1.8e9 })).is_ok());
        for bad in [json!(false), json!("1800000000"), json!(null), json!(-1)] {
            let refused = with(json!({ "exp": bad }));
            assert!(matches!(refused, Err(Refusal::Claim("exp") | Refusal::Expired)), "{refused:?}");
        }
        assert_eq!(with(json!({ "nbf": "soon" })), Err(Refusal::Claim("nbf")));
    }

    #[test]
    fn a_token_for_somebody_else_is_refused() {
        assert_eq!(with(json!({ "iss": "https://id.example/realms/r/" })), Err(Refusal::OtherIssuer));
        assert_eq!(with(json!({ "aud": "hub2" })), Err(Refusal::OtherAudience));
        assert_eq!(with(json!({ "aud": "sortie" })), Err(Refusal::OtherAudience), "azp does not count here");
        assert!(judged(json!({ "aud": "account" }), |expected| expected.audience = None).is_ok(), "azp does");
        assert!(judged(json!({ "aud": "sortie", "azp": false }), |expected| expected.audience = None).is_ok());
        let other = judged(json!({ "azp": "other" }), |expected| expected.audience = None);
        assert_eq!(other, Err(Refusal::OtherAudience));
        assert_eq!(with(json!({ "typ": "ID" })), Err(Refusal::NoAccessToken));
        assert!(with(json!({ "typ": "Bearer" })).is_ok());
        for claim in ["nonce", "at_hash", "c_hash"] {
            let by_client = judged(json!({ "aud": "sortie", (claim): "x" }), |expected| expected.audience = None);
            assert_eq!(by_client, Err(Refusal::NoAccessToken), "{claim} says that it is an ID token");
            assert!(with(json!({ (claim): "x" })).is_ok(), "the audience tells them apart");
        }
    }

    #[test]
    fn what_is_needed_and_missing_is_named() {
        for (claim, name) in [("iss", "iss"), ("sub", "sub"), ("exp", "exp"), ("realm_access", "roles")] {
            assert_eq!(with(json!({ (claim): false })), Err(Refusal::Claim(name)));
            assert_eq!(with(json!({ (claim): [] })), Err(Refusal::Claim(name)));
        }
        assert_eq!(with(json!({ "aud": false })), Err(Refusal::OtherAudience));
        assert_eq!(with(json!({ "sub": "" })), Err(Refusal::Claim("sub")));
        assert_eq!(with(json!({ "sub": "a\nb" })), Err(Refusal::Claim("sub")));
        assert_eq!(with(json!({ "sub": "s".repeat(SUBJECT_BYTES_MAX + 1) })), Err(Refusal::Claim("sub")));
        assert_eq!(with(json!({ "jti": 7 })), Err(Refusal::Claim("jti")));
    }

    #[test]
    fn the_strongest_known_role_counts() {
        let roles = |roles: Value| with(json!({ "realm_access": { "roles": roles } })).map(|who| who.role);
        assert_eq!(roles(json!(["user"])), Ok(Role::Viewer));
        assert_eq!(roles(json!(["admin", "user"])), Ok(Role::Admin));
        assert_eq!(roles(json!("user")), Ok(Role::Viewer));
        for unknown in [json!([]), json!(["root"]), json!("Admin"), json!([["admin"]])] {
            assert_eq!(roles(unknown), Err(Refusal::NoRole));
        }
        let elsewhere = json!({ "https://x.example/roles": ["admin"] });
        assert!(judged(elsewhere, |expected| expected.roles_claim = "https://x.example/roles").is_ok());
    }

    #[test]
    fn an_org_is_an_id_or_what_the_settings_say() {
        let or_default = |value: Value| {
            judged(json!({ "org_id": value }), |expected| expected.org_when_absent = OrgWhenAbsent::Default)
                .map(|who| who.org)
        };
        assert_eq!(with(json!({ "org_id": null })), Err(Refusal::NoOrg));
        assert_eq!(with(json!({ "org_id": false })), Err(Refusal::NoOrg));
        assert_eq!(or_default(json!(null)), Ok(DEFAULT_ORG));
        assert_eq!(or_default(json!("default")), Err(Refusal::BadOrg));
        assert_eq!(or_default(json!([ORG])), Err(Refusal::BadOrg));
        assert!(Refusal::BadOrg.is_of_the_person() && !Refusal::Expired.is_of_the_person());
    }
}
