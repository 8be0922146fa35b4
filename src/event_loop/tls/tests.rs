//! The TLS stream over a scripted one that takes and gives a few bytes at a time.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};

use super::{TlsClient, TlsStream, Trust};
use crate::event_loop::kernel::Dialled;

/// The client's end of a socket with room for a number of bytes each way.
#[derive(Debug, Default)]
struct Socket {
    sent: VecDeque<u8>,
    arriving: VecDeque<u8>,
    room: usize,
    /// What follows that which arrives; the kernel reports it once.
    error: Option<io::ErrorKind>,
    /// The server has ended, without a word of TLS.
    ended: bool,
    calls: usize,
}

impl Socket {
    /// Every second call is interrupted.
    fn interrupt(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.calls % 2 {
            1 => Err(io::ErrorKind::Interrupted.into()),
            _ => Ok(()),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt()?;
        match self.arriving.len() {
            0 if self.ended => Ok(0),
            0 => Err(self
                .error
                .take()
                .unwrap_or(io::ErrorKind::WouldBlock)
                .into()),
            _ => self.arriving.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupt()?;
        let taken = bytes.len().min(self.room - self.sent.len());
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.sent.extend(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client and a server with a scripted socket between them.
struct Pair {
    client: TlsStream<Socket>,
    server: ServerConnection,
    received: Vec<u8>,
}

impl Pair {
    fn with_room(room: usize) -> Pair {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned()];
        let params = rcgen::CertificateParams::new(names).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(certificate)], key)
            .expect("they fit");
        let socket = Socket {
            room,
            ..Socket::default()
        };
        let tls = TlsClient::new("localhost", &Trust::Anyone).expect("a client");
        Pair {
            client: tls.wrap(socket).expect("a stream"),
            server: ServerConnection::new(Arc::new(config)).expect("a server"),
            received: Vec::new(),
        }
    }

    /// The server takes what was sent, up to `most` bytes.
    fn serve(&mut self, most: usize) {
        let sent = &mut self.client.socket_mut().sent;
        let taken = most.min(sent.len());
        let taken: Vec<u8> = sent.drain(..taken).collect();
        let mut taken = taken.as_slice();
        while !taken.is_empty() {
            self.server.read_tls(&mut taken).expect("a slice");
            self.server.process_new_packets().expect("sound records");
            let read = self.server.reader().read_to_end(&mut self.received);
            assert!(read.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock));
        }
        let arriving = &mut self.client.socket_mut().arriving;
        while self.server.wants_write() {
            self.server.write_tls(arriving).expect("room");
        }
    }

    fn shake_hands(&mut self) {
        for _ in 0..10_000 {
            if self.client.shake_hands().expect("sound records") == Dialled::Connected {
                self.serve(usize::MAX);
                return;
            }
            self.serve(7);
        }
        panic!("no handshake");
    }
}

#[test]
fn a_handshake_is_complete_however_few_bytes_the_kernel_takes() {
    let mut pair = Pair::with_room(5);
    assert_eq!(pair.client.shake_hands().expect("room"), Dialled::Pending);
    pair.shake_hands();
    let mut pair = Pair::with_room(100_000);
    let dialled = pair.client.shake_hands().expect("room");
    assert_eq!(dialled, Dialled::AwaitsPeer);
}

/// A write that returned is with the kernel whole: nothing that the loop does not know of waits.
#[test]
fn bytes_count_as_written_when_their_records_are_with_the_kernel() {
    for room in [1000, 20_000, 1_000_000] {
        let mut pair = Pair::with_room(room);
        pair.shake_hands();
        let message: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let mut written = 0;
        while written < message.len() {
            let rest = [IoSlice::new(&message[written..])];
            // Both kinds of write, by turns.
            let result = match written % 2 {
                0 => pair.client.write_vectored(&rest),
                _ => pair.client.write(&message[written..]),
            };
            match result {
                Ok(bytes) => written += bytes,
                Err(e) => assert_eq!(e.kind(), io::ErrorKind::WouldBlock),
            }
            pair.serve(777);
        }
        pair.serve(usize::MAX);
        assert_eq!(pair.received.len(), message.len(), "room {room}");
        assert!(pair.received == message, "room {room}: other bytes");
    }
}

#[test]
fn a_read_takes_all_that_has_arrived_and_never_says_that_nothing_is_the_end() {
    let mut pair = Pair::with_room(100_000);
    pair.shake_hands();
    let mut buffer = vec![0; 64 * 1024];
    let empty = pair.client.read(&mut buffer).expect_err("nothing arrived");
    assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
    // Several records, read as one.
    for _ in 0..3 {
        pair.server.writer().write_all(&[7; 10_000]).expect("room");
        pair.serve(0);
    }
    assert_eq!(pair.client.read(&mut buffer).expect("bytes"), 30_000);
    pair.server.send_close_notify();
    pair.serve(0);
    assert_eq!(pair.client.read(&mut buffer).expect("the end"), 0);
}

#[test]
fn an_error_behind_decrypted_bytes_comes_with_the_next_read() {
    let mut pair = Pair::with_room(100_000);
    pair.shake_hands();
    pair.server.writer().write_all(&[7; 100]).expect("room");
    pair.serve(0);
    pair.client.socket_mut().error = Some(io::ErrorKind::ConnectionReset);
    let mut buffer = vec![0; 1024];
    assert_eq!(pair.client.read(&mut buffer).expect("bytes"), 100);
    let error = pair.client.read(&mut buffer).expect_err("a reset");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn what_has_no_room_in_a_read_is_held_for_the_next() {
    let mut pair = Pair::with_room(100_000);
    pair.shake_hands();
    pair.server.writer().write_all(&[7; 10_000]).expect("room");
    pair.serve(0);
    let mut buffer = vec![0; 10_000];
    assert_eq!(pair.client.read(&mut buffer[..1024]).expect("bytes"), 1024);
    assert!(pair.client.socket_mut().arriving.is_empty());
    let held = pair.client.read_held(&mut buffer).expect("it is held");
    assert_eq!(held.expect("bytes"), 8_976);
    assert!(pair.client.read_held(&mut buffer).is_none());

    pair.server.writer().write_all(&[7; 100]).expect("room");
    pair.serve(0);
    pair.client.socket_mut().error = Some(io::ErrorKind::ConnectionReset);
    assert_eq!(pair.client.read(&mut buffer).expect("bytes"), 100);
    let held = pair.client.read_held(&mut buffer).expect("it is held");
    let error = held.expect_err("a reset");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn an_end_in_the_handshake_is_a_failure_and_one_after_it_is_not() {
    let mut pair = Pair::with_room(100_000);
    pair.client.socket_mut().ended = true;
    let error = pair.client.shake_hands().expect_err("no handshake");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let mut pair = Pair::with_room(100_000);
    let dialled = pair.client.shake_hands().expect("room");
    assert_eq!(dialled, Dialled::AwaitsPeer);
    pair.serve(usize::MAX);
    pair.client.socket_mut().ended = true;
    let dialled = pair.client.shake_hands().expect("sound records");
    assert_eq!(dialled, Dialled::Connected);
}

#[test]
fn an_end_without_a_close_notify_is_an_end() {
    let mut pair = Pair::with_room(100_000);
    pair.shake_hands();
    pair.server.writer().write_all(b"hello").expect("room");
    pair.serve(0);
    pair.client.socket_mut().ended = true;
    let mut buffer = [0; 16];
    assert_eq!(pair.client.read(&mut buffer).expect("bytes"), 5);
    assert_eq!(pair.client.read(&mut buffer).expect("the end"), 0);
}
