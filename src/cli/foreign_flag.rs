//! Flags of other load generators and servers, with what to write here instead.
//!
//! People come from autocannon, wrk, ab, hey and oha. A flag that means something else here, or
//! nothing, gets a line that names ours, never the flag that happens to be spelled alike.

/// Advice about foreign flags of `load`. `{}` is the value that was given.
const LOAD: &[(&[&str], &str)] = &[
    (
        &["--num-requests", "--count"],
        "the number of requests is -a {}",
    ),
    (
        &[
            "-targets",
            "--targets",
            "--urls-from-file",
            "--input-file",
            "--file",
        ],
        "a file of requests that take turns is --requests {}",
    ),
    (
        &["--concurrency", "--clients"],
        "the number of connections is -c {}",
    ),
    (&["-z"], "the time is -d {}"),
    (
        &["--threads", "-cpus", "--cpus"],
        "one event loop drives all connections, or -w {} of them, on a thread each",
    ),
    (
        &["-q", "--qps", "-r", "--connectionRate"],
        "a rate is for the whole run, not for one connection: -R {}",
    ),
    (
        &["-s", "--servername"],
        "the name for TLS is that of the URL; a script cannot be given: several requests are \
         --requests FILE",
    ),
    (
        &["--script"],
        "there are no scripts: the request is set by -m, -H and -b, or several by --requests FILE",
    ),
    (&["-X", "--request"], "the method is -m {}"),
    (&["--keepalive"], "connections are kept open; leave it out"),
    (&["--disable-keepalive"], "write -H 'Connection: close'"),
    (
        &["--body-file", "--data-file"],
        "the file with the body is -i {}",
    ),
    (&["--data"], "the body is -b {}"),
    (&["--content-type"], "write -H 'Content-Type: {}'"),
    (&["--cookie"], "write -H 'Cookie: {}'"),
    (
        &["-A", "--accept"],
        "write -H 'Accept: {}', or -H 'Authorization: ...'",
    ),
    (&["-u", "--user"], "write -H 'Authorization: Basic ...'"),
    (&["--host"], "write -H 'Host: {}'"),
    (&["--headers"], "a field is -H {}"),
    (
        &["--port", "-P"],
        "the port is part of the URL: http://localhost:{}",
    ),
    (&["--url"], "the URL stands by itself: {}"),
    (&["--unix-socket"], "the socket is -S {}"),
    (&["--no-tui", "-Q", "--quiet"], "without progress is -n"),
    (
        &["-o", "--output", "--output-format", "-g", "-e"],
        "write --json, or --export-json FILE",
    ),
    (
        &["--cert", "--key"],
        "this client has no certificate of its own; leave it out",
    ),
    (
        &["--http2", "--http-version"],
        "only HTTP/1.1 is sent; leave it out",
    ),
    (
        &["--renderStatusCodes"],
        "statuses other than 2xx are always shown, and all of them in --json; leave it out",
    ),
    (
        &[
            "-F",
            "--form",
            "-I",
            "--idReplacement",
            "-f",
            "--forever",
            "-L",
            "--on-port",
        ],
        "it is not supported; leave it out",
    ),
    (
        &["-M", "--maxConnectionRequests"],
        "a number of requests is for the whole run: -a N, which is {} x connections",
    ),
    (
        &["-O", "--maxOverallRequests"],
        "the number of requests is -a {}",
    ),
    (
        &["-x", "--excludeErrorStats"],
        "error replies stay in the figures, and the verdict names them; leave it out",
    ),
    (
        &["-C", "--ignoreCoordinatedOmission"],
        "with -R latency always counts from the due time; leave it out",
    ),
];

/// The same for `serve`.
const SERVE: &[(&[&str], &str)] = &[
    (
        &["-p", "--port"],
        "the port is part of --bind: --bind localhost:{}",
    ),
    (
        &["--host", "--address", "-a", "-l", "--listen"],
        "the address is --bind {}:8080",
    ),
];

/// A line for a command line that was refused, if it holds a foreign flag.
pub fn hint(argv: &[String]) -> Option<String> {
    let (job, args) = argv.get(1..)?.split_first()?;
    match job.as_str() {
        "load" => requests(args).or_else(|| find(LOAD, args)),
        "serve" => bare_port(args).or_else(|| find(SERVE, args)),
        _ => None,
    }
}

/// A flag of `load` that is accepted, and means something else than in another tool.
pub fn misunderstanding(argv: &[String]) -> Option<String> {
    let (job, args) = argv.get(1..)?.split_first()?;
    match job.as_str() {
        "load" => threads(args).or_else(|| content_type(args)),
        _ => None,
    }
}

/// `-t2`: two threads in wrk.
fn threads(args: &[String]) -> Option<String> {
    let threads = args.iter().find_map(|arg| {
        let digits = arg.strip_prefix("-t")?;
        is_number(digits).then_some(digits)
    })?;
    Some(format!(
        "-t{threads} is a timeout of {threads} s, as in autocannon; wrk's threads are not needed: \
         one event loop drives all connections"
    ))
}

/// `-T text/plain`: the type of the body in ab, hey and oha.
fn content_type(args: &[String]) -> Option<String> {
    let at = args.iter().position(|arg| arg == "-T")?;
    let value = args.get(at + 1).filter(|value| is_media_type(value))?;
    Some(format!(
        "-T {value} is a title, as in autocannon; for the type of the body write -H \
         'Content-Type: {value}'"
    ))
}

