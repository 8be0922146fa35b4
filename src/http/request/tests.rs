use std::collections::HashSet;

use proptest::prelude::*;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::*;

#[path = "../../../tests/conformance/mod.rs"]
mod conformance;
mod oracle;

use conformance::cases;

/// The steps of a stream in these pieces, where in the stream each was complete, and what the
/// parser is left at. Where a refusal is complete depends on the pieces, so it is not told.
fn steps<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<(usize, Step)>, RequestParser) {
    let mut parser = RequestParser::new();
    let mut found = Vec::new();
    let mut at = 0;
    for piece in pieces {
        let mut rest = piece;
        while !rest.is_empty() {
            let (taken, step) = parser.step(rest, &Limits::default());
            assert!(
                step.is_some() || taken == rest.len(),
                "without a step all bytes are taken"
            );
            rest = &rest[taken..];
            at += taken;
            match step {
                Some(Step::Refused(refusal)) => found.push((0, Step::Refused(refusal))),
                Some(step) => found.push((at, step)),
                None => {}
            }
        }
    }
    (found, parser)
}

fn whole(stream: &[u8]) -> (Vec<(usize, Step)>, RequestParser) {
    steps([stream])
}

/// Bytes up to the one at which the stream is refused; `None` if it is not.
fn bytes_to_refuse(stream: &[u8]) -> Option<usize> {
    let mut parser = RequestParser::new();
    let refused = stream.iter().position(|&byte| {
        parser.step(&[byte], &Limits::default());
        parser.position() == Position::Refused
    });
    refused.map(|index| index + 1)
}

/// The steps as the conformance table words them, without statuses of replies.
fn said(stream: &[u8]) -> String {
    let (steps, parser) = whole(stream);
    let mut words: Vec<String> = steps.iter().map(|(_, step)| said_of(step)).collect();
    match parser.position() {
        Position::Head => words.push("in head".into()),
        Position::Body => words.push("in body".into()),
        Position::Boundary | Position::Refused => {}
    }
    words.join(", ")
}

fn said_of(step: &Step) -> String {
    match step {
        Step::ExpectsContinue => "100".into(),
        Step::Refused(refusal) => refusal.status().to_string(),
        Step::Complete(request) => format!(
            "{} {} {}{}",
            format!("{:?}", request.method).to_lowercase(),
            if request.version == Version::Http11 {
                "1.1"
            } else {
                "1.0"
            },
            match request.persistence {
                Persistence::Keep => "keep",
                Persistence::KeepEchoed => "echo",
                Persistence::Close => "close",
            },
            if request.has_body { " +body" } else { "" },
        ),
    }
}

/// `stream` in pieces of 1 to `piece_bytes_max` bytes.
fn cut<'a>(
    random: &mut Xoshiro256PlusPlus,
    mut stream: &'a [u8],
    piece_bytes_max: usize,
) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !stream.is_empty() {
        let bytes = random.random_range(1..=piece_bytes_max).min(stream.len());
        pieces.push(&stream[..bytes]);
        stream = &stream[bytes..];
    }
    pieces
}

/// The pieces of this seed.
fn cut_by(seed: u64, stream: &[u8], piece_bytes_max: usize) -> Vec<&[u8]> {
    cut(
        &mut Xoshiro256PlusPlus::seed_from_u64(seed),
        stream,
        piece_bytes_max,
    )
}

/// The steps of a case without the statuses of the replies to complete requests.
fn expected(case: &conformance::Case) -> String {
    let steps = case.steps.trim_matches(['-', '!']).split(", ");
    let parsed = steps.map(|step| match step.split_once(' ') {
        Some((status, request)) if status.parse::<u16>().is_ok() => request,
        _ => step,
    });
    parsed.collect::<Vec<_>>().join(", ")
}

#[test]
fn each_case_gives_its_steps() {
    let mut names = HashSet::new();
    for case in cases() {
        let name = format!("{}: {}", case.section, case.name);
        let shown = case.sent[..case.sent.len().min(300)].escape_ascii();
        assert_eq!(said(&case.sent), expected(&case), "{name}: {shown}");
        assert!(
            names.insert(name.clone()),
            "{name}: there are two of that name"
        );
    }
    assert!(names.len() >= 775, "{} cases are left", names.len());
}

