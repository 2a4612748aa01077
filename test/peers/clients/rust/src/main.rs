//! An agent on the unmodified varta-client: `beats-peer PATH SECONDS steady|fork|panic|reconnect`.
use std::time::{Duration, Instant};
use varta_client::{BeatOutcome, Status, Varta};

/// What the agent saw; reported as a line of JSON.
struct Seen {
    who: &'static str,
    sent: u32,
    dropped: u32,
    failed: u32,
    /// Why the last beat that was dropped was.
    last: String,
}

impl Seen {
    fn report(&self) {
        let Seen { who, sent, dropped, failed, last } = self;
        let counts = format!("\"sent\":{sent},\"dropped\":{dropped},\"failed\":{failed}");
        println!("{{\"who\":\"{who}\",\"pid\":{},{counts},\"last\":\"{last}\"}}", std::process::id());
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (path, seconds, mode) = (&args[1], args[2].parse::<u64>().unwrap(), args[3].as_str());
    if mode == "panic" {
        varta_client::install_panic_handler(path).unwrap();
    }
    let mut agent = Varta::connect(path).unwrap();
    if mode == "reconnect" {
        agent.set_reconnect_after(2);
    }
    let mut seen = Seen { who: "agent", sent: 0, dropped: 0, failed: 0, last: String::new() };
    if mode == "fork" {
        let _ = agent.beat(Status::Ok, 0);
        // SAFETY: there is one thread, and the child uses nothing that a fork breaks.
        if unsafe { libc::fork() } == 0 {
            seen.who = "child";
        }
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        match agent.beat(Status::Ok, 7) {
            BeatOutcome::Sent => seen.sent += 1,
            BeatOutcome::Dropped(reason) => {
                seen.dropped += 1;
                seen.last = format!("{reason:?}");
            }
            BeatOutcome::Failed(_) => seen.failed += 1,
        }
        if mode == "panic" && seen.sent == 5 {
            seen.report();
            panic!("as asked");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    seen.report();
}
