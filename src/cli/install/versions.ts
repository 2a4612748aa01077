import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../lib/app-error.ts';
import type { Layout } from './layout.ts';

export interface InstalledVersion {
  readonly version: string;
  readonly current: boolean;
  readonly previous: boolean;
  /** A process runs from it. */
  readonly running: boolean;
}

/** Oldest first, by their numbers. */
export function installedVersions(layout: Layout): readonly InstalledVersion[] {
  if (!existsSync(layout.versions)) return [];
  const [current, previous] = [linkedVersion(layout.current), linkedVersion(layout.previous)];
  const inUse = runningVersions(layout);
  return readdirSync(layout.versions)
    .filter((name) => !name.startsWith('.'))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((version) => ({
      version,
      current: version === current,
      previous: version === previous,
      running: inUse.has(version),
    }));
}

/**
 * Makes `version` the one that starts from now on, and the one before it the roll-back's. Running programs stay as they
 * are.
 */
export function useVersion(layout: Layout, version: string): void {
  if (!installedVersions(layout).some((installed) => installed.version === version)) {
    throw new AppError(
      'config-invalid',
      `version ${version} is not installed; adit service versions lists those that are`,
    );
  }
  const before = linkedVersion(layout.current);
  if (before === version) return;
  if (before !== null) replaceLink(layout.previous, join('versions', before));
  replaceLink(layout.current, join('versions', version));
}

/** The version that a roll-back takes. Throws AppError `config-invalid` without one. */
export function previousVersion(layout: Layout): string {
  const previous = linkedVersion(layout.previous);
  if (previous !== null && existsSync(join(layout.versions, previous))) return previous;
  throw new AppError('config-invalid', 'no earlier version is installed, so there is nothing to go back to');
}

/** Removes what is neither current nor previous and runs nowhere; returns what went. */
export function pruneVersions(layout: Layout): readonly string[] {
  const old = installedVersions(layout).filter(({ current, previous, running }) => !current && !previous && !running);
  for (const { version } of old) rmSync(join(layout.versions, version), { recursive: true, force: true });
  return old.map(({ version }) => version);
}

/** Null where there is no such link. */
function linkedVersion(link: string): string | null {
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true ? basename(readlinkSync(link)) : null;
}

/** At no time is there no link. */
export function replaceLink(link: string, target: string): void {
  mkdirSync(dirname(link), { recursive: true });
  const fresh = `${link}.new`;
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, link);
}

/**
 * Programs run the Node of their own version, so their executable shows which one it is. Linux only; of others'
 * processes only root sees it.
 */
function runningVersions(layout: Layout): ReadonlySet<string> {
  const found = new Set<string>();
  if (!existsSync('/proc/self/exe')) return found;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const executable = executableOf(pid);
    if (executable?.startsWith(`${layout.versions}/`) !== true) continue;
    found.add(executable.slice(layout.versions.length + 1).split('/', 1)[0] ?? '');
  }
  return found;
}

function executableOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // It has ended meanwhile, is a kernel thread, or belongs to another user.
    return null;
  }
}
