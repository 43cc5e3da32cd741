//! The sender: one connection, one message at a time, each with its answer.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::base::limit::{
    MLLP_ANSWER_WAIT_S, MLLP_LOOK_MS, MLLP_MESSAGE_BYTES, MLLP_OTHER_ANSWERS_MAX, OUTBOUND_CONNECT_WAIT_S,
};
use crate::transport::mllp::MllpError;
use crate::transport::mllp::frame::{Framed, Frames, framed};
use crate::transport::mllp::stream::{Stream, is_quiet};
use crate::transport::tls;

/// To whom messages go, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderSettings {
    /// Host and port.
    pub to: String,
    /// Whether TLS is spoken.
    pub is_tls: bool,
    /// A PEM file of authorities that are trusted beside the public ones.
    pub authority: Option<PathBuf>,
    /// PEM files of the certificate and the key that show who the gateway is.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Sends messages. It connects when there is something to send, and again after the connection
/// broke.
pub struct Sender {
    settings: SenderSettings,
    tls: Option<Arc<ClientConfig>>,
    open: Option<(Stream, Frames)>,
}

impl Sender {
    /// A sender, not connected yet.
    ///
    /// # Errors
    /// Where a certificate or a key cannot be used.
    pub fn new(settings: SenderSettings) -> Result<Self, MllpError> {
        let identity = settings.identity.as_ref().map(|(shown, key)| (shown.as_path(), key.as_path()));
        let tls =
            settings.is_tls.then(|| tls::calling(settings.authority.as_deref(), identity)).transpose()?;
        Ok(Self { settings, tls: tls.map(Arc::new), open: None })
    }

    /// Sends a message and gives its answer: the first one of which `is_its` is true. Answers to
    /// others, late ones, are passed over.
    ///
    /// # Errors
    /// Where nobody takes the connection, it breaks, or no answer comes in time. Whether the message
    /// arrived is then not known: it is to be sent again, as it was.
    pub fn send(&mut self, message: &[u8], is_its: &dyn Fn(&[u8]) -> bool) -> Result<Vec<u8>, MllpError> {
        let (mut stream, mut frames) = match self.open.take() {
            Some(open) => open,
            None => (self.connect()?, Frames::new(MLLP_MESSAGE_BYTES)),
        };
        let answer = self.exchange(&mut stream, &mut frames, message, is_its)?;
        // Kept only after a whole exchange.
        self.open = Some((stream, frames));
        Ok(answer)
    }

    fn exchange(
        &self,
        stream: &mut Stream,
        frames: &mut Frames,
        message: &[u8],
        is_its: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>, MllpError> {
        stream.write_all(&framed(message)).map_err(|error| self.unreachable(&error))?;
        stream.flush().map_err(|error| self.unreachable(&error))?;
        let wait = Duration::from_secs(MLLP_ANSWER_WAIT_S);
        let (begun, mut others, mut piece) = (Instant::now(), 0, vec![0; 4096]);
        loop {
            while let Some(next) = frames.next_framed() {
                match next {
                    Framed::Message(answer) if is_its(&answer) => return Ok(answer),
                    _ => others += 1,
                }
            }
            if begun.elapsed() > wait || others > MLLP_OTHER_ANSWERS_MAX {
                return Err(MllpError::NoAnswer { to: self.settings.to.clone(), wait_s: MLLP_ANSWER_WAIT_S });
            }
            match stream.read(&mut piece) {
                Ok(0) => return Err(self.broken("the connection was closed before the answer")),
                Ok(n) => frames.take(piece.get(..n).unwrap_or_default()),
                Err(error) if is_quiet(&error) => {}
                Err(error) => return Err(self.unreachable(&error)),
            }
        }
    }

    fn connect(&self) -> Result<Stream, MllpError> {
        let wait = Duration::from_secs(OUTBOUND_CONNECT_WAIT_S);
        let addresses = self.settings.to.to_socket_addrs().map_err(|error| self.unreachable(&error))?;
        let mut last = None;
        for address in addresses {
            match TcpStream::connect_timeout(&address, wait) {
                Ok(socket) => return self.stream(socket).map_err(|error| self.unreachable(&error)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(|| self.broken("its name has no address"), |error| self.unreachable(&error)))
    }

    fn stream(&self, socket: TcpStream) -> std::io::Result<Stream> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_millis(MLLP_LOOK_MS)))?;
        socket.set_write_timeout(Some(Duration::from_secs(MLLP_ANSWER_WAIT_S)))?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(socket)) };
        let host = self.settings.to.rsplit_once(':').map_or(self.settings.to.as_str(), |(host, _port)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(std::io::Error::other)?;
        // The handshake is done with the first write, for which there is all the time of an answer.
        socket.set_read_timeout(Some(Duration::from_secs(MLLP_ANSWER_WAIT_S)))?;
        let connection = ClientConnection::new(tls.clone(), name).map_err(std::io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        stream.sock.set_read_timeout(Some(Duration::from_millis(MLLP_LOOK_MS)))?;
        Ok(Stream::Client(Box::new(stream)))
    }

    fn unreachable(&self, error: &std::io::Error) -> MllpError {
        MllpError::Unreachable { to: self.settings.to.clone(), reason: error.to_string() }
    }

    fn broken(&self, reason: &str) -> MllpError {
        MllpError::Unreachable { to: self.settings.to.clone(), reason: reason.to_owned() }
    }
}