fn is_media_type(text: &str) -> bool {
    let types = [
        "application/",
        "text/",
        "image/",
        "audio/",
        "video/",
        "multipart/",
    ];
    types.iter().any(|kind| text.starts_with(kind))
}

/// `-n 1000`: a number of requests in ab, hey and oha; without progress here, as in autocannon.
fn requests(args: &[String]) -> Option<String> {
    let joined = args.iter().find_map(|arg| arg.strip_prefix("-n"));
    let parted = args.iter().position(|arg| arg == "-n");
    let parted = parted.and_then(|at| Some((at, args.get(at + 1)?)));
    let number = match (joined, parted) {
        (Some(number), _) if is_number(number) => number,
        // The number of a port, if there is no other target.
        (_, Some((at, number)))
            if is_number(number) && args[at + 2..].iter().any(|arg| is_target(arg)) =>
        {
            number
        }
        _ => return None,
    };
    Some(format!(
        "-n {number}: the number of requests is -a {number}"
    ))
}

/// `serve http 8089`
fn bare_port(args: &[String]) -> Option<String> {
    let [job, port, ..] = args else { return None };
    let port = port.strip_prefix(':').unwrap_or(port);
    is_number(port).then(|| format!("serve {job} {port}: write --bind localhost:{port}"))
}

fn find(table: &[(&[&str], &str)], args: &[String]) -> Option<String> {
    args.iter().enumerate().find_map(|(at, arg)| {
        let (flag, attached) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (arg.as_str(), None),
        };
        let (_, remedy) = table.iter().find(|(names, _)| names.contains(&flag))?;
        let next = args.get(at + 1).filter(|next| !next.starts_with('-'));
        let value = attached.or(next.map(String::as_str)).unwrap_or("...");
        Some(format!("{flag}: {}", remedy.replace("{}", value)))
    })
}

fn is_target(arg: &str) -> bool {
    !arg.starts_with('-') && !is_number(arg)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_foreign_flag_is_answered_with_ours() {
        for (line, said) in [
            (
                "load -n 1000 http://a",
                "-n 1000: the number of requests is -a 1000",
            ),
            (
                "load -n1000 -c 5 a:80",
                "-n 1000: the number of requests is -a 1000",
            ),
            ("load -z 5s http://a", "-z: the time is -d 5s"),
            (
                "load -r 9 http://a",
                "-r: a rate is for the whole run, not for one connection: -R 9",
            ),
            (
                "load http://a -M 9",
                "-M: a number of requests is for the whole run: -a N, which is 9 x connections",
            ),
            (
                "load -x http://a",
                "-x: error replies stay in the figures, and the verdict names them; leave it out",
            ),
            (
                "load --renderStatusCodes http://a",
                "--renderStatusCodes: statuses other than 2xx are always shown, and all of them in \
                 --json; leave it out",
            ),
            (
                "load -C -R 100 http://a",
                "-C: with -R latency always counts from the due time; leave it out",
            ),
            (
                "load -s a.lua http://a",
                "-s: the name for TLS is that of the URL; a script cannot be given: several requests \
                 are --requests FILE",
            ),
            ("load --data={} http://a", "--data: the body is -b {}"),
            (
                "load -targets=t.txt -c 9",
                "-targets: a file of requests that take turns is --requests t.txt",
            ),
            (
                "load --port 80 a",
                "--port: the port is part of the URL: http://localhost:80",
            ),
            (
                "load http://a --qps 50",
                "--qps: a rate is for the whole run, not for one connection: -R 50",
            ),
            (
                "serve http 8089",
                "serve http 8089: write --bind localhost:8089",
            ),
            (
                "serve http :8089",
                "serve http 8089: write --bind localhost:8089",
            ),
            (
                "serve tcp --port 8089",
                "--port: the port is part of --bind: --bind localhost:8089",
            ),
        ] {
            assert_eq!(
                hint(&argv(&format!("bareloop {line}"))).as_deref(),
                Some(said),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_not_foreign_is_left_to_the_parser() {
        for line in [
            "load --conections 5 http://a",
            "load -n 9103",
            "load --requests x -c 0",
            "load --har x -c 0",
            "load -n http://a",
            "serve http stray",
            "serve",
            "load",
            "compare --port 5",
        ] {
            assert_eq!(hint(&argv(&format!("bareloop {line}"))), None, "{line}");
        }
        assert_eq!(hint(&[]), None);
    }

    #[test]
    fn a_type_of_a_body_is_told_to_be_a_title() {
        let said = |line| misunderstanding(&argv(line));
        let words = said("bareloop load -T application/json http://a").expect("a word");
        assert!(
            words.contains("-H 'Content-Type: application/json'"),
            "{words}"
        );
        for line in ["bareloop load -T nightly/7 http://a", "bareloop load -T"] {
            assert_eq!(said(line), None, "{line}");
        }
    }

    #[test]
    fn threads_of_wrk_are_told_to_be_a_timeout() {
        let said = |line| misunderstanding(&argv(line));
        assert!(
            said("bareloop load -t2 -c100 http://a")
                .expect("a word")
                .starts_with("-t2 is")
        );
        for line in [
            "bareloop load -t 2 http://a",
            "bareloop load -t2s a",
            "bareloop compare -t2",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }

    #[test]
    fn no_flag_is_in_a_table_twice() {
        for table in [LOAD, SERVE] {
            let mut flags: Vec<_> = table.iter().flat_map(|(names, _)| names.iter()).collect();
            let all = flags.len();
            flags.sort_unstable();
            flags.dedup();
            assert_eq!(flags.len(), all);
        }
    }
}
