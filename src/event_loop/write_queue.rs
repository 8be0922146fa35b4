//! The write queue: bytes to send that the kernel has not taken yet, stored as counts of messages.
//!
//! Server and client send the same message over and over. A queue does not copy messages: it holds
//! runs of equal messages over a [`Block`] that contains the message many times in a row. A peer
//! that pipelines without reading costs a counter, and a message that is replaced meanwhile (a new
//! Date) is still sent whole. Messages that take turns are one message here, and a run may begin and
//! end within it.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

/// Size up to which a block is filled with copies of its message.
const BLOCK_BYTES: usize = 16 * 1024;
/// Copies of a message in a block, at most.
const BLOCK_COPIES_MAX: usize = 256;
/// Slices in one vectored write.
const SLICES_MAX: usize = 64;

/// One message, rendered several times in a row, so that k of them are one slice.
#[derive(Debug)]
pub struct Block {
    bytes: Box<[u8]>,
    message_bytes: usize,
}

impl Block {
    /// A block for a message that is sent often.
    pub fn repeated(message: &[u8]) -> Rc<Block> {
        let copies = (BLOCK_BYTES / message.len().max(1)).clamp(1, BLOCK_COPIES_MAX);
        Block::of(message, copies)
    }

    /// A block for a message that is sent once.
    pub fn once(message: &[u8]) -> Rc<Block> {
        Block::of(message, 1)
    }

    fn of(message: &[u8], copies: usize) -> Rc<Block> {
        Rc::new(Block {
            bytes: message.repeat(copies).into_boxed_slice(),
            message_bytes: message.len(),
        })
    }

    /// The length of one message.
    pub fn message_bytes(&self) -> usize {
        self.message_bytes
    }

    /// One message.
    pub fn message(&self) -> &[u8] {
        &self.bytes[..self.message_bytes]
    }
}

/// A run of equal messages.
#[derive(Debug)]
struct MessageRun {
    block: Rc<Block>,
    /// Bytes of the first message that were taken by the kernel, or left out; less than a message.
    offset: usize,
    /// Bytes the kernel has not taken.
    left: usize,
}

impl MessageRun {
    /// The place in the message at which the run ends.
    fn end(&self) -> usize {
        (self.offset + self.left) % self.block.message_bytes
    }

    /// The contiguous bytes at the front of the run.
    #[inline]
    fn first_slice(&self) -> &[u8] {
        let end = self.block.bytes.len().min(self.offset + self.left);
        &self.block.bytes[self.offset..end]
    }

    /// All its bytes as slices of the block, in order.
    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let block = &self.block.bytes;
        let first = self.first_slice();
        // Whole copies fit from the offset to the block's end, so what follows starts a message.
        let rest = self.left - first.len();
        let whole = rest / block.len();
        let tail = rest % block.len();
        std::iter::once(first)
            .chain(std::iter::repeat_n(&block[..], whole))
            .chain(std::iter::once(&block[..tail]))
            .filter(|slice| !slice.is_empty())
    }

    /// The kernel has taken `bytes`, less than all.
    fn take(&mut self, bytes: usize) {
        self.left -= bytes;
        self.offset = (self.offset + bytes) % self.block.message_bytes;
    }
}

/// Bytes accepted for sending and not yet taken by the kernel.
#[derive(Debug, Default)]
pub struct WriteQueue {
    /// The only run of most queues, kept apart so that they need no allocation.
    front: Option<MessageRun>,
    /// Empty if there is no front.
    rest: VecDeque<MessageRun>,
}

/// Result of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// The queue is empty.
    Drained,
    /// The kernel has no room for the rest now.
    Blocked,
}

impl WriteQueue {
    /// An empty queue.
    pub fn new() -> WriteQueue {
        WriteQueue::default()
    }

    /// Queues `times` copies of the block's message.
    #[inline]
    pub fn push(&mut self, block: &Rc<Block>, times: usize) {
        self.push_from(block, 0, block.message_bytes * times);
    }

    /// Queues `bytes` of the block's message and its repetitions, from `offset` in it on.
    #[inline]
    pub fn push_from(&mut self, block: &Rc<Block>, offset: usize, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let run = || MessageRun {
            block: Rc::clone(block),
            offset,
            left: bytes,
        };
        match &mut self.front {
            None => self.front = Some(run()),
            Some(front) => match self.rest.back_mut().unwrap_or(front) {
                last if Rc::ptr_eq(&last.block, block) && last.end() == offset => {
                    last.left += bytes;
                }
                _ => self.rest.push_back(run()),
            },
        }
        self.invariants();
    }

