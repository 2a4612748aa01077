import { statSync } from 'node:fs';
import { isSecretName } from '../lib/redact.ts';
import type { ConfigProblem } from './config-problem.ts';

/** Others may read it: rights of files as stat(2) gives them. */
const readableByOthers = 0o004;
/** A password in a URL: `postgres://user:password@host/name`. */
const passwordInUrl = /^[a-z+]+:\/\/[^/@:]*:[^/@]+@/;

/** The file of a config, where it holds secrets, and the files that its keys name (null: none), which are secret. */
export function secretFiles(path: string, config: unknown, named: readonly (string | null)[]): readonly string[] {
  return [...(holdsSecrets(config) ? [path] : []), ...named.filter((file) => file !== null)];
}

/** Those of `files` that every user of this machine can read, now. One that is not there is not among them. */
export function exposedFiles(files: readonly string[]): readonly string[] {
  return files.filter((file) => {
    try {
      return (statSync(file).mode & readableByOthers) !== 0;
    } catch {
      // What is wrong with the file is reported where it is read.
      return false;
    }
  });
}

/** The reason in `/health` for an exposed file. */
export function exposedReason(file: string): string {
  return `every user of this machine can read ${file}, which holds secrets: chmod 600 ${file}`;
}

/** As warnings about a config. */
export function exposedWarnings(files: readonly string[]): readonly ConfigProblem[] {
  return exposedFiles(files).map((file) => ({
    path: file,
    problem: 'holds secrets, and every user of this machine can read it',
    remedy: `chmod 600 ${file}`,
  }));
}

function holdsSecrets(value: unknown): boolean {
  if (typeof value === 'string') return passwordInUrl.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]: [string, unknown]) =>
    isSecretName(name) && typeof inner === 'string' ? inner !== '' : holdsSecrets(inner),
  );
}
