# Sourced by quinn-*.sh: a temporary folder with quinn-proto 0.11.19 and, as `pair.rs`, two ends of it in virtual time. Run by
# `run_rust`, which reads main.rs. Needs cargo and a C compiler.
set -euo pipefail
library=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cp "$library/quinn_pair.rs" "$folder/src/pair.rs"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
bytes = "=1.12.1"
quinn-proto = { version = "=0.11.19", default-features = false, features = ["rustls-ring"] }
rcgen = { version = "=0.14.10", default-features = false, features = ["ring", "pem"] }
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std"] }
TOML
run_rust() {
  cat >"$folder/src/main.rs"
  echo "quinn-proto 0.11.19"
  (cd "$folder" && cargo run --quiet)
}
