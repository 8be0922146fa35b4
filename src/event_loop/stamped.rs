//! A TCP stream that notes when the kernel received what is read from it (`SO_TIMESTAMPNS`).
//!
//! Linux only. A read asks for the stamp with the bytes, which costs more than a plain read: a
//! stream is stamped only where a protocol wants to know.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};

use mio::net::TcpStream;
use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

/// A TCP stream, and the stamp of the last read.
#[derive(Debug)]
pub struct StampedStream {
    socket: TcpStream,
    /// Room for one stamp.
    control: Vec<u8>,
    stamp: Option<SystemTime>,
}

impl StampedStream {
    /// Asks the kernel to stamp what `socket` receives.
    ///
    /// # Errors
    /// The kernel does not know the option.
    pub fn new(socket: TcpStream) -> io::Result<StampedStream> {
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(StampedStream {
            socket,
            control: cmsg_space!(TimeSpec),
            stamp: None,
        })
    }

    /// The stream.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// The stream.
    pub fn socket_mut(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Time at which the kernel received the last byte of the last read. `None` for an end, and for what it
    /// received before it stamped.
    pub fn stamp(&self) -> Option<SystemTime> {
        self.stamp
    }
}

impl io::Read for StampedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stamp = None;
        let mut buffers = [IoSliceMut::new(buffer)];
        let (socket, control) = (self.socket.as_raw_fd(), &mut self.control[..]);
        let received = recvmsg::<()>(socket, &mut buffers, Some(control), MsgFlags::empty())?;
        self.stamp = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(stamp) => {
                Some(SystemTime::UNIX_EPOCH + Duration::from(stamp))
            }
            _ => None,
        });
        Ok(received.bytes)
    }
}

impl io::Write for StampedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_read_has_the_time_at_which_the_kernel_received_its_bytes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut stamped = StampedStream::new(socket).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let mut buffer = [0; 16];
        let blocked = stamped.read(&mut buffer).unwrap_err();
        assert_eq!(blocked.kind(), io::ErrorKind::WouldBlock);
        // The kernel begins to stamp a moment after the first socket on the machine has asked.
        let (before, stamp, after) = loop {
            let before = SystemTime::now();
            peer.write_all(b"reply").unwrap();
            let after = SystemTime::now();
            let bytes = loop {
                match stamped.read(&mut buffer) {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    result => break result.unwrap(),
                }
            };
            assert_eq!(&buffer[..bytes], b"reply");
            if let Some(stamp) = stamped.stamp() {
                break (before, stamp, after);
            }
        };
        assert!(before <= stamp, "{before:?} {stamp:?}");
        // Loopback delivers within the call, or a moment later.
        assert!(
            stamp <= after + Duration::from_secs(1),
            "{stamp:?} {after:?}"
        );
        drop(peer);
        while stamped.read(&mut buffer).is_err() {}
        assert_eq!(stamped.stamp(), None, "an end has no stamp");
    }
}
