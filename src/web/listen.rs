//! Listening: over TLS, or where nobody else can listen in.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use rustls::ServerConfig;

use crate::base::limit::{HEAD_WAIT_S, KEEP_ALIVE_S};
use crate::config::Config;
use crate::gateway::{Gateway, GatewayError};
use crate::telemetry::Figures;
use crate::transport::tls::{self, ListenerTls, TlsError};
use crate::web::journal::Journal;
use crate::web::operational::{self, Operational};
use crate::web::trail;

/// Why the web does not start.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address is none.
    #[error("`web.listen` is no address of this machine: {address}")]
    Address {
        /// As configured.
        address: String,
    },
    /// Others could listen in.
    #[error(
        "`web.listen` is {address}, which others can reach, and there is no TLS: set `web.certificate` and `web.certificate_key`, or `web.behind_proxy = true` where a proxy speaks TLS for it"
    )]
    Bare {
        /// As configured.
        address: SocketAddr,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The port is taken, or may not be.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The server failed.
    #[error("the web server failed: {0}")]
    Server(std::io::Error),
    /// The gateway cannot be used.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

impl WebError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Listen { .. } => true,
            Self::Gateway(error) => error.retryable(),
            Self::Tls(error) => error.retryable(),
            Self::Address { .. } | Self::Bare { .. } | Self::Server(_) => false,
        }
    }
}

/// Serves the operational web until a signal stops it: no more connections are taken, requests
/// under way are answered, what waits to be kept is kept. `told` hears where it listens.
///
/// # Errors
/// Where it cannot start, or fails.
pub fn serve(
    gateway: &Gateway,
    config: &Config,
    figures: &Arc<Figures>,
    told: impl FnOnce(SocketAddr),
) -> Result<(), WebError> {
    let (address, tls) = ground(config)?;
    let (journal, thread) = Journal::start(gateway.clone(), figures.clone());
    let state = web::Data::new(Operational::open(gateway, config, journal, figures.clone())?);
    let (edge, figures) = (web::Data::new(gateway.edge.clone()), web::Data::new(figures.clone()));
    let served = actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .app_data(edge.clone())
                .app_data(figures.clone())
                .configure(operational::routes)
                .wrap(from_fn(trail::note))
        });
        let server = server
            .max_connections(config.web.connections_max)
            .client_request_timeout(Duration::from_secs(HEAD_WAIT_S))
            .keep_alive(Duration::from_secs(KEEP_ALIVE_S))
            .shutdown_timeout(config.web.stop_wait_s);
        let bound = match tls {
            Some(tls) => server.bind_rustls_0_23(address, tls),
            None => server.bind(address),
        };
        let server = bound.map_err(|source| WebError::Listen { address, source })?;
        told(server.addrs().first().copied().unwrap_or(address));
        server.run().await.map_err(WebError::Server)
    });
    // The journal's last copy went with the server: what waited is kept before this ends.
    let _ended = thread.join();
    served
}

/// Where it would listen, and how; without listening.
///
/// # Errors
/// Where it would not start.
pub fn look(config: &Config) -> Result<String, WebError> {
    let (address, tls) = ground(config)?;
    Ok(match (tls.is_some(), config.web.behind_proxy) {
        (true, _) => format!("`wayleave serve` listens on {address}, over TLS"),
        (false, true) => {
            format!("`wayleave serve` listens on {address}, and leaves TLS to the proxy before it")
        }
        (false, false) => format!("`wayleave serve` listens on {address}, for this machine alone"),
    })
}

/// Where it listens, and what it shows: never in the open.
fn ground(config: &Config) -> Result<(SocketAddr, Option<ServerConfig>), WebError> {
    let address = address(config)?;
    let tls = tls(config)?;
    if tls.is_none() && !config.web.behind_proxy && !address.ip().is_loopback() {
        return Err(WebError::Bare { address });
    }
    Ok((address, tls))
}

fn address(config: &Config) -> Result<SocketAddr, WebError> {
    let named = &config.web.listen;
    let found = named.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| WebError::Address { address: named.clone() })
}

fn tls(config: &Config) -> Result<Option<ServerConfig>, WebError> {
    let (certificate, key) = (&config.web.certificate, &config.web.certificate_key);
    if certificate.is_empty() && key.is_empty() {
        return Ok(None);
    }
    let files =
        ListenerTls { certificate: config.path(certificate), key: config.path(key), client_authority: None };
    Ok(Some(tls::listening(&files)?))
}

/// Waits for the signal that stops a service which does not listen. `told` hears when it is waited for.
///
/// # Errors
/// Where signals cannot be waited for.
pub fn until_stopped(told: impl FnOnce()) -> Result<(), WebError> {
    let waited = actix_web::rt::System::new().block_on(async {
        let interrupted = tokio::signal::ctrl_c();
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut ended = signal(SignalKind::terminate())?;
            told();
            tokio::select! {
                interrupted = interrupted => interrupted,
                _ended = ended.recv() => Ok(()),
            }
        }
        #[cfg(not(unix))]
        {
            told();
            interrupted.await
        }
    });
    waited.map_err(WebError::Server)
}
