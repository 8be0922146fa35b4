//! Any bytes, cut anywhere: no panic, no byte lost, and the same steps as byte by byte.

#![no_main]

use bareloop::http::request::{Limits, Position, RequestParser, Step};
use libfuzzer_sys::fuzz_target;

fn steps<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> (Vec<Step>, Position) {
    let limits = Limits {
        target_bytes_max: 64,
        head_bytes_max: 512,
        fields_max: 8,
        body_bytes_max: 256,
    };
    let mut parser = RequestParser::new();
    let mut steps = Vec::new();
    for mut bytes in pieces {
        while !bytes.is_empty() {
            let (consumed, step) = parser.step(bytes, &limits);
            assert!(consumed <= bytes.len());
            assert!(step.is_some() || consumed == bytes.len());
            bytes = &bytes[consumed..];
            steps.extend(step);
        }
    }
    (steps, parser.position())
}

fuzz_target!(|input: &[u8]| {
    let Some((&cut, stream)) = input.split_first() else {
        return;
    };
    let whole = steps(std::iter::once(stream));
    assert_eq!(whole, steps(stream.chunks(1)));
    assert_eq!(whole, steps(stream.chunks(usize::from(cut) + 2)));
});
