// Builds the engine that the repository ships in native/npm, one folder for each platform, the same byte for byte on
// every machine: Rust as rust-toolchain.toml pins it, zig as C compiler and linker, crates by Cargo.lock, paths mapped away.
// https://napi.rs/docs/deep-dive/release describes the layout.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const crate = join(root, 'native');
const shipped = join(crate, 'npm');
const digestFile = join(shipped, 'digests.json');
const target = join(crate, 'target', 'prebuilt');

/** PyPI and crates.io carry these; a newer one makes other bytes. */
const zigVersion = '0.17.1';
const zigbuildVersion = '0.24.1';

/** glibc 2.28 is the oldest that Node 24 runs on. */
const targets = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu.2.28',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu.2.28',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
};

/** What the bytes of the library depend on: Rust sources, the lock, the toolchain, and this recipe. */
const ingredients = [
  ...[
    'native/src',
    'native/vendor',
    'native/build.rs',
    'native/boundary.txt',
    'native/Cargo.toml',
    'native/Cargo.lock',
  ],
  ...['rust-toolchain.toml', 'scripts/prebuilt.js'],
];

function fail(reason) {
  console.error(`build:native --release: ${reason}`);
  process.exit(1);
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (done.error !== undefined) fail(`${command} is missing: ${done.error.message}`);
  if (done.status !== 0) fail(`${command} ${args.join(' ')} failed, see above`);
}

function output(command, args) {
  const done = spawnSync(command, args, { cwd: crate, encoding: 'utf8' });
  if (done.status !== 0) fail(`${command} ${args.join(' ')} failed: ${done.stderr ?? done.error}`);
  return done.stdout.trim();
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function filesBelow(path) {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Tests of the crate do not reach the library, but leaving them out would need a list to be kept up to date. */
function sourcesDigest() {
  const files = ingredients.flatMap((entry) => {
    const path = join(root, entry);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
  const lines = files.map((file) => `${relative(root, file)} ${sha256(readFileSync(file))}`);
  return sha256(lines.sort().join('\n'));
}

/** Both come from their registries into the target folder: nothing of the machine's own C compiler gets in. */
function buildTools() {
  const tools = join(target, 'tools');
  const python = join(tools, `zig-${zigVersion}`);
  if (!existsSync(join(python, 'bin', 'python-zig'))) {
    run('python3', ['-m', 'venv', python]);
    run(join(python, 'bin', 'pip'), ['install', '--quiet', `ziglang==${zigVersion}`]);
  }
  const cargo = join(tools, `zigbuild-${zigbuildVersion}`);
  if (!existsSync(join(cargo, 'bin', 'cargo-zigbuild'))) {
    run('cargo', ['install', 'cargo-zigbuild', '--version', zigbuildVersion, '--locked', '--root', cargo]);
  }
  return [join(cargo, 'bin'), join(python, 'bin')];
}

/** Where crates, sources and the toolchain lie differs between machines, and panic messages name it. */
function pathRemapping() {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  const registries = join(cargoHome, 'registry', 'src');
  const crates = existsSync(registries) ? readdirSync(registries).map((name) => join(registries, name)) : [];
  const mapped = [
    ...crates.map((path) => [path, '/crates']),
    [crate, '/adit/native'],
    [output('rustc', ['--print', 'sysroot']), '/rust'],
  ];
  return {
    rust: mapped.map(([from, to]) => `--remap-path-prefix=${from}=${to}`),
    c: mapped.map(([from, to]) => `-ffile-prefix-map=${from}=${to}`),
  };
}

function build(platform) {
  const triple = targets[platform] ?? fail(`unknown platform ${platform}: one of ${Object.keys(targets).join(', ')}`);
  const rustTarget = triple.replace(/\.\d[\d.]*$/u, '');
  run('rustup', ['target', 'add', rustTarget], { cwd: crate });
  // Paths of crates are known once they are there.
  run('cargo', ['fetch', '--locked', '--target', rustTarget], { cwd: crate });
  const paths = pathRemapping();
  const musl = rustTarget.endsWith('musl') ? ['-Ctarget-feature=-crt-static'] : [];
  run('cargo', ['zigbuild', '--release', '--locked', '--lib', '--target', triple, '--target-dir', target], {
    cwd: crate,
    env: {
      ...process.env,
      PATH: [...buildTools(), process.env.PATH].join(':'),
      CARGO_ENCODED_RUSTFLAGS: [...paths.rust, ...musl].join('\u001f'),
      CARGO_PROFILE_RELEASE_STRIP: 'symbols',
      CFLAGS: paths.c.join(' '),
      SOURCE_DATE_EPOCH: '0',
    },
  });
  return join(target, rustTarget, 'release', 'libadit_native.so');
}

function readDigests() {
  return existsSync(digestFile) ? JSON.parse(readFileSync(digestFile, 'utf8')) : { sources: '', libraries: {} };
}

/** Shipped bytes are what the digests say, and the sources are those they were built from. */
function checkDigests(sources) {
  const { sources: builtFrom, libraries } = readDigests();
  const wrong = Object.entries(libraries).filter(([platform, digest]) => {
    const file = join(shipped, platform, 'adit-native.node');
    return !existsSync(file) || sha256(readFileSync(file)) !== digest;
  });
  if (wrong.length > 0)
    fail(`native/npm/digests.json does not fit the libraries of ${wrong.map(([name]) => name).join(', ')}`);
  if (builtFrom !== sources) {
    fail(
      'native/npm was built from other sources than these: run npm run build:native -- --release and commit the result',
    );
  }
}

function checkAgainstFreshBuild(platform) {
  const fresh = sha256(readFileSync(build(platform)));
  const wanted = readDigests().libraries[platform];
  if (fresh !== wanted)
    fail(`a fresh build for ${platform} has the digest ${fresh}, native/npm/digests.json says ${wanted}`);
  console.log(`${platform}: a fresh build is the same, byte for byte`);
}

/**
 * `--release` builds for every platform and writes native/npm; `--release --check [PLATFORM…]` builds again and compares,
 * with none named only the digests.
 */
export function prebuilt(args) {
  const check = args.includes('--check');
  const named = args.filter((arg) => !arg.startsWith('--'));
  const sources = sourcesDigest();
  if (check) {
    checkDigests(sources);
    for (const platform of named) checkAgainstFreshBuild(platform);
    console.log('native/npm fits these sources');
    return;
  }
  const libraries = {};
  for (const platform of Object.keys(targets)) {
    const folder = join(shipped, platform);
    mkdirSync(folder, { recursive: true });
    copyFileSync(build(platform), join(folder, 'adit-native.node'));
    libraries[platform] = sha256(readFileSync(join(folder, 'adit-native.node')));
    console.log(`built native/npm/${platform}/adit-native.node`);
  }
  writeFileSync(digestFile, `${JSON.stringify({ sources, libraries }, null, 2)}\n`);
}