#[test]
fn a_refusal_comes_with_the_byte_that_causes_it() {
    for case in cases().iter().filter(|case| case.steps.ends_with('!')) {
        assert_eq!(
            bytes_to_refuse(&case.sent),
            Some(case.sent.len()),
            "{}",
            case.name
        );
    }
}

/// The cases, and how many bytes apart to cut them: the long ones repeat a unit many times.
fn cases_with_stride() -> impl Iterator<Item = (conformance::Case, usize)> {
    cases().into_iter().map(|case| {
        let stride = if case.sent.len() > 2000 {
            case.sent.len() / 20
        } else {
            1
        };
        (case, stride)
    })
}

#[test]
fn any_two_pieces_give_the_steps_of_the_whole() {
    for (case, stride) in cases_with_stride() {
        let expected = whole(&case.sent);
        let refused_after = bytes_to_refuse(&case.sent).unwrap_or(usize::MAX);
        let cuts = (0..=case.sent.len()).filter(|cut| {
            cut % stride == 0 || stride < 1000 && (*cut < 40 || case.sent.len() - cut < 40)
        });
        for cut in cuts {
            let (first, second) = case.sent.split_at(cut);
            assert_eq!(
                steps([first, second]),
                expected,
                "{}, cut at {cut}",
                case.name
            );
            let is_refused = whole(first).1.position() == Position::Refused;
            assert_eq!(
                is_refused,
                cut >= refused_after,
                "{}, cut at {cut}",
                case.name
            );
        }
    }
}

#[test]
fn single_bytes_give_the_steps_of_the_whole() {
    for case in cases() {
        assert_eq!(
            steps(case.sent.chunks(1)),
            whole(&case.sent),
            "{}",
            case.name
        );
    }
}

#[test]
fn random_pieces_give_the_steps_of_the_whole() {
    for (case, stride) in cases_with_stride() {
        let expected = whole(&case.sent);
        for seed in 0..20 {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let piece_bytes_max = [3, 17, 600][random.random_range(0..3)].max(stride / 10);
            let pieces = cut(&mut random, &case.sent, piece_bytes_max);
            assert_eq!(steps(pieces), expected, "{}, seed {seed}", case.name);
        }
    }
}

#[test]
fn usual_heads_are_read_by_the_fast_pass() {
    for (head, is_read) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        (
            "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: Mozilla/5.0 (X11)\r\n\
             Accept-Encoding: gzip\r\nX_Odd.1: a\tb\r\nConnection: keep-alive\r\n\
             Cookie: a=b; c=d\r\nUpgrade-Insecure-Requests: 1\r\n\r\n",
            true,
        ),
        (
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok",
            true,
        ),
        // What is not usual is the machine's, and so is each refusal.
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ("GET / HTTP/1.1\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\n", false),
    ] {
        let found = whole_head::read(head.as_bytes(), &Limits::default());
        assert_eq!(found.is_some(), is_read, "{head:?}");
    }
}

#[test]
fn the_fast_pass_keeps_the_limits() {
    let head = b"GET /abc HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    let at_the_limits = Limits {
        target_bytes_max: 4,
        head_bytes_max: head.len(),
        fields_max: 2,
        body_bytes_max: 0,
    };
    assert!(whole_head::read(head, &at_the_limits).is_some());
    for limits in [
        Limits {
            target_bytes_max: 3,
            ..at_the_limits
        },
        Limits {
            head_bytes_max: head.len() - 1,
            ..at_the_limits
        },
        Limits {
            fields_max: 1,
            ..at_the_limits
        },
    ] {
        assert!(whole_head::read(head, &limits).is_none(), "{limits:?}");
    }
}

#[test]
fn a_parser_is_a_few_words() {
    assert!(
        size_of::<RequestParser>() <= 112,
        "{}",
        size_of::<RequestParser>()
    );
}

#[test]
fn a_parser_after_a_request_is_a_new_one() {
    let stream = b"\r\nHEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(whole(stream).1, RequestParser::new());
}

