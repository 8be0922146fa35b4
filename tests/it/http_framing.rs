//! Where a request ends: Content-Length, chunked, and every way to disagree about it
//! (RFC 9112 6, 7).

use crate::http_case::Then::{Closed, Kept, Waiting};
use crate::http_case::{Case, case, check};

fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked", body)
}

/// What must never be answered.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn content_length() {
    let mut cases = vec![
        case("0", post("Content-Length: 0", ""), "405", Kept),
        case("5", post("Content-Length: 5", "hello"), "405", Kept),
        case(
            "leading zeros",
            post("Content-Length: 0005", "hello"),
            "405",
            Kept,
        ),
        case(
            "blanks around",
            post("Content-Length: \t5 \t", "hello"),
            "405",
            Kept,
        ),
        case(
            "the name in any case",
            post("cONTENT-lENGTH:5", "hello"),
            "405",
            Kept,
        ),
        case(
            "the same again in a field",
            post("Content-Length: 5\r\nContent-Length: 5", "hello"),
            "405",
            Kept,
        ),
        case(
            "the same again in a list",
            post("Content-Length: 5, 5", "hello"),
            "405",
            Kept,
        ),
        case(
            "GET with a body",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            "200",
            Kept,
        ),
        case(
            "HEAD with a body",
            "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            "head:200",
            Kept,
        ),
        case(
            "another method with a body",
            "BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            "501",
            Kept,
        ),
        case(
            "no length, no body",
            format!("POST / HTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}"),
            "405 200",
            Kept,
        ),
        case(
            "a body that looks like a request",
            post(&format!("Content-Length: {}", HIDDEN.len()), HIDDEN),
            "405",
            Kept,
        ),
        case(
            "a body of terminators",
            post("Content-Length: 8", "\r\n\r\n\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "a body of NULs",
            post("Content-Length: 4", "\0\0\0\0"),
            "405",
            Kept,
        ),
        case(
            "a body one byte short",
            post("Content-Length: 5", "hell"),
            "",
            Waiting,
        ),
        case("no body at all", post("Content-Length: 5", ""), "", Waiting),
        case(
            "1 MiB",
            post("Content-Length: 1048576", &"a".repeat(1 << 20)),
            "405",
            Kept,
        ),
        case(
            "1 MiB and a byte",
            post("Content-Length: 1048577", ""),
            "413",
            Closed,
        ),
        case(
            "4 GiB and 5",
            post("Content-Length: 4294967301", "hello"),
            "413",
            Closed,
        ),
        case(
            "the largest u64",
            post("Content-Length: 18446744073709551615", ""),
            "413",
            Closed,
        ),
        case(
            "2^64",
            post("Content-Length: 18446744073709551616", ""),
            "413",
            Closed,
        ),
        case(
            "2^64 and 5",
            post("Content-Length: 18446744073709551621", "hello"),
            "413",
            Closed,
        ),
        case(
            "a thousand digits",
            post(&format!("Content-Length: {}", "9".repeat(1000)), ""),
            "413",
            Closed,
        ),
    ];
    for length in [
        "", " ", "+5", "-5", "-0", "5.0", "5e0", "0x5", "5 5", "5;", "5,", ",5", "5,,5", "5, 6",
        "five", "\"5\"", "5\0", "\u{665}", "5_0", "5\x0b", "NaN",
    ] {
        let sent = post(&format!("Content-Length: {length}"), HIDDEN);
        cases.push(case(format!("length {length:?}"), sent, "400", Closed));
    }
    check(&cases);
}

