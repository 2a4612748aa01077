#!/usr/bin/env bash
# Carries out the Dockerfile's steps where no container builder runs, and starts the result as its user on a read-only root.
# Each stage is an overlay over this machine's root, which stands in for the base images (its cargo, its npm; Node 24 from node_modules).
# Needs root, overlayfs, a checkout with `npm ci` done, and cargo. Everything happens in mount and network namespaces that end with it.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo 'dockerfile-steps: needs root, for mounts and chroot' >&2; exit 1; }
if [ "${ADIT_NAMESPACES:-}" != made ]; then ADIT_NAMESPACES=made exec unshare --mount --propagation private "$0" "$@"; fi

context=$(pwd)
work=$(mktemp -d /tmp/adit-dockerfile.XXXXXX)
trap 'umount -R "$work" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
mount -t tmpfs tmpfs "$work"

stage='' root='' workdir=/ user=root entrypoint='' cmd='' stages=0

begin_stage() { # name
  stage=$1 root=$work/$1/root workdir=/ user=root
  mkdir -p "$work/$1"/{upper,scratch,root}
  mount -t overlay overlay -o "lowerdir=/,upperdir=$work/$1/upper,workdir=$work/$1/scratch" "$root"
  for kernel in proc dev; do mount --rbind /$kernel "$root/$kernel"; done
  # The image's /tmp, without this script's own folder in it.
  mount -t tmpfs tmpfs "$root/tmp"
  # What the base images have and this machine may not: Node 24 first in the path, and a user `node`.
  cp -L "$context/node_modules/.bin/node" "$root/usr/local/bin/node"
  grep -q ^node: "$root/etc/passwd" || chroot "$root" useradd --create-home --shell /bin/sh node
}

in_stage() { # command…
  chroot --userspec="$user" "$root" /usr/bin/env -i HOME="$HOME" PATH="/usr/local/bin:$PATH" /bin/sh -c "cd '$workdir' && $*"
}

copy() { # [--from=stage] source… destination
  local from=$context
  if [[ $1 == --from=* ]]; then from=$work/${1#--from=}/root; shift; fi
  local target=${*: -1} sources=("${@:1:$#-1}")
  [[ $target == /* ]] || target=$workdir/$target
  for source in "${sources[@]}"; do
    # COPY of a directory copies what is in it.
    if [ -d "$from/$source" ]; then mkdir -p "$root$target"; cp -a "$from/$source/." "$root$target/"
    elif [[ $target == */ || $target == */. || $target == */./ ]]; then mkdir -p "$root$target"; cp -a "$from/$source" "$root$target/"
    else mkdir -p "$(dirname "$root$target")"; cp -a "$from/$source" "$root$target"; fi
  done
}

while read -r instruction arguments; do
  echo "  $instruction $arguments"
  case $instruction in
    FROM) stages=$((stages + 1)); begin_stage "$(sed -nE 's/.* AS (.*)/\1/p' <<<"$arguments" | grep . || echo "stage$stages")" ;;
    WORKDIR) workdir=$arguments; mkdir -p "$root$workdir" ;;
    COPY) copy $arguments ;;
    RUN) in_stage "$arguments" ;;
    USER) user=$arguments ;;
    ENTRYPOINT) entrypoint=$arguments ;;
    CMD) cmd=$arguments ;;
    VOLUME) volume=$arguments ;;
    EXPOSE | HEALTHCHECK) ;;
    *) echo "dockerfile-steps: does not know $instruction" >&2; exit 1 ;;
  esac
done < <(sed -e '/^#/d' -e '/^$/d' Dockerfile | sed -e ':a' -e '/\\$/N; s/\\\n *//; ta')

echo "the image adds $(du -sh --exclude=tmp "$work/$stage/upper" | cut -f1) to its base"
mkdir -p "$work/volume"
cp -a "$root$volume/." "$work/volume/"
chown "$(stat -c %u:%g "$root$volume")" "$work/volume"
mount --bind "$work/volume" "$root$volume"
# A read-only container has no writable /tmp either.
mount -o remount,ro "$root/tmp"
mount -o remount,ro,bind "$root"
mount -o remount,ro "$root"

argv=$(node -p 'JSON.parse(process.argv[1]).concat(JSON.parse(process.argv[2])).join(" ")' "$entrypoint" "$cmd")
health=$(sed -nE 's/^ *CMD (\["node".*)/\1/p' Dockerfile)
unshare --net /usr/bin/env user="$user" root="$root" argv="$argv" volume="$volume" health="$health" bash -euo pipefail -c '
  ip link set lo up
  as_user() { chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"; }
  ! as_user touch /opt/adit/written 2>/dev/null || { echo "the root is not read-only" >&2; exit 1; }
  as_user id -un
  as_user $argv & relay=$!
  mapfile -t check < <(as_user node -p "JSON.parse(process.argv[1]).join(\"\\n\")" "$health")
  for attempt in $(seq 100); do as_user "${check[@]}" && break; [ "$attempt" -lt 100 ] || exit 1; sleep 0.2; done
  as_user /opt/adit/bin/adit status
  kill -TERM "$(pgrep -P "$relay" || echo "$relay")"
  wait "$relay"
  as_user ls -l "$volume"
'
echo 'the Dockerfile'"'"'s steps made an image that runs as its user on a read-only root and is healthy'