    /// Moves all of `other` to the end.
    pub fn append(&mut self, other: &mut WriteQueue) {
        let moved = other.front.take().into_iter().chain(other.rest.drain(..));
        match self.front {
            None => {
                let mut moved = moved;
                self.front = moved.next();
                self.rest.extend(moved);
            }
            Some(_) => self.rest.extend(moved),
        }
        self.invariants();
        other.invariants();
    }

    /// Writes to `stream` until the queue is empty or the kernel has no room; usually one write.
    /// Only `WouldBlock` counts as no room, since on Windows a short write does not arm the next
    /// event.
    ///
    /// # Errors
    /// The stream's, except `WouldBlock` and `Interrupted`. A write of 0 bytes is `WriteZero`.
    #[inline]
    pub fn flush(&mut self, stream: &mut impl Write) -> io::Result<Flushed> {
        while let Some(front) = &self.front {
            let (slice, left) = (front.first_slice(), front.left);
            let is_all = slice.len() == left && self.rest.is_empty();
            let result = match is_all {
                true => stream.write(slice),
                false => self.write_gathered(stream),
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) if is_all && taken == left => self.front = None,
                Ok(taken) => {
                    self.take(taken);
                    self.invariants();
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(e) => return Err(e),
            }
        }
        Ok(Flushed::Drained)
    }

    /// One write of as much as it can carry.
    #[inline(never)]
    fn write_gathered(&self, stream: &mut impl Write) -> io::Result<usize> {
        let mut gathered = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for slice in self.runs().flat_map(MessageRun::slices).take(SLICES_MAX) {
            gathered[count] = IoSlice::new(slice);
            count += 1;
        }
        stream.write_vectored(&gathered[..count])
    }

    /// The kernel has taken `bytes` from the front.
    #[inline]
    fn take(&mut self, mut bytes: usize) {
        while let Some(front) = &mut self.front {
            if bytes < front.left {
                return front.take(bytes);
            }
            bytes -= front.left;
            self.front = self.rest.pop_front();
        }
    }

