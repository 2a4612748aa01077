//! An agent on the unmodified varta-client: `beats-peer PATH SECONDS steady|fork|panic|reconnect`.
use std::time::{Duration, Instant};
use varta_client::{BeatOutcome, Status, Varta};

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
    let mut who = "agent";
    if mode == "fork" {
        let _ = agent.beat(Status::Ok, 0);
        // SAFETY: there is one thread, and the child uses nothing that a fork breaks.
        if unsafe { libc::fork() } == 0 {
            who = "child";
        }
    }
    let (mut sent, mut dropped, mut failed, mut last) = (0, 0, 0, String::new());
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        match agent.beat(Status::Ok, 7) {
            BeatOutcome::Sent => sent += 1,
            BeatOutcome::Dropped(reason) => {
                dropped += 1;
                last = format!("{reason:?}");
            }
            BeatOutcome::Failed(_) => failed += 1,
        }
        if mode == "panic" && sent == 5 {
            println!("{{\"who\":\"{who}\",\"pid\":{},\"sent\":{sent},\"dropped\":{dropped},\"failed\":{failed},\"last\":\"{last}\"}}", std::process::id());
            panic!("as asked");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("{{\"who\":\"{who}\",\"pid\":{},\"sent\":{sent},\"dropped\":{dropped},\"failed\":{failed},\"last\":\"{last}\"}}", std::process::id());
}
