#!/usr/bin/env python3
"""pace FILE BITRATE LINGER: writes FILE to stdout at BITRATE bit/s in SRT-sized chunks, closes stdout and waits LINGER s (drains SRT's latency buffer).
count SENT RECEIVED TRAILER: continuity check of RECEIVED (ISO 13818-1 2.4.3.3), comparison with SENT, of whose last TRAILER bytes (null packets) the tail may
be missing; exit 1 unless whole.
lossy LISTEN DEST PERCENT: a UDP relay that loses PERCENT of packets both ways, after the first 20, so that SRT connects
(negative control for the check)."""
import collections, json, os, random, select, socket, sys, time

def pace(path, rate):
    rate = float(rate)
    data = open(path, "rb").read()
    start, sent, slips = None, 0, 0
    out = sys.stdout.fileno()
    for i in range(0, len(data), 1316):
        chunk = data[i:i + 1316]
        now = time.monotonic()
        if start is None: start = now
        due = start + sent * 8 / rate
        if now < due: time.sleep(due - now)
        elif now - due > 0.1: start += now - due; slips += 1   # blocked (not connected yet, or starved): do not catch up in a burst
        while chunk:
            try: n = os.write(out, chunk)
            except BrokenPipeError: sys.exit(f"pacer: the SRT caller went away after {sent} bytes (not connected, or connection broken)")
            sent += n; chunk = chunk[n:]
    print(f"pacer: {sent} bytes, {sent*8/(time.monotonic()-start)/1e6:.2f} Mbit/s, schedule slips {slips}", file=sys.stderr)

def count(sent_path, got_path, trailer):
    sent, got = open(sent_path, "rb").read(), open(got_path, "rb").read()
    last, seen_dup = {}, set()
    errs, pids = collections.Counter(), collections.Counter()
    sync = tei = 0
    for i in range(0, len(got) - 187, 188):
        p = got[i:i + 188]
        if p[0] != 0x47: sync += 1; continue
        if p[1] & 0x80: tei += 1
        pid = (p[1] & 0x1f) << 8 | p[2]
        pids[pid] += 1
        if pid == 0x1fff: continue
        afc, cc = p[3] >> 4 & 3, p[3] & 15
        disc = afc & 2 and p[4] > 0 and p[5] & 0x80
        if pid in last and not disc:
            if not afc & 1: bad = cc != last[pid]
            elif cc == last[pid]: bad = pid in seen_dup; seen_dup.add(pid)     # one duplicate is legal
            else: bad = cc != (last[pid] + 1) & 15; seen_dup.discard(pid)
            if bad: errs[pid] += 1
        else: seen_dup.discard(pid)
        last[pid] = cc
    r = dict(sent_packets=len(sent) // 188, received_packets=len(got) // 188, trailing_bytes=len(got) % 188, continuity_errors=sum(errs.values()),
             sync_errors=sync, transport_errors=tei, identical=sent.startswith(got) and len(got) >= len(sent) - int(trailer), missing_packets=(len(sent) - len(got)) // 188,
             pids={f"0x{k:x}": {"packets": n, "cc_errors": errs[k]} for k, n in sorted(pids.items())})
    print(json.dumps(r))
    sys.exit(0 if r["identical"] and r["continuity_errors"] == 0 and sync == 0 else 1)

def lossy(listen, dest, percent):
    a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(("127.0.0.1", int(listen)))
    b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b.connect(("127.0.0.1", int(dest)))
    rnd, peer, p, seen = random.Random(7), None, float(percent) / 100, 0
    while True:
        for s in select.select([a, b], [], [])[0]:
            try:
                if s is a: d, peer = a.recvfrom(65536)
                else: d = b.recv(65536)
                seen += 1
                if seen > 20 and rnd.random() < p: continue
                if s is a: b.send(d)
                elif peer: a.sendto(d, peer)
            except ConnectionRefusedError: pass

{"pace": pace, "count": count, "lossy": lossy}[sys.argv[1]](*sys.argv[2:])
