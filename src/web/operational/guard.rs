//! Leave to do something, as a type: a handler that works with the gateway has it from a
//! [`Guard`], and gets none without a key whose role allows what the handler does.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::sender::bearer;
use super::{Operational, State, blocking};
use crate::config::Config;
use crate::gateway::api_key::{self, ApiKey, Role};
use crate::gateway::{Gateway, GatewayError};
use crate::web::problem::{Kind, Problem};

/// Something that a handler does.
pub trait Action: 'static {
    /// The least role that may.
    const ROLE: Role;
}

/// Seeing what became of a source's data.
pub struct SeeSource;

impl Action for SeeSource {
    const ROLE: Role = Role::Read;
}

/// Seeing what is of no one source.
pub struct SeeAll;

impl Action for SeeAll {
    const ROLE: Role = Role::Operate;
}

/// Setting right what is set aside.
pub struct SetRight;

impl Action for SetRight {
    const ROLE: Role = Role::Operate;
}

/// Leave for an action. The only way of a handler of the API to the gateway.
pub struct Guard<A: Action> {
    state: State,
    key: ApiKey,
    action: PhantomData<A>,
}

/// Whose data a key may see.
#[derive(Debug, Clone)]
pub struct Sight {
    source: Option<String>,
    key: Option<String>,
}

impl Sight {
    /// The one source; none for all.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The key that may see records of restricted people; none where it may not.
    #[must_use]
    pub fn restricted(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl<A: Action> Guard<A> {
    /// Does something with the gateway, within what the key may see.
    ///
    /// # Errors
    /// Where it fails.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Gateway, &Sight) -> Result<T, GatewayError> + Send + 'static,
    ) -> Result<T, Problem> {
        let key = self.key.sees_restricted.then(|| self.key.id.clone());
        let sight = Sight { source: self.key.source.clone(), key };
        blocking(&self.state, move |state: &Operational| work(&state.gateway, &sight)).await
    }

    /// The configuration.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.state.config)
    }
}

impl<A: Action> FromRequest for Guard<A> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request.app_data::<State>().ok_or_else(|| Kind::Internal.problem())?;
            let sent = bearer(&request).ok_or_else(|| Kind::Unauthorised.problem())?;
            let key = find_key(state, sent).await?;
            let reaches = A::ROLE < Role::Operate || key.source.is_none();
            if key.role < A::ROLE || !reaches {
                return Err(Kind::Forbidden.problem());
            }
            Ok(Self { state: state.clone(), key, action: PhantomData })
        })
    }
}

/// The key that was sent, if it is live.
///
/// # Errors
/// Where it is not, or the store fails.
pub(super) async fn find_key(state: &State, sent: &str) -> Result<ApiKey, Problem> {
    let sent = zeroize::Zeroizing::new(sent.to_owned());
    let found = blocking(state, move |state| api_key::find(&state.gateway, &sent)).await?;
    found.ok_or_else(|| Kind::Unauthorised.told("the key is not known, has expired or was taken back"))
}