#[test]
fn chunked_bodies() {
    let mut cases = vec![
        case("empty", chunked("0\r\n\r\n"), "405", Kept),
        case("one chunk", chunked("5\r\nhello\r\n0\r\n\r\n"), "405", Kept),
        case(
            "many chunks",
            chunked(&format!("{}0\r\n\r\n", "1\r\na\r\n".repeat(50))),
            "405",
            Kept,
        ),
        case(
            "hexadecimal digits",
            chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "leading zeros",
            chunked("0005\r\nhello\r\n000\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "an extension",
            chunked("5;a=b\r\nhello\r\n0;c\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "a quoted extension",
            chunked("5;a=\"b;\\\"c\t\";d=e\r\nhello\r\n0\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "blanks around extensions",
            chunked("5 ; a = b\r\nhello\r\n0\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "trailers",
            chunked("5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "trailers that would frame a head",
            chunked(&format!(
                "0\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n{HIDDEN}"
            )),
            "405 200",
            Kept,
        ),
        case(
            "trailers that would close",
            chunked("0\r\nConnection: close\r\nHost: b\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "a body that looks like a request",
            chunked(&format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len())),
            "405",
            Kept,
        ),
        case(
            "a body that looks like its end",
            chunked("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"),
            "405",
            Kept,
        ),
        case(
            "GET",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            "200",
            Kept,
        ),
        case(
            "HEAD",
            "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            "head:200",
            Kept,
        ),
        case(
            "one chunk of 1 MiB",
            chunked(&format!("100000\r\n{}\r\n0\r\n\r\n", "a".repeat(1 << 20))),
            "405",
            Kept,
        ),
        case(
            "1 MiB and a byte in two",
            chunked(&format!(
                "100000\r\n{}\r\n1\r\na\r\n0\r\n\r\n",
                "a".repeat(1 << 20)
            )),
            "413",
            Closed,
        ),
        case(
            "a chunk of 1 MiB and a byte",
            chunked("100001\r\n"),
            "413",
            Closed,
        ),
        case("a chunk of 4 GiB", chunked("100000000\r\n"), "413", Closed),
        case(
            "a chunk of 2^64",
            chunked("10000000000000000\r\nhello"),
            "413",
            Closed,
        ),
        case(
            "a chunk of 2^64 and 5",
            chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
            "413",
            Closed,
        ),
        case(
            "a size that never ends",
            chunked(&"0".repeat(300)),
            "400",
            Closed,
        ),
        case(
            "an extension of 1 KiB",
            chunked(&format!("1;a={}\r\na\r\n0\r\n\r\n", "b".repeat(1024))),
            "400",
            Closed,
        ),
        case(
            "more framing than body",
            chunked(&format!(
                "{}0\r\n\r\n",
                format!("1;{}\r\na\r\n", "b".repeat(200)).repeat(100)
            )),
            "400",
            Closed,
        ),
        case(
            "16 KiB of trailers",
            chunked(&format!("0\r\nX: {}\r\n\r\n", "y".repeat(17_000))),
            "431",
            Closed,
        ),
        case(
            "101 trailers",
            chunked(&format!("0\r\n{}\r\n", "X: y\r\n".repeat(101))),
            "431",
            Closed,
        ),
        case(
            "without the last chunk",
            chunked("5\r\nhello\r\n"),
            "",
            Waiting,
        ),
        case(
            "without the last line",
            chunked("5\r\nhello\r\n0\r\n"),
            "",
            Waiting,
        ),
        case(
            "without the last byte",
            chunked("5\r\nhello\r\n0\r\n\r"),
            "",
            Waiting,
        ),
    ];
    for body in [
        "\r\n",
        "5\n",
        "5\r\r\n",
        "5\rhello",
        " 5\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "+5\r\n",
        "-1\r\n",
        "0x5\r\n",
        "5h\r\n",
        "g\r\n",
        "\u{665}\r\n",
        "5,\r\n",
        ";a\r\n",
        "5;\r\nhello",
        "5;=b\r\n",
        "5;a=\r\n",
        "5;a=\"b\r\n",
        "5;a=b\nX\r\n",
        "5;a\0\r\n",
        "5;a=\"\x7f\"\r\n",
        "5\r\nhello!\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhelloX\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX: y\r\n z\r\n\r\n",
        "0\r\nX: y\nZ: a\r\n\r\n",
        "0\r\nX: \0\r\n\r\n",
        "0\r\n\n",
        "0\r\n\rx",
    ] {
        cases.push(case(
            format!("chunks {body:?}"),
            chunked(body),
            "400",
            Closed,
        ));
    }
    check(&cases);
}

#[test]
fn transfer_codings() {
    let coded = |coding: &str| {
        post(
            &format!("Transfer-Encoding: {coding}"),
            &format!("0\r\n\r\n{HIDDEN}"),
        )
    };
    let mut cases: Vec<Case> = Vec::new();
    for coding in [
        "chunked",
        "Chunked",
        "CHUNKED",
        " \tchunked \t",
        ", chunked",
        "chunked,",
        ",,chunked,,",
    ] {
        cases.push(case(format!("{coding:?}"), coded(coding), "405 200", Kept));
    }
    for coding in [
        "gzip",
        "identity",
        "gzip, chunked",
        "deflate;q=1",
        "xchunked",
        "chunkedx",
        "chunke",
        "cow",
        "gzip, gzip",
        "chunk ed",
    ] {
        cases.push(case(format!("{coding:?}"), coded(coding), "501", Closed));
    }
    for coding in [
        "",
        " ",
        ",",
        "chunked, chunked",
        "chunked, gzip",
        "chunked;a=b",
        "chunked chunked",
        "\"chunked\"",
        "\0chunked",
        "\x0bchunked",
        "chunked\x0b",
        "[chunked]",
        "chunked\0",
        "\u{212a}",
        "=",
        ";chunked",
    ] {
        cases.push(case(format!("{coding:?}"), coded(coding), "400", Closed));
    }
    check(&cases);
}

/// The classic disagreements between a proxy and a server, each with a request hidden behind it.
#[test]
fn smuggling() {
    let te_cl = "Transfer-Encoding: chunked\r\nContent-Length: 5";
    let cl_te = "Content-Length: 5\r\nTransfer-Encoding: chunked";
    let behind = |fields: &str| post(fields, &format!("0\r\n\r\n{HIDDEN}"));
    let mut cases = vec![
        case(
            "1.0 with a coding",
            format!("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
            "400",
            Closed,
        ),
        case(
            "1.0 with both",
            format!("POST / HTTP/1.0\r\n{cl_te}\r\n\r\n0\r\n\r\n{HIDDEN}"),
            "400",
            Closed,
        ),
        case(
            "GET with both",
            format!("GET / HTTP/1.1\r\nHost: a\r\n{cl_te}\r\n\r\n0\r\n\r\n{HIDDEN}"),
            "400",
            Closed,
        ),
        case(
            "a field line hidden by LF",
            behind("X: y\nTransfer-Encoding: chunked"),
            "400",
            Closed,
        ),
        case(
            "a field line hidden by CR",
            behind("X: y\rTransfer-Encoding: chunked"),
            "400",
            Closed,
        ),
        case(
            "a name folded away",
            behind("Transfer-Encoding\r\n : chunked"),
            "400",
            Closed,
        ),
        case(
            "a value folded away",
            behind("Transfer-Encoding:\r\n chunked"),
            "400",
            Closed,
        ),
        case(
            "a length folded away",
            behind("Content-Length:\r\n 5"),
            "400",
            Closed,
        ),
        case(
            "a request line in a chunk size",
            chunked(HIDDEN),
            "400",
            Closed,
        ),
        case(
            "a chunk that ends early",
            chunked(&format!("1\r\nabc\r\n0\r\n\r\n{HIDDEN}")),
            "400",
            Closed,
        ),
        case(
            "a chunk extension ended by LF",
            chunked(&format!("2;\nxx\r\n0\r\n\r\n{HIDDEN}")),
            "400",
            Closed,
        ),
        case(
            "chunk data ended by two bytes",
            chunked(&format!("1\r\naXX0\r\n\r\n{HIDDEN}")),
            "400",
            Closed,
        ),
        case(
            "a Host that hides a line",
            format!("GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n{HIDDEN}"),
            "400",
            Closed,
        ),
    ];
    for fields in [
        te_cl,
        cl_te,
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 0",
        "Content-Length: 5\r\nTransfer-Encoding: ",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 6\r\nContent-Length: 5",
        "Content-Length: 0\r\nContent-Length: 38",
        "Content-Length: 5\r\nContent-Length: ",
        "Content-Length: 5\r\nContent-Length: +5",
        "Content-Length: 5\r\nContent-Length: 5, 6",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "Transfer-Encoding\0: chunked",
        "Transfer\u{2010}Encoding: chunked",
        "Content-Length : 5",
        "Content-Length\x0b: 5",
        "Content Length: 5",
    ] {
        cases.push(case(format!("{fields:?}"), behind(fields), "400", Closed));
    }
    for fields in [
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: gzip, chunked",
        "Content-Length: 5\r\nTransfer-Encoding: gzip",
    ] {
        let status = if fields.starts_with("Content") {
            "400"
        } else {
            "501"
        };
        cases.push(case(format!("{fields:?}"), behind(fields), status, Closed));
    }
    // A field of another name means nothing, whatever it resembles: the body is no body.
    for fields in [
        "Transfer_Encoding: chunked",
        "XTransfer-Encoding: chunked",
        "Content_Length: 5",
        "Transfer-Encodin: chunked",
    ] {
        let sent = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{HIDDEN}");
        cases.push(case(format!("{fields:?}"), sent, "200 200", Kept));
    }
    check(&cases);
}
