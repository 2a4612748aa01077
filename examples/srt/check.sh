#!/usr/bin/env bash
# check.sh EGRESS_PORT DEST_PORT SECONDS
# TS (CBR 5 Mbit/s) → SRT caller → 127.0.0.1:EGRESS_PORT ⇒ [tunnel] ⇒ 127.0.0.1:DEST_PORT = SRT listener → file → continuity check.
# EGRESS_PORT = DEST_PORT: no tunnel (reference). LATENCY (ms, default 200) is SRT's; KEEP=dir keeps the files there.
# Exit 0: received byte for byte (but for the null trailer), no continuity errors, decodes clean. 1: damage. 2: could not run / never connected.
set -u
[ $# = 3 ] || { echo "usage: $0 EGRESS_PORT DEST_PORT SECONDS" >&2; exit 2; }
egress=$1 dest=$2 secs=$3 latency=${LATENCY:-200} rate=5000000
here=$(cd "$(dirname "$0")" && pwd)
dir=${KEEP:-$(mktemp -d /tmp/srt-check.XXXXXX)}; mkdir -p "$dir"
rx='' tx=''
cleanup() { for p in $rx $tx; do kill "$p" 2>/dev/null; done; [ -n "${KEEP:-}" ] || rm -rf "$dir"; }
trap cleanup EXIT
ffmpeg -hide_banner -loglevel error -y -f lavfi -i testsrc=size=1280x720:rate=25 -f lavfi -i sine=frequency=1000:sample_rate=48000 -t "$secs" \
  -c:v mpeg2video -b:v 4400k -minrate 4400k -maxrate 4400k -bufsize 1800k -g 25 -c:a mp2 -b:a 192k \
  -f mpegts -muxrate $rate -pcr_period 20 "$dir/sent.ts" || exit 2
# A trailer of 70 SRT chunks (0.15 s) of null packets, after filling the last chunk: srt-live-transmit never sends a partial chunk and
# keeps the last few whole ones (seen: 1-6, 42 TS packets) for itself when its input ends; that must not look like loss.
trailer=$((70 * 1316))
python3 - "$dir/sent.ts" $trailer <<'P'
import sys
with open(sys.argv[1], "ab") as f: f.write((b"\x47\x1f\xff\x10" + b"\xff" * 184) * (-(f.tell() // 188) % 7 + int(sys.argv[2]) // 188))
P
guard=$((secs + 20))
# One listener, one connection: -a:no makes both ends exit when the other closes.
timeout $guard srt-live-transmit -q -a:no -buffering:1 -chunk:1316 -s:100 -f -pf:csv -statsout:"$dir/rx.csv" \
  "srt://127.0.0.1:$dest?mode=listener&latency=$latency&transtype=live" file://con >"$dir/got.ts" 2>"$dir/rx.log" & rx=$!
for _ in $(seq 50); do ss -Hlun "sport = :$dest" | grep -q . && break; sleep 0.1; done
ss -Hlun "sport = :$dest" | grep -q . || { echo "listener did not bind $dest:"; cat "$dir/rx.log"; exit 2; }
rm -f "$dir/ts.fifo"; mkfifo "$dir/ts.fifo" || exit 2
timeout $guard srt-live-transmit -a:no -buffering:1 -chunk:1316 -s:100 -f -pf:csv -statsout:"$dir/tx.csv" \
  file://con "srt://127.0.0.1:$egress?mode=caller&latency=$latency&transtype=live&conntimeo=8000" <"$dir/ts.fifo" >"$dir/tx.log" 2>&1 & tx=$!
exec 7>"$dir/ts.fifo"
# The caller throws its input away until it is connected, so nothing is sent before.
for _ in $(seq 100); do grep -q 'target connected' "$dir/tx.log" && break; kill -0 $tx 2>/dev/null || break; sleep 0.1; done
if ! grep -q 'target connected' "$dir/tx.log"; then echo "FAIL no SRT connection through 127.0.0.1:$egress"; cat "$dir/tx.log" "$dir/rx.log"; exit 2; fi
timeout $guard python3 "$here/ts.py" pace "$dir/sent.ts" $rate >&7 2>"$dir/pace.log" || true # its log says why, and the count below judges
exec 7>&-
sleep $((latency / 1000 + 2)) # SRT's buffers empty
# srt-live-transmit does not end at the end of its input: it must be told; its SHUTDOWN then ends the listener.
kill "$tx" 2>/dev/null; wait "$tx"; txrc=$?
for _ in $(seq 60); do kill -0 "$rx" 2>/dev/null || break; sleep 0.1; done
if kill -0 "$rx" 2>/dev/null; then echo "listener saw no SRT shutdown within 6 s" >&2; kill "$rx"; fi
wait "$rx" 2>/dev/null
cat "$dir/pace.log" "$dir/tx.log"; head -5 "$dir/rx.log"
[ -s "$dir/got.ts" ] || { echo "FAIL nothing received (caller exit $txrc)"; exit 2; }
# last line of SRT's own totals: a repaired loss (pktRetrans) is not damage, a late one (RcvDrop/SndDrop) is
python3 - "$dir" <<'P'
import csv, sys
for side, cols in (("tx", ["pktSent", "pktSndLoss", "pktRetrans", "pktSndDrop", "msRTT"]), ("rx", ["pktRecv", "pktRcvLoss", "pktRcvDrop", "pktRcvBelated", "msRTT"])):
    try: rows = list(csv.DictReader(open(f"{sys.argv[1]}/{side}.csv")))
    except FileNotFoundError: rows = []
    print(f"srt {side}:", {c: rows[-1].get(c, "?") for c in cols} if rows else "no stats")
P
python3 "$here/ts.py" count "$dir/sent.ts" "$dir/got.ts" $trailer; rc=$?
ffmpeg -hide_banner -nostats -v warning -i "$dir/got.ts" -map 0 -f null - 2>"$dir/decode.log"
decode=$(grep -ciE 'continuity|corrupt|invalid|error' "$dir/decode.log")
echo "ffmpeg decode complaints: $decode"; [ "$decode" = 0 ] || { head -5 "$dir/decode.log"; rc=1; }
[ $rc = 0 ] && echo PASS || echo FAIL
exit $rc
