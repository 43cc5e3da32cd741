//! A pass: what a browser holds instead of a key, for an hour. It names the key and is sealed, so
//! that nobody makes one; the key is looked up each time, so that one which was taken back opens
//! nothing any more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::limit::PASS_S;
use crate::base::private::Private;
use crate::base::seal::Sealed;
use crate::gateway::api_key::{self, ApiKey};
use crate::gateway::{Gateway, GatewayError};

/// What passes are sealed under, apart from everything else.
const LABEL: &str = "pass";

/// A pass for whoever has a key.
///
/// # Errors
/// Where the store fails.
pub fn make(gateway: &Gateway, key: &ApiKey) -> Result<String, GatewayError> {
    let until = gateway.edge.now().plus_s(PASS_S);
    let said = Private::new(format!("{until} {}", key.id).into_bytes());
    let sealed = gateway.own_key()?.seal(&gateway.edge, LABEL, &said);
    Ok(URL_SAFE_NO_PAD.encode(sealed.as_bytes()))
}

/// The key that a pass stands for, if both are good.
///
/// # Errors
/// Where the store fails.
pub fn find(gateway: &Gateway, text: &str) -> Result<Option<ApiKey>, GatewayError> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) else { return Ok(None) };
    let Ok(said) = gateway.own_key()?.unseal(LABEL, &Sealed::from_bytes(bytes)) else { return Ok(None) };
    // An id of ours and an instant.
    let said = String::from_utf8_lossy(said.inspect()).into_owned();
    match said.split_once(' ') {
        Some((until, id)) if until > gateway.edge.now().to_string().as_str() => {
            api_key::find_live(gateway, id)
        }
        _ => Ok(None),
    }
}
