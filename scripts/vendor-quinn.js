// Writes native/vendor/quinn-proto: the crate of the version that is there, as crates.io has it, without its tests and with
// native/vendor/quinn-proto.patch. `--check` compares instead, and fails where a file differs.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const vendor = fileURLToPath(new URL('../native/vendor', import.meta.url));
const vendored = join(vendor, 'quinn-proto');
const patch = join(vendor, 'quinn-proto.patch');
/** What is taken of the crate. */
const parts = ['Cargo.toml', 'LICENSE-APACHE', 'LICENSE-MIT', 'src'];

function fail(reason) {
  console.error(`vendor-quinn: ${reason}`);
  process.exit(1);
}

function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (done.status !== 0) fail(`${command} ${args.join(' ')} failed: ${done.stderr || done.error}`);
  return done.stdout;
}

/** The folder of the crate as cargo unpacked it. */
function pristine(version, folder) {
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src', 'lib.rs'), '');
  const dependency = `quinn-proto = { version = "=${version}", default-features = false }`;
  const manifest = `[package]\nname = "asks"\nversion = "0.0.0"\nedition = "2021"\n\n[dependencies]\n${dependency}\n`;
  writeFileSync(join(folder, 'Cargo.toml'), manifest);
  const { packages } = JSON.parse(run('cargo', ['metadata', '--format-version=1'], folder));
  return dirname(packages.find(({ name }) => name === 'quinn-proto').manifest_path);
}

function files(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name))).sort();
}

function differences(made) {
  const names = new Set([...files(made), ...files(vendored)]);
  const read = (folder, name) => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return null;
    }
  };
  return [...names].filter((name) => read(made, name) !== read(vendored, name));
}

const given = process.argv.slice(2);
if (given.some((argument) => argument !== '--check'))
  fail(`${JSON.stringify(given[0])} is not understood; give nothing, or --check`);
const version = /^version = "(.*)"$/mu.exec(readFileSync(join(vendored, 'Cargo.toml'), 'utf8'))[1];
const folder = mkdtempSync(join(tmpdir(), 'vendor-quinn-'));
try {
  const source = pristine(version, folder);
  const made = join(folder, 'made');
  for (const part of parts) cpSync(join(source, part), join(made, part), { recursive: true });
  rmSync(join(made, 'src', 'tests'), { recursive: true });
  run('git', ['apply', patch], made);
  if (given.length === 0) {
    rmSync(vendored, { recursive: true });
    cpSync(made, vendored, { recursive: true });
    console.log(`wrote quinn-proto ${version} with its patch`);
  } else {
    const differing = differences(made);
    if (differing.length > 0) fail(`not quinn-proto ${version} with its patch: ${differing.join(', ')}`);
    console.log(`native/vendor/quinn-proto is quinn-proto ${version} with its patch`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
