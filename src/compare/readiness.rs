//! The wait until a server is ready: it may accept connections long before it can answer.

use std::thread;
use std::time::Duration;

use super::{Failure, Stopped};
use crate::event_loop::{Clock, StopSignal, Time};
use crate::load::{self, LoadPlan, LoadReport, Request, Until};

/// Interval at which the server is asked.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Time limit for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Asks the target of `plan`, with its fields, until it answers with a status below 400.
///
/// # Errors
/// It does not `within` this time, `still_runs` fails, or `signal` is raised.
pub(super) fn wait(
    plan: &LoadPlan,
    within: Duration,
    signal: &StopSignal,
    still_runs: &mut dyn FnMut() -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let clock = Clock::start();
    loop {
        let answer = ask(plan, signal);
        if signal.times_raised() > 0 {
            return Err(Stopped::Interrupted);
        }
        still_runs()?;
        match answer {
            Ok(()) => return Ok(()),
            Err(last) if clock.now() - Time::START >= within => {
                let target = plan.target.to_string();
                return Err(Failure::NotReady { target, last }.into());
            }
            Err(_) => thread::sleep(ASK_EVERY),
        }
    }
}

/// One request; the error is the answer in words.
fn ask(plan: &LoadPlan, signal: &StopSignal) -> Result<(), String> {
    let plan = LoadPlan {
        requests: Request {
            fields: plan.requests[0].fields.clone(),
            ..Request::get(&plan.target)
        }
        .into(),
        connections: 1,
        pipelining: 1,
        until: Until::Amount(1),
        timeout: ANSWER_TIMEOUT,
        open_loop: None,
        expected_body: None,
        expected_statuses: None,
        // A lost request is not sent again.
        bailout: Some(1),
        ..plan.clone()
    };
    match load::run(&plan, signal, &mut |_| {}) {
        Ok(report) => judge(&report),
        Err(error) => Err(error.to_string()),
    }
}

fn judge(report: &LoadReport) -> Result<(), String> {
    match report.status_code_stats.keys().next() {
        Some(status) if *status < 400 => Ok(()),
        Some(status) => Err(format!("status {status}")),
        None => Err("no reply".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};

    use super::*;
    use crate::compare::local_bench::load_plan;
    use crate::compare::tests::settings;
    use crate::load::Target;

    /// A server that gives these answers, one a connection; an empty one closes it. A request without
    /// its key is not answered.
    fn server(answers: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        thread::spawn(move || {
            let mut answers = answers.iter().copied();
            let mut answer = answers.next();
            while let (Some(text), Ok((mut stream, _))) = (answer, listener.accept()) {
                let mut request = [0; 1024];
                let length = stream.read(&mut request).unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]);
                // A connect check sends nothing, and takes no answer.
                if request.starts_with("GET /health ") && request.contains("Key: 1\r\n") {
                    let _ = stream.write_all(text.as_bytes());
                    answer = answers.next();
                }
            }
        });
        address
    }

    fn wait_for(address: SocketAddr, within: Duration) -> Result<(), Stopped> {
        let target = Target::parse(&format!("http://{address}/health")).expect("a URL");
        let mut settings = settings(1);
        settings.request.method = "POST".to_owned();
        settings.request.fields = vec![("Key".to_owned(), "1".to_owned())];
        settings.request.body = b"text".to_vec();
        settings.request.expected_body = Some(b"another".to_vec());
        let plan = load_plan(target, &settings, Duration::MAX);
        wait(&plan, within, &StopSignal::new(), &mut || Ok(()))
    }

    #[test]
    fn a_server_is_ready_when_it_answers_well() {
        let address = server(&[
            "",
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 204 Ready\r\n\r\n",
        ]);
        assert_eq!(wait_for(address, Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn a_server_that_ends_is_not_waited_for() {
        let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
        let target = format!("http://{}/health", gone.local_addr().expect("bound"));
        drop(gone);
        let target = Target::parse(&target).expect("a URL");
        let settings = settings(1);
        let plan = load_plan(target, &settings, Duration::MAX);
        let ended = || Err(Stopped::from(Failure::InBackground));
        let result = wait(&plan, Duration::MAX, &StopSignal::new(), &mut { ended });
        assert_eq!(result, Err(Failure::InBackground.into()));
    }

    #[test]
    fn a_server_that_never_answers_well_fails_with_its_last_answer() {
        let address = server(&["HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]);
        let Err(Stopped::Failed(failure)) = wait_for(address, Duration::ZERO) else {
            panic!("it is not ready");
        };
        let said = failure.to_string();
        assert!(said.contains("/health did not answer"), "{said}");
        assert!(said.contains("status 503"), "{said}");
    }
}
