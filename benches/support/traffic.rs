//! Heads as browsers send them, each with a target and a cookie of its own.

use std::io;

/// The `number`th request head to `host`: about 330 bytes, and for each number equally many.
pub fn browser_head(host: &str, number: usize) -> Vec<u8> {
    // A multiplication by an odd number: no two sessions are equal, and each digit varies.
    let session = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "GET /articles/{number:08}?page=2 HTTP/1.1\r\n\
         Host: {host}\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
         Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
         Accept-Language: en-US,en;q=0.5\r\n\
         Accept-Encoding: gzip, deflate\r\n\
         Accept-Charset: utf-8\r\n\
         Connection: keep-alive\r\n\
         Cookie: session={session:016x}\r\n\r\n"
    )
    .into_bytes()
}

/// Messages of equal length, one after the other, so that a batch leaves with one send.
pub struct Messages {
    bytes: Vec<u8>,
    message_bytes: usize,
    count: usize,
    /// The next message to go. Stays 0 if all are equal: the first ones are then in the cache.
    next: usize,
    are_equal: bool,
}

impl Messages {
    /// The same message `count` times.
    pub fn repeated(message: &[u8], count: usize) -> Messages {
        Messages {
            bytes: message.repeat(count),
            message_bytes: message.len(),
            count,
            next: 0,
            are_equal: true,
        }
    }

    /// The messages of the numbers below `count`, used again from the first after the last.
    pub fn varying(count: usize, message: impl Fn(usize) -> Vec<u8>) -> Messages {
        let bytes: Vec<u8> = (0..count).flat_map(message).collect();
        let message_bytes = bytes.len() / count;
        Messages {
            bytes,
            message_bytes,
            count,
            next: 0,
            are_equal: false,
        }
    }

    /// The next `count` messages in one piece. It is an error if there are not so many in all.
    pub fn take(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.next + count > self.count {
            self.next = 0;
        }
        let start = self.next * self.message_bytes;
        if !self.are_equal {
            self.next += count;
        }
        self.bytes
            .get(start..start + count * self.message_bytes)
            .ok_or_else(|| io::Error::other("more messages than were made ready"))
    }
}
