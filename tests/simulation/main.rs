//! A seeded simulation: the real event loop with the real HTTP server, and the real event loop
//! with the real load client, against each other and against scripted peers, on a simulated kernel
//! and under a clock that is set by hand.
//!
//! The kernel has the semantics of epoll, kqueue or Windows. Bytes arrive in any pieces; requests
//! and replies are cut with turns in between; send buffers have little room; system calls are
//! interrupted; events are merged, late, reordered, spurious or stale; peers end and reset;
//! descriptors run out; connects are late, refused or find a full backlog; the clocks jump; stop
//! signals come at any point. After each step the rules in `invariants` hold.
//!
//! A failure prints its seed. `BARELOOP_SEED=N` runs that one, `BARELOOP_SEEDS=N` runs more.

mod invariants;
mod kernel;
mod peer;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../benches/support/random.rs"]
mod random;
mod socket;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bareloop::event_loop::{Address, Clock, ConnectionLimits, LoopPhase, StopSignal};
use bareloop::load::client::LoadClient;
use bareloop::load::{LoadPlan, Progress, Refill, Request, RequestList, Target, Until, WarmUp};
use bareloop::serve::Warnings;
use bareloop::serve::http::HttpServer;

use invariants::{Loop, Reference};
use kernel::{SimulatedKernel, Temperament};
use random::Random;
use socket::{Listener, Network, Owner, Shared, State};

const SEEDS: u64 = 256;
const STEPS: usize = 1_200;
/// Steps in which a run without faults has to end.
const CALM_STEPS_MAX: usize = 30_000;
const CONNECTIONS: usize = 4;
const PIPELINING: usize = 5;
/// Replies that a run without faults is for.
const AMOUNT: u64 = 60;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

const SERVER_LIMITS: ConnectionLimits = ConnectionLimits {
    connections_max: 8,
    send_timeout: Duration::from_secs(30),
    linger: Duration::from_secs(1),
    grace: Duration::from_secs(4),
};

const CLIENT_LIMITS: ConnectionLimits = ConnectionLimits {
    connections_max: CONNECTIONS,
    send_timeout: Duration::from_secs(10),
    linger: Duration::ZERO,
    grace: Duration::ZERO,
};

struct World<'a> {
    network: Shared,
    server: Option<Loop<HttpServer>>,
    client: Option<Loop<LoadClient<'a>>>,
    signals: [StopSignal; 2],
    faults: bool,
}

