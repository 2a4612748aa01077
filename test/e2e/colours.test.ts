import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { runAdit } from '../support/programs/adit-command.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-colours-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const tunnel = '8f14e45f-ceea-467f-a9d2-5b6c7d8e9f01';
const escape = String.fromCharCode(27);
/** What a terminal with colours is to Node; a pipe has none by itself. */
const terminal = { FORCE_COLOR: '1', NO_COLOR: undefined };

describe('what commands print', () => {
  it('has colours on a terminal, and none in a pipe or with NO_COLOR', async () => {
    const path = join(folder, 'relay.json');
    writeFileSync(
      path,
      JSON.stringify({ quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'], require_bind_auth: false }),
    );
    const check = async (env: NodeJS.ProcessEnv): Promise<string> => (await runAdit(['check-config', path], env)).out;
    expect(await check(terminal)).toContain(`${escape}[33mwarning: ${escape}[39mrequire_bind_auth is false`);
    expect(await check({ FORCE_COLOR: undefined })).not.toContain(escape);
    expect(await check({ FORCE_COLOR: undefined, NO_COLOR: '1' })).not.toContain(escape);

    await using relay = new ChildProgram('relay', ['relay', '-c', path], new SystemClock());
    const { api_addrs: addresses } = await relay.line('relay started');
    const why = await runAdit(['why', tunnel, '--seconds', '0', '--url', `http://${String(addresses)}`], terminal);
    expect(why.out).toContain(`${escape}[31m✗ No UDP packet has reached this relay`);
    expect(why.out).toContain(`${escape}[39m\n${escape}[36m  → let UDP in`);
  });
});
