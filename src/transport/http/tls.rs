//! TLS towards others: the public authorities, the site's own beside them, and a certificate of the
//! gateway's where it has to show one.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::transport::http::{HttpError, Settings};

pub(in crate::transport) fn settings(settings: &Settings) -> Result<ClientConfig, HttpError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = &settings.authority {
        for authority in certificates(file)? {
            roots.add(authority).map_err(|error| wrong(file, &error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Setup { reason: error.to_string() })?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &settings.identity else { return Ok(builder.with_no_client_auth()) };
    // The reason is the parser's, and says nothing of what the file holds.
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    builder
        .with_client_auth_cert(certificates(certificate)?, secret)
        .map_err(|error| wrong(certificate, &error))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(file, &error))?;
    if found.is_empty() {
        let reason = "it holds no certificate in PEM".to_owned();
        return Err(HttpError::Certificate { file: file.to_owned(), reason });
    }
    Ok(found)
}

fn wrong(file: &Path, error: &dyn std::error::Error) -> HttpError {
    HttpError::Certificate { file: file.to_owned(), reason: error.to_string() }
}
