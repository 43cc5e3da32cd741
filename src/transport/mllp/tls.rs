//! TLS of the listener, and a stream that is either.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::transport::mllp::MllpError;

/// PEM files of a listener that speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// The certificate with its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority whose certificate a sender must show; none asks for none.
    pub client_authority: Option<PathBuf>,
}

/// A connection, protected or not.
pub(super) enum Stream {
    /// In the clear.
    Plain(TcpStream),
    /// The listener's end of TLS.
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
    /// The sender's end.
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// True while the handshake of TLS is under way.
    pub(super) fn is_handshaking(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Server(stream) => stream.conn.is_handshaking(),
            Self::Client(stream) => stream.conn.is_handshaking(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Server(stream) => stream.read(into),
            Self::Client(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Server(stream) => stream.write(bytes),
            Self::Client(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Server(stream) => stream.flush(),
            Self::Client(stream) => stream.flush(),
        }
    }
}

/// Whether an error only says that nothing has come yet.
pub(super) fn is_quiet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

pub(super) fn settings(tls: &ListenerTls) -> Result<Arc<ServerConfig>, MllpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&tls.certificate)?;
    // The reason is the parser's, and says nothing of what the file holds.
    let secret = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| wrong(&tls.key, &error))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&tls.certificate, &error))?;
    let builder = match &tls.client_authority {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(file)? {
                roots.add(authority).map_err(|error| wrong(file, &error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|error| wrong(file, &error))?)
        }
    };
    let settings =
        builder.with_single_cert(chain, secret).map_err(|error| wrong(&tls.certificate, &error))?;
    Ok(Arc::new(settings))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, MllpError> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(file, &error))
}

fn wrong(file: &Path, error: &dyn std::error::Error) -> MllpError {
    MllpError::Certificate { file: file.to_owned(), reason: error.to_string() }
}
