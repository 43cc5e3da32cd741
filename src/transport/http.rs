//! Requests that the gateway makes of others: through the site's proxy, with the site's own
//! certificate authority beside the public ones, within bounds, and never to another address than
//! the one that was named.
//!
//! Redirects are not followed: a signed body goes to whom it is for, or nowhere. Answers are read
//! up to a bound. Where addresses of a private network are refused, they are refused after the name
//! has been looked up, so that no name can lead inside.

mod address;

use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use address::is_private;
use reqwest::blocking;
pub use reqwest::{Method, Url};

use crate::base::limit::{OUTBOUND_ANSWER_BYTES_MAX, OUTBOUND_CONNECT_WAIT_S, OUTBOUND_WAIT_S};
use crate::transport::tls::{self, TlsError};

/// How the gateway reaches others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The proxy, as `http://host:port`; none goes straight out.
    pub proxy: Option<String>,
    /// A PEM file of certificate authorities that are trusted beside the public ones.
    pub authority: Option<PathBuf>,
    /// PEM files of the certificate and the key that show who the gateway is.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Addresses of private networks and of this machine are refused, but those of a proxy.
    pub refuses_private: bool,
}

impl Settings {
    fn identity(&self) -> Option<(&Path, &Path)> {
        self.identity.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()))
    }
}

/// Makes requests.
#[derive(Clone)]
pub struct Client {
    inner: blocking::Client,
    refuses_private: bool,
}

/// What is asked of another.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where. Only `https`, or `http` on this machine's own network.
    pub url: Url,
    /// Header fields.
    pub headers: Vec<(&'static str, String)>,
    /// The body, empty for none.
    pub body: Vec<u8>,
}

/// What the other answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    headers: reqwest::header::HeaderMap,
    /// The body, up to [`OUTBOUND_ANSWER_BYTES_MAX`].
    pub body: Vec<u8>,
}

impl Answer {
    /// A header field as text, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why a request was not answered. Never holds what was sent; an address is the configuration's.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The proxy is no URL.
    #[error("`outbound.proxy` is no proxy: expected http://host:port")]
    Proxy,
    /// The client cannot be made.
    #[error("requests to others cannot be made here: {reason}")]
    Setup {
        /// Why.
        reason: String,
    },
    /// The address is inside a private network, and may not be.
    #[error(
        "{host} is an address of a private network, to which nothing is sent unless the configuration allows it"
    )]
    PrivateAddress {
        /// The host.
        host: String,
    },
    /// Others could listen in.
    #[error("{host} is another machine, and `http` has no TLS: name it by `https`")]
    Plain {
        /// The host.
        host: String,
    },
    /// There was no answer.
    #[error("{host} does not answer: {reason}")]
    NoAnswer {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The answer is larger than anything that is asked for.
    #[error("{host} answered with more than {bytes_max} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The bound.
        bytes_max: u64,
    },
}

impl HttpError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::TooLarge { .. } => true,
            Self::Tls(error) => error.retryable(),
            Self::Proxy | Self::Setup { .. } | Self::Plain { .. } | Self::PrivateAddress { .. } => false,
        }
    }
}

impl Client {
    /// A client of these settings.
    ///
    /// # Errors
    /// Where the proxy, a certificate or a key cannot be used.
    pub fn open(settings: &Settings) -> Result<Self, HttpError> {
        let setup = |error: reqwest::Error| HttpError::Setup { reason: reason(&error) };
        let mut builder = blocking::Client::builder()
            .user_agent(concat!("wayleave/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .timeout(Duration::from_secs(OUTBOUND_WAIT_S))
            .connect_timeout(Duration::from_secs(OUTBOUND_CONNECT_WAIT_S))
            .tls_backend_preconfigured(tls::calling(settings.authority.as_deref(), settings.identity())?);
        if let Some(proxy) = &settings.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_url| HttpError::Proxy)?);
        } else if settings.refuses_private {
            builder = builder.dns_resolver(Arc::new(address::PublicOnly));
        }
        let inner = builder.build().map_err(setup)?;
        Ok(Self { inner, refuses_private: settings.refuses_private })
    }

    /// Asks, and waits for the answer. Any status is an answer.
    ///
    /// # Errors
    /// Where the address may not be asked, or nobody answers in time.
    pub fn send(&self, request: Request) -> Result<Answer, HttpError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        if self.refuses_private && address::is_private_literal(&request.url) {
            return Err(HttpError::PrivateAddress { host });
        }
        if is_plain(&request.url) {
            return Err(HttpError::Plain { host });
        }
        let mut asked = self.inner.request(request.method, request.url).body(request.body);
        for (name, value) in request.headers {
            asked = asked.header(name, value);
        }
        let no_answer = |reason: String| HttpError::NoAnswer { host: host.clone(), reason };
        let mut answered = asked.send().map_err(|error| {
            if address::refused(&error) {
                return HttpError::PrivateAddress { host: host.clone() };
            }
            no_answer(reason(&error))
        })?;
        let (status, headers) = (answered.status().as_u16(), answered.headers().clone());
        let mut body = Vec::new();
        let n =
            answered.by_ref().take(OUTBOUND_ANSWER_BYTES_MAX + 1).read_to_end(&mut body).map_err(
                |error| HttpError::NoAnswer { host: host.clone(), reason: error.kind().to_string() },
            )?;
        if u64::try_from(n).unwrap_or(u64::MAX) > OUTBOUND_ANSWER_BYTES_MAX {
            return Err(HttpError::TooLarge { host, bytes_max: OUTBOUND_ANSWER_BYTES_MAX });
        }
        Ok(Answer { status, headers, body })
    }
}

/// True where what is sent would go to another machine without TLS.
fn is_plain(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    url.scheme() != "https" && !is_here
}

/// The innermost reason, without the URL, which may hold a token.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Client, HttpError, Method, Request, Settings, Url};

    fn get(url: &str) -> Request {
        Request { method: Method::GET, url: Url::parse(url).unwrap(), headers: Vec::new(), body: Vec::new() }
    }

    #[test]
    fn no_name_leads_inside() {
        let client = Client::open(&Settings { refuses_private: true, ..Settings::default() }).unwrap();
        for url in
            ["http://127.0.0.1:9/", "http://[::1]:9/", "http://10.1.2.3/", "http://localhost:9/", "http://0/"]
        {
            let refused = client.send(get(url)).unwrap_err();
            assert!(matches!(refused, HttpError::PrivateAddress { .. }), "{url}: {refused}");
        }
    }

    #[test]
    fn a_reason_names_no_path() {
        let client = Client::open(&Settings::default()).unwrap();
        let refused = client.send(get("http://127.0.0.1:1/secret?token=abc")).unwrap_err();
        assert!(matches!(refused, HttpError::NoAnswer { .. }));
        assert!(!refused.to_string().contains("secret") && !refused.to_string().contains("abc"));
    }

    #[test]
    fn nothing_goes_to_another_machine_without_tls() {
        let client = Client::open(&Settings::default()).unwrap();
        for url in ["http://example.org/", "http://10.1.2.3/", "ftp://example.org/"] {
            assert!(matches!(client.send(get(url)), Err(HttpError::Plain { .. })), "{url}");
        }
    }

    #[test]
    fn a_proxy_that_is_none_is_said() {
        let settings = Settings { proxy: Some("::".to_owned()), ..Settings::default() };
        assert!(matches!(Client::open(&settings), Err(HttpError::Proxy)));
    }
}
