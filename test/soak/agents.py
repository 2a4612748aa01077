"""Agents for the observer's long run and its benchmark: COUNT processes that beat RATE times a second.

agents.py unix:PATH|udp:PORT COUNT RATE SECONDS   (RATE 0: without pause)

Each process has a pid of its own, as agents have. At its end it reports one line of JSON: beats sent, beats that the
kernel refused, and the longest time between two beats that it took, so that a Stall can be compared with the truth.
"""

import errno, json, os, random, resource, socket, struct, sys, time

TABLE = []
for byte in range(256):
    crc = byte
    for _ in range(8):
        crc = (crc >> 1) ^ 0x82F63B78 if crc & 1 else crc >> 1
    TABLE.append(crc)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def frame(pid, nonce):
    head = struct.pack("<2sBBIQQI", b"VA", 2, 0, pid, 1, nonce, 0)
    return head + struct.pack("<I", crc32c(head))


def dial(target):
    kind, place = target.split(":", 1)
    if kind == "udp":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", int(place)))
    else:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.connect(place)
    # An agent that floods waits for room; one that beats now and then drops the beat.
    return sock


def agent(target, rate, seconds, report):
    random.seed(os.getpid())
    sock = dial(target)
    sock.setblocking(rate == 0)
    pid, nonce, sent, refused, longest = os.getpid(), 0, 0, 0, 0.0
    end = time.monotonic() + seconds
    due = time.monotonic() + (random.random() / rate if rate else 0)
    last = None
    while time.monotonic() < end:
        if rate:
            time.sleep(max(0, due - time.monotonic()))
            due = max(due + 1 / rate, time.monotonic())
        nonce += 1
        try:
            sock.send(frame(pid, nonce))
            now = time.monotonic()
            longest = max(longest, now - last) if last else longest
            last, sent = now, sent + 1
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNREFUSED, errno.ENOBUFS):
                raise
            refused += 1
    os.write(report, (json.dumps({"pid": pid, "sent": sent, "refused": refused, "longest_ms": round(longest * 1000)}) + "\n").encode())


def main():
    target, count, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            try:
                agent(target, rate, seconds, 1)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


main()
