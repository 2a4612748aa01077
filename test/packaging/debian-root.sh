#!/usr/bin/env bash
# Tries the packages in a clean Debian root: install, carry a datagram, upgrade under running programs, roll back, remove, purge, and the
# tarball's own `adit service install`. Needs root, debootstrap, dpkg-deb and a checkout with `npm ci` done; takes four minutes.
# The mirror is the one that this machine's apt uses. ADIT_DEBIAN_ROOT names a root that debootstrap made before, which saves the better part of two.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo 'debian-root: needs root, for debootstrap and chroot' >&2; exit 1; }
for tool in debootstrap dpkg-deb unshare ip; do
  command -v "$tool" >/dev/null || { echo "debian-root: needs $tool" >&2; exit 1; }
done
# The part that mounts runs in a namespace of its own, which takes its mounts along. The folder is removed after it, and never across a mount.
if [ -z "${ADIT_PACKAGE_WORK:-}" ]; then
  work=$(mktemp -d "${TMPDIR:-/tmp}/adit-debian.XXXXXX")
  status=0
  ADIT_PACKAGE_WORK=$work unshare --mount --propagation private "$0" "$@" || status=$?
  if [ "$status" != 0 ] && [ -e "$work/log" ]; then echo 'debian-root: failed; the last lines of its log:' >&2; tail -n 30 "$work/log" >&2; fi
  rm -rf --one-file-system "$work"
  exit "$status"
fi

