import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { SystemClock } from '../src/lib/clock.ts';
import { planRelease, type ReleaseFiles } from './release-plan.ts';

/**
 * `npm run release -- VERSION [--dry-run]`: checks everything, then commits and tags the version. Puts the sources, the
 * engine of this machine and their digests into `dist/`. It pushes nothing.
 */
const repository = join(import.meta.dirname, '..');
const [version = ''] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const dryRun = process.argv.includes('--dry-run');
const paths = ['package.json', 'package-lock.json', 'CHANGELOG.md'] as const;

const plan = planRelease({
  version,
  date: new Intl.DateTimeFormat('sv-SE', { timeZone: 'UTC' }).format(new SystemClock().now()),
  branch: git('branch', '--show-current').trim(),
  status: git('status', '--porcelain', '--untracked-files=no'),
  tags: git('tag').split('\n'),
  files: Object.fromEntries(paths.map((path) => [path, readFileSync(join(repository, path), 'utf8')])) as ReleaseFiles,
});

if (plan.kind === 'refused') {
  for (const problem of plan.problems) say(`release: ${problem}`);
  process.exitCode = 2;
} else if (dryRun) {
  say(`release: would run .ci/run, commit and tag v${version}, and write dist/. Its notes:\n\n${plan.notes}`);
} else {
  run('.ci/run');
  for (const path of paths) writeFileSync(join(repository, path), plan.files[path]);
  run('git', 'commit', '--quiet', '-m', `release: ${version}`, '--', ...paths);
  run('git', 'tag', '-a', `v${version}`, '-m', `Adit ${version}\n\n${plan.notes}`);
  writeArtefacts();
  say(`release: v${version} is tagged; dist/ has its files. Now push: git push origin main v${version}`);
}

function writeArtefacts(): void {
  const dist = join(repository, 'dist');
  mkdirSync(dist, { recursive: true });
  const sources = `adit-${version}.tar.gz`;
  run('git', 'archive', `--prefix=adit-${version}/`, '-o', join(dist, sources), `v${version}`);
  const names = [sources];
  const engine = join(repository, 'native/adit-native.node');
  if (existsSync(engine)) {
    const name = `adit-native-${version}-${process.platform}-${process.arch}.node`;
    copyFileSync(engine, join(dist, name));
    names.push(name);
  }
  const digest = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(dist, name)))
      .digest('hex');
  writeFileSync(join(dist, 'SHA256SUMS'), names.map((name) => `${digest(name)}  ${name}\n`).join(''));
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8' });
}

/** Throws when the command fails, which ends the release before its next step. */
function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { cwd: repository, stdio: 'inherit' });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
