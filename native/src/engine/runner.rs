//! The engine's thread: waits for sockets, deadlines and calls, and turns the core.

use std::{
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use rustix::{
    buffer::spare_capacity,
    event::{
        EventfdFlags, Timespec,
        epoll::{self, EventData, EventFlags},
        eventfd,
    },
    io::Errno,
};

use super::{Core, LOCAL_KEY, SharedSocket, guard::panic_message, receive::ReceiveBuffer};

pub struct Shared {
    core: Mutex<Core>,
    wake: OwnedFd,
    /// The eventfd is written and the loop has not turned since: more writes would change nothing.
    woken: AtomicBool,
    /// JavaScript is answering a batch of events: one wake-up at its end does for all its calls, and their frames share
    /// packets.
    corked: AtomicBool,
    /// A call in that time left something to do.
    wanted: AtomicBool,
    stop: AtomicBool,
    poller: Arc<OwnedFd>,
}

impl Shared {
    pub fn new() -> Result<Arc<Self>, Errno> {
        let wake = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let poller = Arc::new(epoll::create(epoll::CreateFlags::CLOEXEC)?);
        epoll::add(&poller, &wake, EventData::new_u64(WAKE), EventFlags::IN)?;
        let mut core = Core::new();
        core.locals.set_poller(poller.clone());
        Ok(Arc::new(Self {
            core: Mutex::new(core),
            wake,
            woken: AtomicBool::new(false),
            corked: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            poller,
        }))
    }

    pub fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock()
    }

    /// After a call that left something to do.
    pub fn wake(&self) {
        if self.corked.load(Ordering::Relaxed) {
            self.wanted.store(true, Ordering::Relaxed);
        } else if !self.woken.swap(true, Ordering::SeqCst) {
            // Fails only when the counter is full, and then the loop is awake.
            let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        }
    }

    /// As `wake` and `uncork`, called on JavaScript's thread only. Turns for other reasons go on meanwhile, and carry
    /// out what was called.
    pub fn cork(&self) {
        self.corked.store(true, Ordering::Relaxed);
    }

    pub fn uncork(&self) {
        self.corked.store(false, Ordering::Relaxed);
        if self.wanted.swap(false, Ordering::Relaxed) {
            self.wake();
        }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.corked.store(false, Ordering::Relaxed);
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

/// The key of the eventfd. Sockets of QUIC have their place in the list, local ones `LOCAL_KEY` and their id.
const WAKE: u64 = u64::MAX;
const EVENTS: usize = 64;

/// What the last wait found.
struct Found {
    ready: Vec<epoll::Event>,
    watched: Vec<Watched>,
    /// Local sockets by their id.
    locals: Vec<(u64, EventFlags)>,
}

/// Runs until `Shared::stop`, or until the kernel refuses to poll. `notify` wakes JavaScript when events wait; it is
/// called outside the lock.
pub fn run(shared: &Shared, notify: impl Fn()) {
    if let Err(error) = turn_until_stopped(shared, &notify) {
        let reason = format!("the native engine cannot wait for its sockets: {error}");
        let mut core = shared.core.lock();
        core.fail(&reason);
        core.broken = Some(reason);
        drop(core);
        notify();
    }
}

fn turn_until_stopped(shared: &Shared, notify: impl Fn()) -> Result<(), Errno> {
    let mut found = Found { ready: Vec::with_capacity(EVENTS), watched: Vec::new(), locals: Vec::new() };
    let mut buffer = ReceiveBuffer::new();
    loop {
        // Read before the turn: what was asked for before `stop` still leaves.
        let last = shared.stop.load(Ordering::SeqCst);
        let mut core = shared.core.lock();
        let turned = catch_unwind(AssertUnwindSafe(|| turn(&mut core, &mut found, &mut buffer)));
        let wake = turned.unwrap_or_else(|panic| {
            // Connections are guarded on their own; what panicked here has no owner to blame, so everything ends,
            // loudly.
            core.fail(&format!("the native engine failed: {}", panic_message(&*panic)));
            None
        });
        watch(&shared.poller, &mut core, &mut found.watched)?;
        let announce = core.announce();
        // A waiting call from JavaScript gets the lock before the next turn can take it again.
        MutexGuard::unlock_fair(core);
        if announce {
            notify();
        }
        if last {
            return Ok(());
        }
        wait(shared, &mut found, wake)?;
    }
}

/// Follows the set of sockets and which of them have unsent packets. The list is short: one socket per listener, one or
/// two for all that is dialled.
fn watch(poller: &OwnedFd, core: &mut Core, watched: &mut Vec<Watched>) -> Result<(), Errno> {
    if std::mem::take(&mut core.sockets_changed) {
        for entry in watched.drain(..) {
            epoll::delete(poller, &*entry.socket)?;
        }
        for (key, (endpoint, entry)) in core.endpoints.iter().enumerate() {
            let socket = entry.socket.clone();
            epoll::add(poller, &*socket, EventData::new_u64(key as u64), interest(false))?;
            watched.push(Watched { endpoint, socket, wants_write: false, readable: false, writable: false });
        }
    }
    for (key, entry) in watched.iter_mut().enumerate() {
        let wants_write = core.endpoints.get(entry.endpoint).is_some_and(|endpoint| !endpoint.unsent.is_empty());
        if wants_write != entry.wants_write {
            entry.wants_write = wants_write;
            epoll::modify(poller, &*entry.socket, EventData::new_u64(key as u64), interest(wants_write))?;
        }
    }
    Ok(())
}

fn interest(wants_write: bool) -> EventFlags {
    if wants_write { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN }
}

fn turn(core: &mut Core, found: &mut Found, buffer: &mut ReceiveBuffer) -> Option<Instant> {
    let now = Instant::now();
    for (id, flags) in found.locals.drain(..) {
        core.locals.note_ready(id, flags);
    }
    for entry in &mut found.watched {
        if std::mem::take(&mut entry.readable) {
            core.receive(entry.endpoint, buffer, now);
        }
        if std::mem::take(&mut entry.writable) {
            core.resume(entry.endpoint);
        }
    }
    core.turn(now, Instant::now);
    let wake = core.next_wake(now);
    Some(core.longest_wait(wake, now))
}

/// Waits for the sockets, a call or the time, which is rounded up to a millisecond: quinn's pacing lets go of bursts of
/// several.
fn wait(shared: &Shared, found: &mut Found, until: Option<Instant>) -> Result<(), Errno> {
    found.ready.clear();
    loop {
        let timeout = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
        match epoll::wait(&shared.poller, spare_capacity(&mut found.ready), timeout.as_ref()) {
            Ok(_) => break,
            // A stopped process that goes on gets this (signal(7)). A turn now would find no socket readable, and the
            // next one would take what came meanwhile for fresh.
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    for event in &found.ready {
        let key = event.data.u64();
        if key == WAKE {
            let mut count = [0; 8];
            // An error is no matter: what woke the loop is in `core`.
            let _ = rustix::io::read(&shared.wake, &mut count);
            shared.woken.store(false, Ordering::SeqCst);
        } else if key & LOCAL_KEY != 0 {
            found.locals.push((key & !LOCAL_KEY, event.flags));
        } else if let Some(entry) = usize::try_from(key).ok().and_then(|key| found.watched.get_mut(key)) {
            let flags = event.flags;
            entry.readable = flags.intersects(EventFlags::IN | EventFlags::ERR | EventFlags::HUP);
            entry.writable = flags.contains(EventFlags::OUT);
        }
    }
    Ok(())
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}
