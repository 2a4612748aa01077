import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { findProofs } from './proofs.ts';

/** `npm run conformance`: runs the tests that prove a promise, and no others, and writes docs/conformance.md from what became of them. */
const files = new Set(findProofs(process.cwd()).map(({ file }) => file));
const { status } = spawnSync('vitest', ['run', ...files], {
  stdio: 'inherit',
  env: { ...process.env, ADIT_CONFORMANCE_DOCUMENT: 'docs/conformance.md' },
});
process.exit(status ?? 1);
