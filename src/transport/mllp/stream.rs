//! A connection that is protected by TLS, or not.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use rustls::{ClientConnection, ServerConnection, StreamOwned};

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
