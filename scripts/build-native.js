// Builds native/ for this machine and puts the library where src/quic/quinn/addon.ts looks first. With `--release`: what the
// repository ships (prebuilt.js).
import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';
import { prebuilt } from './prebuilt.js';

const crate = fileURLToPath(new URL('../native', import.meta.url));
const libraryNames = { linux: 'libadit_native.so', darwin: 'libadit_native.dylib' };

function fail(reason) {
  console.error(`build:native: ${reason}`);
  process.exit(1);
}

function buildForHere() {
  const libraryName = libraryNames[process.platform] ?? fail(`the native engine is not made for ${process.platform}`);
  const version = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
  if (version.error !== undefined) {
    fail(
      'cargo is missing: install Rust 1.88 or newer (https://rustup.rs, or the package rustc with cargo) and a C compiler. ' +
        'Without it everything works on the portable engine.',
    );
  }

  const metadata = spawnSync('cargo', ['metadata', '--format-version=1', '--no-deps', '--locked'], {
    cwd: crate,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (metadata.status !== 0) fail('cargo metadata failed, see above');
  const { target_directory: target } = JSON.parse(metadata.stdout);

  const build = spawnSync('cargo', ['build', '--release', '--locked'], { cwd: crate, stdio: 'inherit' });
  if (build.status !== 0) {
    fail(`cargo build failed, see above (${version.stdout.trim()}; ring needs a C compiler such as gcc or clang)`);
  }

  // Renamed into place: a process that has the old file mapped keeps it.
  const addon = join(crate, 'adit-native.node');
  copyFileSync(join(target, 'release', libraryName), `${addon}.new`);
  renameSync(`${addon}.new`, addon);
  console.log(`built ${addon}`);
}

const given = process.argv.slice(2);
if (given.includes('--release')) prebuilt(given);
else if (given.length === 0) buildForHere();
else fail(`${JSON.stringify(given[0])} is not understood; give nothing, or --release`);