#[test]
fn only_a_kept_get_of_http_1_1_without_a_body_is_plain() {
    let plain: Vec<&str> = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ]
    .into_iter()
    .filter(|stream| match whole(stream.as_bytes()).0[..] {
        [(_, Step::Complete(request))] => request.is_plain_get(),
        _ => panic!("{stream:?} is one request"),
    })
    .collect();
    assert_eq!(plain.len(), 2, "{plain:?}");
    assert!(plain[1].contains("Expect"));
}

#[test]
fn a_plain_get_at_any_boundary_leaves_a_new_parser() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for empty_lines in 0..=usize::from(EMPTY_LINES_MAX) {
        let mut parser = whole("\r\n".repeat(empty_lines).as_bytes()).1;
        assert_eq!(parser.position(), Position::Boundary);
        let (taken, step) = parser.step(head, &Limits::default());
        assert!(matches!(step, Some(Step::Complete(request)) if request.is_plain_get()));
        assert_eq!((taken, parser), (head.len(), RequestParser::new()));
    }
}

#[test]
fn the_method_is_known_from_its_end_to_the_refusal() {
    let mut parser = RequestParser::new();
    parser.step(b"HEAD", &Limits::default());
    assert_eq!(parser.method(), None);
    parser.step(b" / HTTP/1.1\r\n", &Limits::default());
    assert_eq!(parser.method(), Some(Method::Head));
    parser.step(b" ", &Limits::default());
    assert_eq!(
        (parser.position(), parser.method()),
        (Position::Refused, Some(Method::Head))
    );
}

#[test]
fn a_refused_parser_ignores_every_byte() {
    let mut parser = RequestParser::new();
    parser.step(b"\0", &Limits::default());
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(
        parser.step(request, &Limits::default()),
        (request.len(), None)
    );
}

#[test]
fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    let limits = Limits {
        body_bytes_max: u64::MAX,
        ..Limits::default()
    };
    for (field, declared, end) in [
        ("Content-Length", "18446744073709551615", ""),
        ("Transfer-Encoding", "chunked", "ffffffffffffffff\r\n"),
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{field}: {declared}\r\n\r\n{end}");
        let mut parser = RequestParser::new();
        assert_eq!(parser.step(head.as_bytes(), &limits), (head.len(), None));
        assert_eq!(parser.step(&[b'x'; 4096], &limits), (4096, None));
        assert_eq!(parser.position(), Position::Body);
    }
    let mut parser = RequestParser::new();
    let over = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n";
    let refused = Some(Step::Refused(Refusal::ContentTooLarge));
    assert_eq!(parser.step(over, &limits), (over.len(), refused));
}

#[test]
fn a_mebibyte_passes_both_ways_of_framing() {
    let body = "x".repeat(1024 * 1024);
    let head = "POST / HTTP/1.1\r\nHost: a\r\n";
    for stream in [
        format!("{head}Content-Length: 1048576\r\n\r\n{body}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n100000\r\n{body}\r\n0\r\n\r\n"),
    ] {
        assert_eq!(said(stream.as_bytes()), "known 1.1 keep +body");
    }
}

#[test]
fn a_kibibyte_of_framing_for_each_byte_is_refused_early() {
    let mut stream = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let head_bytes = stream.len();
    for _ in 0..1000 {
        stream.extend_from_slice(format!("1;{}\r\nx\r\n", "e".repeat(250)).as_bytes());
    }
    let body_bytes = bytes_to_refuse(&stream).unwrap() - head_bytes;
    assert!((16 * 1024..17 * 1024).contains(&body_bytes), "{body_bytes}");
}

#[test]
fn chunk_framing_may_outweigh_the_data_by_16_kib_and_by_no_byte_more() {
    // Five bytes of framing around each byte of data: four more than it.
    const CHUNKS: usize = 16 * 1024 / 4;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = "1\r\nx\r\n".repeat(CHUNKS);
    let just = format!("{head}{chunks}");
    assert_eq!(bytes_to_refuse(just.as_bytes()), None);
    let over = format!("{just}0\r\n\r\n");
    assert_eq!(bytes_to_refuse(over.as_bytes()), Some(just.len() + 1));
    assert_eq!(said(over.as_bytes()), "400");
}