    /// Returns true if nothing waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.front.is_none()
    }

    /// Bytes that wait to be sent.
    pub fn len_bytes(&self) -> usize {
        self.runs().map(|run| run.left).sum()
    }

    /// Number of runs; the queue's own memory is proportional to this.
    pub fn len_runs(&self) -> usize {
        self.runs().count()
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.front = None;
        self.rest.clear();
    }

    /// No run is empty, and each begins within a message.
    #[inline]
    fn invariants(&self) {
        debug_assert!(self.front.is_some() || self.rest.is_empty());
        debug_assert!(self.runs().all(|run| run.left > 0));
        debug_assert!(self.runs().all(|run| run.offset < run.block.message_bytes));
    }

    fn runs(&self) -> impl Iterator<Item = &MessageRun> {
        self.front.iter().chain(&self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Takes as many bytes at each call as its script says, then everything.
    struct Sink {
        rooms: Vec<usize>,
        taken: Vec<u8>,
        calls: usize,
    }

    fn sink(rooms: &[usize]) -> Sink {
        Sink {
            rooms: rooms.iter().rev().copied().collect(),
            taken: Vec::new(),
            calls: 0,
        }
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.calls += 1;
            let room = match self.rooms.pop() {
                Some(0) => return Err(io::ErrorKind::WouldBlock.into()),
                Some(room) => room,
                None => usize::MAX,
            };
            let offered: Vec<u8> = slices.iter().flat_map(|s| s.iter().copied()).collect();
            let taken = offered.len().min(room);
            self.taken.extend_from_slice(&offered[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_appended_comes_after_a_residue_and_before_what_is_pushed_later() {
        let (first, second) = (Block::repeated(b"first "), Block::repeated(b"second "));
        let (mut queue, mut other) = (WriteQueue::new(), WriteQueue::new());
        queue.push(&first, 2);
        let mut sink = sink(&[4, 0]);
        assert_eq!(queue.flush(&mut sink).unwrap(), Flushed::Blocked);
        other.push(&second, 1);
        other.push(&first, 1);
        queue.append(&mut other);
        queue.append(&mut other);
        assert!(other.is_empty());
        queue.push(&second, 1);
        assert_eq!(queue.flush(&mut sink).unwrap(), Flushed::Drained);
        assert_eq!(sink.taken, b"first first second first second ");
        other.append(&mut queue);
        assert!(other.is_empty());
        queue.push(&first, 1);
        other.append(&mut queue);
        assert_eq!((queue.len_bytes(), other.len_bytes()), (0, 6));
        // To an empty one too.
        other.push(&second, 1);
        queue.append(&mut other);
        assert_eq!((queue.len_bytes(), other.len_bytes()), (13, 0));
    }

    #[test]
    fn a_batch_of_equal_messages_is_one_write_and_one_run() {
        let block = Block::repeated(b"hello");
        let mut queue = WriteQueue::new();
        for _ in 0..10 {
            queue.push(&block, 1);
        }
        assert_eq!((queue.len_runs(), queue.len_bytes()), (1, 50));
        let mut sink = sink(&[]);
        assert_eq!(queue.flush(&mut sink).unwrap(), Flushed::Drained);
        assert_eq!((sink.calls, sink.taken), (1, b"hello".repeat(10)));
    }

    #[test]
    fn different_messages_are_gathered_into_one_write_in_order() {
        let (a, b) = (Block::repeated(b"a"), Block::once(b"bb"));
        let mut queue = WriteQueue::new();
        queue.push(&a, 2);
        queue.push(&b, 3);
        queue.push(&a, 1);
        let mut sink = sink(&[]);
        queue.flush(&mut sink).unwrap();
        assert_eq!((sink.calls, &sink.taken[..]), (1, &b"aabbbbbba"[..]));
    }

    #[test]
    fn messages_that_take_turns_are_one_run_that_begins_anywhere() {
        let lap = Block::repeated(b"aabccc");
        let mut queue = WriteQueue::new();
        queue.push_from(&lap, 2, 4);
        queue.push_from(&lap, 0, 9);
        queue.push_from(&lap, 3, 3);
        assert_eq!((queue.len_runs(), queue.len_bytes()), (1, 16));
        // What does not go on where the last run ended is a run of its own.
        queue.push_from(&lap, 2, 1);
        assert_eq!(queue.len_runs(), 2);
        let mut sink = sink(&[5, 0]);
        assert_eq!(queue.flush(&mut sink).unwrap(), Flushed::Blocked);
        assert_eq!(queue.flush(&mut sink).unwrap(), Flushed::Drained);
        assert_eq!(sink.taken, b"bcccaabcccaabcccb");
    }

    #[test]
    fn a_message_replaced_in_mid_send_is_not_torn() {
        let mut queue = WriteQueue::new();
        queue.push(&Block::repeated(b"old."), 2);
        let mut first = sink(&[6, 0]);
        assert_eq!(queue.flush(&mut first).unwrap(), Flushed::Blocked);
        queue.push(&Block::repeated(b"new."), 1);
        let mut second = sink(&[]);
        queue.flush(&mut second).unwrap();
        assert_eq!(second.taken, b"d.new.");
    }

    #[test]
    fn nothing_pushed_is_nothing_queued() {
        let mut queue = WriteQueue::new();
        queue.push(&Block::repeated(b"x"), 0);
        queue.push(&Block::repeated(b""), 3);
        assert!(queue.is_empty());
        let mut sink = sink(&[]);
        assert_eq!(queue.flush(&mut sink).unwrap(), Flushed::Drained);
        assert_eq!(sink.calls, 0);
    }

    #[test]
    fn a_sink_that_takes_nothing_is_an_error_and_not_a_spin() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Ok(0)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut queue = WriteQueue::new();
        queue.push(&Block::once(b"x"), 1);
        let error = queue.flush(&mut Full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn a_long_message_is_not_copied_often() {
        let long = vec![b'x'; 100_000];
        assert_eq!(Block::repeated(&long).bytes.len(), 100_000);
        let short = Block::repeated(b"x");
        assert_eq!(short.bytes.len(), BLOCK_COPIES_MAX);
    }

    proptest! {
        #[test]
        fn any_rooms_give_the_bytes_that_were_pushed(
            pushes in prop::collection::vec((0usize..4, 0usize..5_000, 0usize..5_000), 0..8),
            rooms in prop::collection::vec(0usize..900, 0..30),
        ) {
            let messages: [&[u8]; 4] = [b"a", b"bc", b"defgh", &[b'x'; 300]];
            let blocks = messages.map(Block::repeated);
            let mut queue = WriteQueue::new();
            let mut expected: Vec<u8> = Vec::new();
            for (which, offset, bytes) in pushes {
                let offset = offset % messages[which].len();
                queue.push_from(&blocks[which], offset, bytes);
                let endless = messages[which].iter().cycle().skip(offset);
                expected.extend(endless.take(bytes));
            }
            let mut sink = sink(&rooms);
            while queue.flush(&mut sink).unwrap() == Flushed::Blocked {
                prop_assert_eq!(sink.taken.len() + queue.len_bytes(), expected.len());
            }
            prop_assert_eq!(sink.taken, expected);
        }
    }
}