impl World<'_> {
    fn step(&mut self) {
        let action = self.network.borrow_mut().random.below(40);
        match action {
            0..=7 => self.turn_server(),
            8..=15 => self.turn_client(),
            16..=25 => self.deliver(),
            26..=28 => self.connect(),
            29..=35 => self.script_acts(),
            36 => self.script_dials(),
            37 => self.interrupt(),
            38 => self.let_time_pass(),
            _ => self.rarely(),
        }
        self.check();
    }

    /// A request that arrives in two pieces with turns in between, before anything else can go
    /// wrong: a server that forgets partial requests fails every seed.
    fn cut_request(&mut self) {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let (client, server) = {
            let network = &mut *self.network.borrow_mut();
            network.faults = false;
            let client = network.pair(Owner::Script, Owner::Server);
            let server = network.ends[client].peer;
            for end in [client, server] {
                network.ends[end].capacity = 1_000;
            }
            network.connect(client);
            (client, server)
        };
        let cut = 1 + self.network.borrow_mut().random.below(request.len() - 1);
        for piece in [&request[..cut], &request[cut..]] {
            {
                let network = &mut *self.network.borrow_mut();
                network.write(client, piece).expect("there is room");
                network.deliver(server, usize::MAX);
            }
            for _ in 0..20 {
                self.turn_server();
            }
        }
        let network = &mut *self.network.borrow_mut();
        assert!(
            network.ends[server].sent_bytes > 0,
            "a cut request is not answered"
        );
        network.faults = self.faults;
    }

    fn turn_server(&mut self) {
        let Some(server) = &mut self.server else {
            return;
        };
        let mut events = Vec::new();
        let phase = server.turn(&mut events).expect("a simulated wait");
        self.check_server_turn(phase);
        if phase == LoopPhase::Over {
            self.server = None;
            self.network.borrow_mut().listener = Listener::default();
        }
    }

    fn turn_client(&mut self) {
        let Some(client) = &mut self.client else {
            return;
        };
        let phase = client.turn(&mut Vec::new()).expect("a simulated wait");
        self.check_client_turn(phase);
        if phase == LoopPhase::Over
            && let Some(client) = self.client.take()
        {
            let accounting = client.finish().accounting();
            assert!(accounting.is_balanced(), "{accounting:?}");
            if !self.faults {
                assert_eq!(accounting.completed, AMOUNT);
            }
        }
    }

    /// A piece of what is in flight arrives somewhere.
    fn deliver(&mut self) {
        let network = &mut *self.network.borrow_mut();
        let id = network.random.below(network.ends.len().max(1));
        let bytes = match network.random.below(3) {
            0 => 1 + network.random.below(10),
            1 => 1 + network.random.below(500),
            _ => usize::MAX,
        };
        if id < network.ends.len() {
            network.deliver(id, bytes);
        }
    }

    /// A dial is answered, or not for long.
    fn connect(&mut self) {
        let network = &mut *self.network.borrow_mut();
        let dials = network
            .ends
            .iter()
            .enumerate()
            .filter(|(_, end)| end.state == State::Connecting && end.connect_error.is_none());
        let dials: Vec<usize> = dials.map(|(id, _)| id).collect();
        if let Some(&id) = network.random.pick(&dials) {
            network.connect(id);
        }
    }

    /// The next system calls on a socket are interrupted.
    fn interrupt(&mut self) {
        let network = &mut *self.network.borrow_mut();
        let id = network.random.below(network.ends.len().max(1));
        let times = network.random.below(7);
        if let Some(end) = network.ends.get_mut(id) {
            end.interrupts = times;
        }
    }

    fn let_time_pass(&mut self) {
        let network = &mut *self.network.borrow_mut();
        let ms = match network.random.below(8) {
            0 if self.faults => network.random.below(100_000),
            _ if self.faults => network.random.below(50),
            // No timeout may end what is only slow.
            _ => network.random.below(3),
        };
        let clock = &network.clock;
        clock
            .now
            .set(clock.now.get() + Duration::from_millis(ms as u64));
        let wall = clock.wall.get() + Duration::from_millis(ms as u64);
        clock.wall.set(wall);
        if network.random.one_in(10) {
            network.clock.wall.set(wall + Duration::from_secs(3600));
        }
    }

    /// A lack of descriptors, or a stop signal.
    fn rarely(&mut self) {
        if !self.faults {
            return;
        }
        let network = &mut *self.network.borrow_mut();
        match network.random.below(8) {
            0..=2 => network.descriptors = network.random.below(3),
            3..=5 => network.descriptors += 3,
            6 if network.random.one_in(6) => {
                for _ in 0..=network.random.below(2) {
                    self.signals[0].raise();
                }
                network.signalled[0] = true;
            }
            7 if network.random.one_in(12) => {
                self.signals[1].raise();
                network.signalled[1] = true;
            }
            _ => {}
        }
    }

    /// Ends the run: peers that are silent, or that read all there is and end.
    fn settle(&mut self) {
        let silent = {
            let network = &mut *self.network.borrow_mut();
            network.descriptors += 100;
            for end in &mut network.ends {
                end.interrupts = 0;
            }
            network.random.one_in(2)
        };
        for _ in 0..40 {
            let ends = self.network.borrow().ends.len();
            for id in 0..ends {
                let network = &mut *self.network.borrow_mut();
                network.deliver(id, usize::MAX);
                if network.ends[id].owner == Owner::Script
                    && network.ends[id].state == State::Open
                    && !silent
                {
                    network.read(id, &mut [0; 100_000]).ok();
                    network.shut_write(id);
                }
            }
            for _ in 0..8 {
                self.turn_server();
                self.turn_client();
                self.check();
            }
            let clock = Rc::clone(&self.network.borrow().clock);
            clock.now.set(clock.now.get() + Duration::from_secs(7));
        }
        if let Some(client) = self.client.take() {
            client.finish();
        }
        for _ in 0..20 {
            let ends = self.network.borrow().ends.len();
            for id in 0..ends {
                self.network.borrow_mut().deliver(id, usize::MAX);
            }
            for _ in 0..8 {
                self.turn_server();
            }
            let clock = Rc::clone(&self.network.borrow().clock);
            clock.now.set(clock.now.get() + Duration::from_secs(7));
        }
        if let Some(server) = &self.server {
            assert_eq!(server.sockets(), 0, "connections without an end");
        }
    }
}