/// One valid request with a body of any bytes, and what it is to be read as.
fn request() -> impl Strategy<Value = (Vec<u8>, &'static str)> {
    let method = prop_oneof![
        Just(("GET", "get 1.1 keep")),
        Just(("HEAD", "head 1.1 keep")),
        Just(("DELETE", "known 1.1 keep")),
        Just(("PURGE", "unknown 1.1 keep")),
    ];
    let field = "(Accept|X-[a-z]{1,9}|Content-Type|TE): {0,2}[ -~]{0,40}[ \t]{0,2}";
    let fields = prop::collection::vec(field, 0..6);
    let body = prop_oneof![
        2 => Just(None),
        1 => (prop::collection::vec(any::<u8>(), 0..200), Just(0)).prop_map(Some),
        1 => (prop::collection::vec(any::<u8>(), 0..200), 1usize..50).prop_map(Some),
    ];
    ("(\r\n){0,4}", method, "/[!$-;=?-~]{0,60}", fields, body).prop_map(
        |(empty_lines, (method, said), target, fields, body)| {
            let mut stream = format!("{empty_lines}{method} {target} HTTP/1.1\r\nHost: a\r\n");
            fields
                .iter()
                .for_each(|field| stream += &format!("{field}\r\n"));
            let mut stream = stream.into_bytes();
            let Some((body, chunk_bytes)) = body else {
                stream.extend_from_slice(b"\r\n");
                return (stream, said);
            };
            if chunk_bytes == 0 {
                stream.extend_from_slice(
                    format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(),
                );
                stream.extend_from_slice(&body);
            } else {
                stream.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(chunk_bytes) {
                    stream.extend_from_slice(format!("{:x};a=\"b\"\r\n", chunk.len()).as_bytes());
                    stream.extend_from_slice(chunk);
                    stream.extend_from_slice(b"\r\n");
                }
                stream.extend_from_slice(b"0\r\nX-Sum: 1\r\n\r\n");
            }
            (stream, said)
        },
    )
}

proptest! {
    #[test]
    fn valid_requests_are_read_one_for_one_in_any_pieces(
        requests in prop::collection::vec(request(), 1..12),
        seed in any::<u64>(),
    ) {
        let stream: Vec<u8> = requests.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        let (found, parser) = steps(cut_by(seed, &stream, 90));
        prop_assert_eq!(parser.position(), Position::Boundary);
        let mut end = 0;
        let mut expected = Vec::new();
        for (bytes, said) in &requests {
            end += bytes.len();
            expected.push((end, said.to_string()));
        }
        let found: Vec<_> = found
            .iter()
            .map(|(at, step)| (*at, said_of(step).trim_end_matches(" +body").to_string()))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_mutated_stream_gives_the_same_steps_in_any_pieces(
        requests in prop::collection::vec(request(), 1..5),
        mutations in prop::collection::vec((any::<prop::sample::Index>(), mutant()), 1..6),
        seed in any::<u64>(),
    ) {
        let mut stream: Vec<u8> = requests.into_iter().flat_map(|(bytes, _)| bytes).collect();
        for (index, mutant) in mutations {
            let at = index.index(stream.len());
            match mutant {
                Some(byte) => stream[at] = byte,
                None => drop(stream.remove(at)),
            }
            if stream.is_empty() {
                break;
            }
        }
        prop_assert_eq!(steps(cut_by(seed, &stream, 40)), whole(&stream));
        prop_assert_eq!(steps(stream.chunks(1)), whole(&stream));
    }

    #[test]
    fn any_bytes_give_the_same_steps_in_any_pieces(
        stream in prop::collection::vec(any::<u8>(), 0..300),
        seed in any::<u64>(),
    ) {
        prop_assert_eq!(steps(cut_by(seed, &stream, 9)), whole(&stream));
    }
}

/// Another byte in a byte's place, or none.
fn mutant() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![
        1 => Just(None),
        2 => prop::sample::select(b" \t\r\n:,;=\"%/[]0159aAfx\0\x7f\x80".as_slice()).prop_map(Some),
        1 => any::<u8>().prop_map(Some),
    ]
}