work=$ADIT_PACKAGE_WORK
root=$work/root
log=$work/log
end_programs() { for pid in $(cat "$work"/*.pid 2>/dev/null); do kill "$pid" 2>/dev/null || true; done; }
trap end_programs EXIT

step() { echo "== $1"; }
fail() { echo "debian-root: $1" >&2; exit 1; }
equal() { [ "$1" = "$2" ] || fail "$3: expected '$2', got '$1'"; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }

step 'two versions of the package'
version=$(node -p 'JSON.parse(fs.readFileSync("package.json")).version')
next=999.0.0
make_package() { node --disable-warning=ExperimentalWarning tools/package.ts --out "$work/dist" "$@" >>"$log" 2>&1; }
make_package
make_package --as "$next" --only deb
(cd "$work/dist" && sha256sum --quiet -c "adit-$version.sha256")

step 'a clean Debian'
if [ -n "${ADIT_DEBIAN_ROOT:-}" ]; then
  cp -a "$ADIT_DEBIAN_ROOT" "$root"
else
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >>"$log" 2>&1
fi
mount --bind /proc "$root/proc"
cp "$work"/dist/*.deb "$root/root/"

step 'install'
inside dpkg -i "/root/adit_${version}_amd64.deb" >>"$log" 2>&1
equal "$(inside adit version)" "$version" 'adit version'
equal "$(inside stat -c %U:%a /etc/adit/relay/)" adit:700 'the folder of the relay'
for unit in relay edge manager observer; do
  grep -q '^ExecStart=/opt/adit/current/bin/adit ' "$root/lib/systemd/system/adit-$unit.service" || fail "no unit for $unit"
done
inside sh -c 'cd /root && adit keygen --protocol udp --name camera-1 --relay 127.0.0.1:4433 --pin \
  --listen 127.0.0.1:5000 --forward 127.0.0.1:5001 --out site' >>"$log"
place() { # file folder-of-program
  inside sh -c "cp /root/site/$1 /etc/adit/$2/config.json && chown adit:adit /etc/adit/$2/config.json"
}
place relay.json relay
inside cp -r /root/site/certs /etc/adit/relay/
inside chown -R adit:adit /etc/adit/relay/certs
place edge-egress.json edge
inside install -d -o adit -g adit -m 700 /var/lib/adit-edge-2
inside install -o adit -g adit -m 600 /root/site/edge-ingress.json /var/lib/adit-edge-2/config.json
# Two edges on one machine: each needs an API address of its own.
inside sed -i 's/"api_addr": *"[^"]*"/"api_addr": "127.0.0.1:4482"/' /var/lib/adit-edge-2/config.json

# start NAME PROGRAM CONFIG: as systemd would, as the user adit; all share one network without a way out.
unshare --net sleep 600 & network=$!
echo "$network" >"$work/network.pid"
sleep 0.3
nsenter --net="/proc/$network/ns/net" ip link set lo up
connected() { nsenter --net="/proc/$network/ns/net" "$@"; }
start() {
  nsenter --net="/proc/$network/ns/net" chroot --userspec=adit:adit "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/nonexistent \
    /opt/adit/current/bin/adit "$2" -c "$3" >>"$work/$1.log" 2>&1 &
  echo $! >"$work/$1.pid"
  for attempt in $(seq 100); do
    grep -q "$2 started" "$work/$1.log" && return
    [ "$attempt" -lt 100 ] || { cat "$work/$1.log" >>"$log"; fail "$1 did not start"; }
    sleep 0.1
  done
}
stop() { kill -TERM "$(cat "$work/$1.pid")"; wait "$(cat "$work/$1.pid")" || fail "$1 ended with an error"; rm "$work/$1.pid" "$work/$1.log"; }
start_all() {
  start relay relay /etc/adit/relay/config.json
  start egress edge /etc/adit/edge/config.json
  start ingress edge /var/lib/adit-edge-2/config.json
}
# One datagram from end to end, by a program that the package brings.
carries() {
  connected chroot "$root" /opt/adit/current/node_modules/.bin/node -e '
    const { createSocket } = require("node:dgram");
    const [camera, decoder] = [createSocket("udp4"), createSocket("udp4")];
    decoder.bind(5001, "127.0.0.1");
    decoder.on("message", (text) => process.exit(text.toString() === "a frame" ? 0 : 1));
    setInterval(() => camera.send("a frame", 5000, "127.0.0.1"), 100);
    setTimeout(() => process.exit(1), 15000);
  ' || fail "$1: no datagram came through"
}
version_of() { readlink "/proc/$(cat "$work/$1.pid")/exe" | sed -E 's#.*/versions/([^/]*)/.*#\1#; / \(deleted\)/d'; }
engine() { grep -o '"engine":"[a-z]*"' "$work/relay.log" | head -n 1; }

step 'a relay and two edges carry a datagram, as the user adit'
start_all
carries 'after the install'
equal "$(engine)" '"engine":"native"' 'the engine'
equal "$(version_of relay)" "$version" 'the relay'

step 'an upgrade leaves what runs as it is'
inside dpkg -i "/root/adit_${next}_amd64.deb" >>"$log" 2>&1
equal "$(inside adit version)" "$next" 'adit version after the upgrade'
equal "$(version_of relay)" "$version" 'the relay that runs'
carries 'under an upgrade'
# What a program loads only when it is asked is there still.
connected chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin adit diag --config /etc/adit/relay/config.json --out /root/diag.tar.gz >>"$log"
inside adit service versions | grep -q "^$version previous running$" || fail 'the running version is not listed as such'

step 'a restart takes the new version'
for name in relay egress ingress; do stop "$name"; done
start_all
equal "$(version_of relay)" "$next" 'the relay after its restart'
carries 'after the upgrade'

step 'a roll-back'
inside adit service rollback >>"$log"
equal "$(inside adit version)" "$version" 'adit version after the roll-back'
for name in relay egress ingress; do stop "$name"; done
start_all
equal "$(version_of relay)" "$version" 'the relay after the roll-back'
carries 'after the roll-back'
for name in relay egress ingress; do stop "$name"; done

step 'a removal keeps the configs, a purge nothing'
inside dpkg -r adit >>"$log" 2>&1
[ ! -e "$root/opt/adit" ] || fail '/opt/adit is there after the removal'
[ -e "$root/var/lib/adit-relay/config.json" ] || fail 'the removal took the config along'
inside dpkg -P adit >>"$log" 2>&1
for path in etc/adit var/lib/adit-relay var/lib/adit-edge usr/bin/adit lib/systemd/system/adit-relay.service; do
  [ ! -e "$root/$path" ] || fail "/$path is there after the purge"
done
! inside getent passwd adit >>"$log" || fail 'the user is there after the purge'

step 'the tarball installs itself'
tar -xzf "$work/dist/adit-$version-linux-x64.tar.gz" -C "$root/root"
inside "/root/adit-$version/bin/adit" service install relay --config /root/site/relay.json >>"$log"
equal "$(inside adit version)" "$version" 'adit version of the tarball'
equal "$(inside stat -c %U:%a /etc/adit/relay/certs/self-signed.key)" adit:600 'the key of the relay'
start relay relay /etc/adit/relay/config.json
equal "$(version_of relay)" "$version" 'the relay of the tarball'
stop relay
inside adit service uninstall relay >>"$log"
[ ! -e "$root/etc/systemd/system/adit-relay.service" ] || fail 'the unit is there after service uninstall'
[ -e "$root/var/lib/adit-relay/config.json" ] || fail 'service uninstall took the config along'

echo 'the package installs, upgrades under running programs, rolls back and goes'
