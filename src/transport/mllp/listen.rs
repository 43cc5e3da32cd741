//! The listener: a thread a connection, a bound on everything a sender could make it wait for or
//! hold.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::base::limit::{MLLP_FRAME_WAIT_S, MLLP_GARBAGE_BYTES_MAX, MLLP_LOOK_MS};
use crate::transport::mllp::MllpError;
use crate::transport::mllp::frame::{Framed, Frames, framed};
use crate::transport::mllp::stream::{Stream, is_quiet};
use crate::transport::tls::{self, ListenerTls};

/// How a listener listens.
#[derive(Debug, Clone)]
pub struct ListenerSettings {
    /// The name of the setting that says where, for errors.
    pub setting: String,
    /// Where.
    pub address: SocketAddr,
    /// TLS; none in the clear.
    pub tls: Option<ListenerTls>,
    /// Whether something that stands before it protects it.
    pub is_protected: bool,
    /// Connections at once.
    pub connections_max: usize,
    /// Bytes of one message.
    pub message_bytes_max: usize,
    /// For how long a connection may rest.
    pub idle: Duration,
}

/// What takes the messages.
pub trait Taker: Sync {
    /// Takes a message, and gives the answer that is sent; none sends none. It is called for one
    /// message a connection at a time.
    fn take(&self, message: Vec<u8>) -> Option<Vec<u8>>;

    /// The answer to a message that was larger than allowed.
    fn too_large(&self) -> Option<Vec<u8>>;

    /// Hears what happens, for the log and the figures.
    fn notice(&self, what: Noticed);

    /// True once no more is to be taken.
    fn is_stopping(&self) -> bool;
}

/// What happens to a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// Somebody has connected.
    Connected,
    /// A connection has ended.
    Ended,
    /// One more connection than may be.
    TooMany,
    /// A message was begun and not ended in time.
    TooSlow,
    /// What came is not MLLP.
    Garbage,
    /// A message was begun, and another began before its end.
    CutOff,
    /// The handshake of TLS failed: no certificate, or not one of the right authority.
    Handshake,
}

/// One of the connections that may be open at once. It is given up however its connection ends.
struct Seat<'l> {
    open: &'l AtomicUsize,
    taker: &'l dyn Taker,
}

impl<'l> Seat<'l> {
    fn take(open: &'l AtomicUsize, taker: &'l dyn Taker) -> Self {
        open.fetch_add(1, Ordering::AcqRel);
        taker.notice(Noticed::Connected);
        Self { open, taker }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
        self.taker.notice(Noticed::Ended);
    }
}

/// Listens.
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    settings: ListenerSettings,
}

impl Listener {
    /// Opens the port. Without TLS, and where nothing else protects it, only this machine is listened
    /// to.
    ///
    /// # Errors
    /// Where the port is taken, others could listen in, or a certificate cannot be used.
    pub fn open(settings: ListenerSettings) -> Result<Self, MllpError> {
        let address = settings.address;
        if settings.tls.is_none() && !settings.is_protected && !address.ip().is_loopback() {
            return Err(MllpError::Bare { setting: settings.setting, address });
        }
        let tls = settings.tls.as_ref().map(tls::listening).transpose()?.map(Arc::new);
        let failed = |source| MllpError::Listen { address, source };
        let socket = TcpListener::bind(address).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Self { socket, tls, settings })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap_or(self.settings.address)
    }

    /// Takes connections until the taker says that it stops; then each connection ends after the
    /// message it is at.
    pub fn run(&self, taker: &dyn Taker) {
        let open = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            while !taker.is_stopping() {
                let Ok((socket, _peer)) = self.socket.accept() else {
                    // Nobody is there, or no more sockets may be opened just now.
                    std::thread::sleep(Duration::from_millis(MLLP_LOOK_MS));
                    continue;
                };
                if open.load(Ordering::Acquire) >= self.settings.connections_max {
                    taker.notice(Noticed::TooMany);
                    continue;
                }
                let seat = Seat::take(&open, taker);
                scope.spawn(move || {
                    // A connection that breaks is the sender's to open again. Its seat is free before it
                    // is closed, so that whoever sees it closed can come back at once.
                    if let Ok(mut stream) = self.stream(socket) {
                        let _broken = self.serve(&mut stream, taker);
                        drop(seat);
                    }
                });
            }
        });
    }

    fn stream(&self, socket: TcpStream) -> std::io::Result<Stream> {
        socket.set_nonblocking(false)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_millis(MLLP_LOOK_MS)))?;
        socket.set_write_timeout(Some(Duration::from_secs(MLLP_FRAME_WAIT_S)))?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(socket)) };
        let connection = ServerConnection::new(tls.clone()).map_err(std::io::Error::other)?;
        Ok(Stream::Server(Box::new(StreamOwned::new(connection, socket))))
    }

    fn serve(&self, stream: &mut Stream, taker: &dyn Taker) -> std::io::Result<()> {
        let mut frames = Frames::new(self.settings.message_bytes_max);
        let mut piece = vec![0; 16 * 1024];
        let wait = Duration::from_secs(MLLP_FRAME_WAIT_S);
        // Since when it rests, and since when a message is under way.
        let (mut rests, mut begun) = (Instant::now(), None);
        while !taker.is_stopping() {
            let is_under_way = frames.is_inside() || stream.is_handshaking();
            if is_under_way {
                if begun.get_or_insert_with(Instant::now).elapsed() > wait {
                    taker.notice(Noticed::TooSlow);
                    return Ok(());
                }
            } else {
                begun = None;
                if rests.elapsed() > self.settings.idle {
                    return Ok(());
                }
            }
            let was_handshaking = stream.is_handshaking();
            let n = match stream.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if is_quiet(&error) => continue,
                Err(error) => {
                    if was_handshaking {
                        taker.notice(Noticed::Handshake);
                    }
                    return Err(error);
                }
            };
            frames.take(piece.get(..n).unwrap_or_default());
            while let Some(next) = frames.next_framed() {
                begun = None;
                let answer = match next {
                    Framed::Message(message) => taker.take(message),
                    Framed::TooLarge => taker.too_large(),
                    Framed::CutOff => {
                        taker.notice(Noticed::CutOff);
                        None
                    }
                };
                if let Some(answer) = answer {
                    stream.write_all(&framed(&answer))?;
                    stream.flush()?;
                }
            }
            if frames.garbage_bytes() > MLLP_GARBAGE_BYTES_MAX {
                taker.notice(Noticed::Garbage);
                return Ok(());
            }
            rests = Instant::now();
        }
        Ok(())
    }
}
