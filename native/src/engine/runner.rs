//! The engine's thread: waits for sockets, deadlines and calls, and turns the core.

use std::{
    os::fd::{AsFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::{Core, SharedSocket, guard::panic_message, receive::ReceiveBuffer};

pub struct Shared {
    core: Mutex<Core>,
    wake: OwnedFd,
    /// The eventfd is written and the loop has not turned since: more writes would say nothing new.
    woken: AtomicBool,
    stop: AtomicBool,
}

impl Shared {
    pub fn new() -> Result<Arc<Self>, rustix::io::Errno> {
        Ok(Arc::new(Self {
            core: Mutex::new(Core::new()),
            wake: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
            woken: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }))
    }

    pub fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock()
    }

    /// After a call that left something to do.
    pub fn wake(&self) {
        if !self.woken.swap(true, Ordering::SeqCst) {
            // Fails only when the counter is full, and then the loop is awake.
            let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.woken.store(false, Ordering::SeqCst);
        self.wake();
    }
}

struct Watched {
    endpoint: usize,
    socket: SharedSocket,
    wants_write: bool,
    readable: bool,
    writable: bool,
}

/// Runs until `Shared::stop`. `notify` says that events wait for JavaScript; it is called outside the lock.
pub fn run(shared: &Shared, notify: impl Fn()) {
    let mut buffer = ReceiveBuffer::new();
    let mut watched: Vec<Watched> = Vec::new();
    loop {
        // Read before the turn: what was asked for before `stop` still leaves.
        let last = shared.stop.load(Ordering::SeqCst);
        let mut core = shared.core.lock();
        let turned = catch_unwind(AssertUnwindSafe(|| turn(&mut core, &mut watched, &mut buffer)));
        let wake = turned.unwrap_or_else(|panic| {
            // Connections are guarded on their own; what panicked here has no owner to blame, so everything ends, loudly.
            let reason = format!("the native engine failed: {}", panic_message(&*panic));
            core.fail(&reason);
            None
        });
        if std::mem::take(&mut core.sockets_changed) {
            watched = core.endpoints.iter().map(|(endpoint, entry)| watch(endpoint, entry.socket.clone())).collect();
        }
        for entry in &mut watched {
            entry.wants_write = core.endpoints.get(entry.endpoint).is_some_and(|endpoint| !endpoint.unsent.is_empty());
        }
        let announce = core.announce();
        // A waiting call from JavaScript gets the lock before the next turn can take it again.
        MutexGuard::unlock_fair(core);
        if announce {
            notify();
        }
        if last {
            return;
        }
        wait(shared, &mut watched, wake);
    }
}

fn watch(endpoint: usize, socket: SharedSocket) -> Watched {
    // Read at once: what came between bind and now.
    Watched { endpoint, socket, wants_write: false, readable: true, writable: false }
}

fn turn(core: &mut Core, watched: &mut [Watched], buffer: &mut ReceiveBuffer) -> Option<Instant> {
    let now = Instant::now();
    for entry in watched {
        if std::mem::take(&mut entry.readable) {
            core.receive(entry.endpoint, buffer, now);
        }
        if std::mem::take(&mut entry.writable) {
            core.resume(entry.endpoint);
        }
    }
    core.turn(now);
    core.next_wake(now)
}

fn wait(shared: &Shared, watched: &mut [Watched], until: Option<Instant>) {
    let timeout = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
    let mut fds = Vec::with_capacity(watched.len() + 1);
    fds.push(PollFd::from_borrowed_fd(shared.wake.as_fd(), PollFlags::IN));
    for entry in watched.iter() {
        let writes = if entry.wants_write { PollFlags::OUT } else { PollFlags::empty() };
        fds.push(PollFd::from_borrowed_fd(entry.socket.as_fd(), PollFlags::IN | writes));
    }
    // An interrupted wait is a short one.
    let _ = poll(&mut fds, timeout.as_ref());
    let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
    if !ready[0].is_empty() {
        let mut count = [0; 8];
        let _ = rustix::io::read(&shared.wake, &mut count);
        shared.woken.store(false, Ordering::SeqCst);
    }
    for (entry, flags) in watched.iter_mut().zip(&ready[1..]) {
        entry.readable = flags.intersects(PollFlags::IN | PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        entry.writable = flags.contains(PollFlags::OUT);
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}
