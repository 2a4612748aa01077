# Sourced by quiche-*.sh: a temporary folder with @matrixai/quic 2.0.9 (quiche 0.18), a key pair and quiche-pair.mjs.
set -euo pipefail
library=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @matrixai/quic@2.0.9
cp "$library/quiche-pair.mjs" .
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=findings \
  -addext 'subjectAltName=DNS:findings.example,IP:127.0.0.1' -keyout key.pem -out cert.pem 2>/dev/null
echo "@matrixai/quic $(node -p "require('@matrixai/quic/package.json').version"), node $(node --version)"
