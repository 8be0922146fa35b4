//! A TLS stream over a non-blocking one, with the rules that the loop relies on: a short read has
//! drained the socket, and bytes that were written are with the kernel.

use std::io::{self, IoSlice, Read, Write};

use rustls::ClientConnection;

use super::fault::{self, TlsFault};
use crate::event_loop::kernel::Dialled;

/// A stream, and the TLS connection on it.
#[derive(Debug)]
pub struct TlsStream<S> {
    socket: S,
    tls: ClientConnection,
    /// Bytes that were encrypted and whose records the kernel has not taken whole. Their write was
    /// refused, and is asked for again with the same bytes.
    owed: usize,
    /// The peer has sent its end.
    ended: bool,
    /// An error behind bytes that were decrypted, for the next read: the kernel reports it once.
    failed: Option<io::Error>,
}

impl<S: Read + Write> TlsStream<S> {
    /// A stream whose handshake is still to come.
    pub(super) fn new(socket: S, tls: ClientConnection) -> TlsStream<S> {
        TlsStream {
            socket,
            tls,
            owed: 0,
            ended: false,
            failed: None,
        }
    }

    /// The stream below.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// The stream below.
    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Goes on with the handshake over an open stream, and reads all that there is, so that the
    /// next event comes with the next byte.
    ///
    /// # Errors
    /// Reason why there is no TLS connection.
    pub fn shake_hands(&mut self) -> io::Result<Dialled> {
        loop {
            if !self.send_records()? {
                return Ok(Dialled::Pending);
            }
            match self.receive_records() {
                Ok(()) if self.ended && self.tls.is_handshaking() => {
                    let kind = io::ErrorKind::UnexpectedEof;
                    return Err(io::Error::new(kind, TlsFault::Closed));
                }
                Ok(()) if !self.ended => {}
                Err(e) if e.kind() != io::ErrorKind::WouldBlock => {
                    return Err(fault::reset_in_handshake(e));
                }
                Ok(()) | Err(_) => {
                    return Ok(match self.tls.is_handshaking() || self.tls.wants_write() {
                        true => Dialled::AwaitsPeer,
                        false => Dialled::Connected,
                    });
                }
            }
        }
    }

    /// Reads what was decrypted and had no room in the last read's buffer, or returns the failure
    /// behind it. `None` if there is neither.
    pub fn read_held(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        match self.tls.reader().read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => None,
            // An end without a close_notify.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Some(Ok(0)),
            read => Some(read),
        }
    }

    /// Announces our end.
    ///
    /// # Errors
    /// The stream's. That the kernel has no room for it is none.
    pub fn send_end(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        self.send_records().map(drop)
    }

    /// Hands records to the kernel; false if it has no room for all of them.
    fn send_records(&mut self) -> io::Result<bool> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }

    /// Reads once and decrypts what is whole.
    fn receive_records(&mut self) -> io::Result<()> {
        let read = loop {
            match self.tls.read_tls(&mut self.socket) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        // A server that ends without a close_notify is as good: HTTP says where a reply ends.
        self.ended |= read == 0;
        match self.tls.process_new_packets() {
            Ok(state) => {
                self.ended |= state.peer_has_closed();
                Ok(())
            }
            Err(error) => {
                // The peer is told why, if there is room.
                let _ = self.send_records();
                Err(fault::io_error(error))
            }
        }
    }

    /// Encrypts by `encrypt` and hands over the records, all of them or later.
    fn write_by(
        &mut self,
        encrypt: impl FnOnce(&mut ClientConnection) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if !self.send_records()? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.owed == 0 {
            self.owed = encrypt(&mut self.tls)?;
            if !self.send_records()? {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        Ok(std::mem::take(&mut self.owed))
    }
}

impl<S: Read + Write> Read for TlsStream<S> {
    /// Fills the buffer as far as the socket has bytes for it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut filled = 0;
        loop {
            match self.tls.reader().read(&mut buffer[filled..]) {
                // A clean end, or the buffer is full.
                Ok(0) => return Ok(filled),
                Ok(bytes) => {
                    filled += bytes;
                    continue;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(filled),
                Err(e) => return Err(e),
            }
            match self.receive_records() {
                Ok(()) => {}
                Err(e) if filled == 0 => return Err(e),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(filled),
                // What was decrypted comes first.
                Err(e) => {
                    self.failed = Some(e);
                    return Ok(filled);
                }
            }
        }
    }
}

impl<S: Read + Write> Write for TlsStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_by(|tls| tls.writer().write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_by(|tls| tls.writer().write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
