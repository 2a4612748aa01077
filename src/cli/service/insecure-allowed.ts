import process from 'node:process';
import { allowInsecureVariable } from '../../node-link/link/certificate-check.ts';

/** Whether the environment lets a manager's certificate go unchecked (docs/protocol/manager.md §1). */
export function insecureAllowed(): boolean {
  return process.env[allowInsecureVariable] === '1';
}
