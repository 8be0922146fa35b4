//! What of the loop's own books only time would show from outside.

use super::*;

const LIMITS: Limits = Limits {
    connections_max: 10,
    connect_timeout: Duration::ZERO,
    send_timeout: Duration::from_secs(30),
    linger: Duration::from_secs(1),
    grace: Duration::from_secs(4),
};

/// Says nothing and waits for ever.
struct Silent;

impl Protocol for Silent {
    type Conn = ();

    fn opened(&mut self, _: Time, _: &mut WriteQueue) {}

    fn received(&mut self, (): &mut (), _: &[u8], _: Time, _: &mut WriteQueue) -> Flow {
        Flow::Keep
    }

    fn ended(&mut self, (): &mut (), _: Time, _: &mut WriteQueue) -> Flow {
        Flow::Finish
    }

    fn deadline(&self, (): &()) -> Time {
        Time::NEVER
    }

    fn overdue(&mut self, (): &mut (), _: Time, _: &mut WriteQueue) -> Flow {
        Flow::Finish
    }

    fn closed(&mut self, _: Option<()>, _: Closed, _: Time) -> AfterClose {
        AfterClose::Forget
    }

    fn turn(&mut self, _: Time, _: SystemTime) -> TurnResult {
        TurnResult::Run { wake: Time::NEVER }
    }
}

#[test]
fn a_close_ends_every_listeners_wait_for_a_descriptor() {
    let mut event_loop =
        EventLoop::new(Silent, LIMITS, &StopSignal::new()).expect("descriptors are left");
    for _ in 0..2 {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        event_loop.listen(anywhere).expect("a free port");
    }
    for listener in &mut event_loop.listeners {
        let gate = listener.gate_mut();
        gate.edge();
        let starved = || Err::<(), _>(io::Error::other("EMFILE"));
        gate.accept(Time::START, 1, starved, drop)
            .expect_err("it is starved");
        assert!(gate.retry_at() > Time::START);
    }
    event_loop.gone(Some(()), Closed::Done);
    for listener in &event_loop.listeners {
        assert_eq!(listener.gate().retry_at(), Time::START);
    }
}
