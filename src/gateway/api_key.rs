//! Keys by which clients of the web show who they are: made here, shown once, kept as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::base::id::ApiKeyId;
use crate::gateway::{Gateway, GatewayError};
use crate::store::api_key::{self, ApiKeyRow};
use crate::store::{Tx, audit};

/// What a key begins with, so that one which leaked is known for what it is.
const PREFIX: &str = "wlk_";

/// What a key is for. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Send events and files of its source, and see their receipts.
    Send,
    /// See what became of its source's data.
    Read,
    /// See everything of the operational zone that names nobody.
    Operate,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Send, Self::Read, Self::Operate];

    /// The word stored and typed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A key that is live, but for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// The one source it is for; none for all.
    pub source: Option<String>,
    /// Whether it may see records of restricted people.
    pub sees_restricted: bool,
}

impl ApiKey {
    /// True if it is for a source.
    #[must_use]
    pub fn is_for(&self, source: &str) -> bool {
        self.source.as_deref().is_none_or(|own| own == source)
    }
}

/// A key as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKeyShown {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// What it is for.
    pub role: String,
    /// The one source it is for; none for all.
    pub source: Option<String>,
    /// `live`, `expired` or `revoked`.
    pub state: String,
    /// When it was made.
    pub created_at: String,
    /// Until when it is good.
    pub expires_at: String,
    /// The key it takes the place of.
    pub replaces: Option<String>,
    /// Whether it may see records of restricted people.
    pub sees_restricted: bool,
}

/// What a new key is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What it is called.
    pub label: String,
    /// What it is for.
    pub role: Role,
    /// The one source it is for; none for all.
    pub source: Option<String>,
    /// For how many days it is good.
    pub days: i64,
    /// Whether it may see records of restricted people.
    pub sees_restricted: bool,
}

/// A key that was made: the only time that it is seen.
pub struct Made {
    /// Its id.
    pub id: String,
    /// The key.
    pub text: Zeroizing<String>,
    /// Until when it is good.
    pub expires_at: String,
}

/// Makes a key.
///
/// # Errors
/// Where the store fails.
pub fn create(gateway: &Gateway, wanted: &Wanted) -> Result<Made, GatewayError> {
    gateway.store.write(|tx| make(tx, gateway, wanted, None))
}

/// Makes a key that takes the place of another, which stays good for some days more.
///
/// # Errors
/// Where there is no such live key, or the store fails.
pub fn rotate(gateway: &Gateway, id: &str, days: i64, overlap_days: i64) -> Result<Made, GatewayError> {
    gateway.store.write(|tx| {
        let row = live(tx, gateway, id)?;
        let role = Role::find(&row.role).ok_or_else(|| GatewayError::NoApiKey { id: id.to_owned() })?;
        let wanted = Wanted {
            label: row.label.clone(),
            role,
            source: row.source.clone(),
            days,
            sees_restricted: row.sees_restricted,
        };
        let made = make(tx, gateway, &wanted, Some(&row.id))?;
        let until = gateway.edge.now().plus_s(overlap_days * DAY_S).to_string().min(row.expires_at);
        api_key::set_expiry(tx, &row.id, &until)?;
        Ok(made)
    })
}

/// Takes a key back, at once.
///
/// # Errors
/// Where there is no such live key, or the store fails.
pub fn revoke(gateway: &Gateway, id: &str) -> Result<(), GatewayError> {
    gateway.store.write(|tx| {
        let row = live(tx, gateway, id)?;
        let at = gateway.edge.now();
        api_key::revoke(tx, &row.id, &at.to_string())?;
        audit::append_act(tx, &gateway.actor, "key revoked", &row.role, &row.id, 0, at)?;
        Ok(())
    })
}

/// Every key, newest first.
///
/// # Errors
/// Where the store fails.
pub fn list(gateway: &Gateway) -> Result<Vec<ApiKeyShown>, GatewayError> {
    let rows = gateway.store.read(api_key::list)?;
    let now = gateway.edge.now().to_string();
    let shown = rows.into_iter().map(|row| ApiKeyShown {
        state: match (&row.revoked_at, row.expires_at > now) {
            (Some(_), _) => "revoked",
            (None, true) => "live",
            (None, false) => "expired",
        }
        .to_owned(),
        id: row.id,
        label: row.label,
        role: row.role,
        source: row.source,
        created_at: row.created_at,
        expires_at: row.expires_at,
        replaces: row.replaces,
        sees_restricted: row.sees_restricted,
    });
    Ok(shown.collect())
}

/// The key that a client sent, if it is live.
///
/// # Errors
/// Where the store fails.
pub fn find(gateway: &Gateway, text: &str) -> Result<Option<ApiKey>, GatewayError> {
    if !text.starts_with(PREFIX) {
        return Ok(None);
    }
    let row = gateway.store.read(|tx| api_key::find_by_hash(tx, &hash(text)))?;
    Ok(row.and_then(|row| if_live(gateway, row)))
}

/// The key of that id, if it is live.
///
/// # Errors
/// Where the store fails.
pub fn find_live(gateway: &Gateway, id: &str) -> Result<Option<ApiKey>, GatewayError> {
    let row = gateway.store.read(|tx| api_key::find(tx, id))?;
    Ok(row.and_then(|row| if_live(gateway, row)))
}

fn if_live(gateway: &Gateway, row: ApiKeyRow) -> Option<ApiKey> {
    let is_live = row.revoked_at.is_none() && row.expires_at > gateway.edge.now().to_string();
    let role = Role::find(&row.role).filter(|_| is_live)?;
    Some(ApiKey { role, id: row.id, source: row.source, sees_restricted: row.sees_restricted })
}

/// Seconds of a day.
const DAY_S: i64 = 86_400;

fn live(tx: &mut Tx, gateway: &Gateway, id: &str) -> Result<ApiKeyRow, GatewayError> {
    let now = gateway.edge.now().to_string();
    let row = api_key::find(tx, id)?.filter(|row| row.revoked_at.is_none() && row.expires_at > now);
    row.ok_or_else(|| GatewayError::NoApiKey { id: id.to_owned() })
}

fn make(
    tx: &mut Tx,
    gateway: &Gateway,
    wanted: &Wanted,
    replaces: Option<&str>,
) -> Result<Made, GatewayError> {
    let edge = &gateway.edge;
    let secret = Zeroizing::new(edge.bytes::<32>());
    let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret.as_slice())));
    let at = edge.now();
    let row = ApiKeyRow {
        id: ApiKeyId::mint(edge).to_string(),
        hash: hash(&text),
        label: wanted.label.clone(),
        role: wanted.role.as_str().to_owned(),
        source: wanted.source.clone(),
        created_at: at.to_string(),
        expires_at: at.plus_s(wanted.days.saturating_mul(DAY_S)).to_string(),
        revoked_at: None,
        replaces: replaces.map(str::to_owned),
        sees_restricted: wanted.sees_restricted,
    };
    api_key::create(tx, &row)?;
    audit::append_act(tx, &gateway.actor, "key made", &row.role, &row.id, 0, at)?;
    Ok(Made { id: row.id, text, expires_at: row.expires_at })
}

fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}
