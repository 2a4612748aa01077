"""An agent on the unmodified PyPI package varta: agent.py PATH SECONDS steady|fork|panic|reconnect."""

import json
import os
import sys
import time

from varta import Status, Varta
from varta.panic import install_excepthook_uds

path, seconds, mode = sys.argv[1], float(sys.argv[2]), sys.argv[3]
if mode == "panic":
    install_excepthook_uds(path)
agent = Varta.connect(path)
if mode == "reconnect":
    agent.set_reconnect_after(2)
who = "agent"
if mode == "fork":
    agent.beat(Status.OK, 0)
    if os.fork() == 0:
        who = "child"
counts = {"sent": 0, "dropped": 0, "failed": 0}
last = ""


def report():
    line = json.dumps({"who": who, "pid": os.getpid(), **counts, "last": last}) + "\n"
    # One write: print makes two where Python is unbuffered, and the child's may come between them.
    os.write(sys.stdout.fileno(), line.encode())


end = time.monotonic() + seconds
while time.monotonic() < end:
    outcome = agent.beat(Status.OK, 7)
    if outcome.is_sent:
        counts["sent"] += 1
    elif outcome.is_dropped:
        counts["dropped"] += 1
        last = outcome.reason.name
    else:
        counts["failed"] += 1
    if mode == "panic" and counts["sent"] == 5:
        report()
        raise RuntimeError("as asked")
    time.sleep(0.2)
report()