fn plan(random: &mut Random, faults: bool) -> LoadPlan {
    let target = Target::parse("http://localhost").expect("a URL");
    LoadPlan {
        requests: requests(random, &target),
        target,
        tls: None,
        connections: CONNECTIONS,
        pipelining: PIPELINING,
        warm_up: WarmUp::None,
        until: match faults {
            true => Until::Duration(Duration::from_secs(100)),
            false => Until::Amount(AMOUNT),
        },
        timeout: Duration::from_secs(10),
        refill: match random.one_in(2) {
            true => Refill::Rolling,
            false => Refill::Batch,
        },
        open_loop: None,
        expected_body: None,
        expected_statuses: None,
        bailout: None,
        requests_per_connection: None,
        kernel_timestamps: false,
        workers: std::num::NonZeroU32::MIN,
        share: None,
        start_at: None,
        title: None,
    }
}

/// One request, or several that take turns: of different lengths, with replies of different framing.
fn requests(random: &mut Random, target: &Target) -> RequestList {
    let get = Request::get(target);
    let head = Request {
        method: "HEAD".to_owned(),
        ..get.clone()
    };
    let post = Request {
        method: "POST".to_owned(),
        body: vec![b'x'; 700],
        ..get.clone()
    };
    let kinds = [get.clone(), head, post];
    let mut requests = vec![get];
    while !random.one_in(2) {
        requests.push(kinds[random.below(kinds.len())].clone());
    }
    RequestList::new(requests).expect("at least one")
}

fn simulate(seed: u64) {
    let temperaments = [
        Temperament::Epoll,
        Temperament::Kqueue,
        Temperament::Windows,
    ];
    let temperament = temperaments[(seed % 3) as usize];
    let mut random = Random::seeded(seed);
    let faults = !random.one_in(4);
    let plan = plan(&mut random, faults);
    let (clock, manual) = Clock::manual();
    let network = Rc::new(RefCell::new(Network {
        random,
        temperament,
        clock: manual,
        ends: Vec::new(),
        listener: Listener::default(),
        descriptors: 6,
        is_starved: false,
        connections_max: SERVER_LIMITS.connections_max,
        faults,
        signalled: [false; 2],
        reference: Reference::new(),
    }));
    let errors = Cell::new(0);
    let mut note = |progress: Progress| errors.set(progress.errors);
    let signals = [StopSignal::new(), StopSignal::new()];
    let mut server = Loop::on(
        SimulatedKernel::new(&network, Owner::Server),
        clock.clone(),
        HttpServer::new(invariants::settings(), Warnings::discarded()),
        SERVER_LIMITS,
        &signals[0],
    );
    let address = Address::Tcp(([127, 0, 0, 1], 80).into());
    server.listen(&address).expect("it is free");
    let mut client = Loop::on(
        SimulatedKernel::new(&network, Owner::Client),
        clock,
        LoadClient::new(&plan, &mut note),
        CLIENT_LIMITS,
        &signals[1],
    );
    client.dial(address, CONNECTIONS, CONNECT_TIMEOUT);
    let mut world = World {
        network,
        server: Some(server),
        client: Some(client),
        signals,
        faults,
    };
    world.cut_request();
    if faults {
        for _ in 0..STEPS {
            world.step();
        }
    } else {
        let mut steps = 0;
        while world.client.is_some() {
            world.step();
            steps += 1;
            assert!(steps < CALM_STEPS_MAX, "the client does not come to an end");
        }
    }
    world.settle();
    drop(world);
    assert!(faults || errors.get() == 0, "errors without a fault");
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn no_seed_breaks_a_rule() {
    let seeds = match number_from("BARELOOP_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_from("BARELOOP_SEEDS").unwrap_or(SEEDS),
    };
    let failed: Vec<u64> = seeds
        .clone()
        .filter(|&seed| std::panic::catch_unwind(|| simulate(seed)).is_err())
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} seeds failed; run one again with BARELOOP_SEED={}",
        failed.len(),
        seeds.end - seeds.start,
        failed[0]
    );
}
