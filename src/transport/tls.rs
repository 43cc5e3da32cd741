//! TLS from PEM files: by what the gateway shows who it is, and whom it trusts. The only reader of such
//! files, for what listens and for what calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::transport::access::is_open_to_others;

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error("cannot use {} for TLS: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The library does not do what is asked of it here.
    #[error("TLS cannot be set up here: {reason}")]
    Setup {
        /// Why.
        reason: String,
    },
}

impl TlsError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::File { .. } | Self::Setup { .. } => false,
        }
    }
}

/// PEM files of what listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// The certificate with its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority whose certificate a sender must show; none asks for none.
    pub client_authority: Option<PathBuf>,
}

/// The TLS of what listens.
///
/// # Errors
/// Where a file cannot be used, or others may read the key.
pub fn listening(files: &ListenerTls) -> Result<ServerConfig, TlsError> {
    let (chain, secret) = (certificates(&files.certificate)?, key(&files.key)?);
    let provider = provider();
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(&error))?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            add_authorities(&mut roots, file)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|error| wrong(file, &error))?)
        }
    };
    builder.with_single_cert(chain, secret).map_err(|error| wrong(&files.certificate, &error))
}

/// The TLS of what calls others: the public authorities, the site's own beside them, and the files of a
/// certificate and its key where the gateway has to show who it is.
pub(super) fn calling(
    authority: Option<&Path>,
    identity: Option<(&Path, &Path)>,
) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = authority {
        add_authorities(&mut roots, file)?;
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(&error))?
        .with_root_certificates(roots);
    let Some((certificate, secret)) = identity else { return Ok(builder.with_no_client_auth()) };
    builder
        .with_client_auth_cert(certificates(certificate)?, key(secret)?)
        .map_err(|error| wrong(certificate, &error))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn add_authorities(roots: &mut RootCertStore, file: &Path) -> Result<(), TlsError> {
    for authority in certificates(file)? {
        roots.add(authority).map_err(|error| wrong(file, &error))?;
    }
    Ok(())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(file, &error))?;
    if found.is_empty() {
        let reason = "it holds no certificate in PEM, which begins with `-----BEGIN CERTIFICATE-----`";
        return Err(TlsError::File { file: file.to_owned(), reason: reason.to_owned() });
    }
    Ok(found)
}

/// A key that its owner alone may read.
fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    if is_open_to_others(file) {
        let reason = "it can be read by others; run `chmod 600` on it".to_owned();
        return Err(TlsError::File { file: file.to_owned(), reason });
    }
    // The reason is the parser's, and says nothing of what the file holds.
    PrivateKeyDer::from_pem_file(file).map_err(|error| wrong(file, &error))
}

fn wrong(file: &Path, error: &dyn std::error::Error) -> TlsError {
    TlsError::File { file: file.to_owned(), reason: error.to_string() }
}

fn setup(error: &rustls::Error) -> TlsError {
    TlsError::Setup { reason: error.to_string() }
}
