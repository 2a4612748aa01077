import { createSocket } from 'node:dgram';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { createSelfSigned, type Certificate } from '../support/samples/certificates.ts';
import { tunnelNumber } from '../support/samples/sample-relay.ts';
import { until } from '../support/until.ts';

const id = tunnelNumber(1);
const loopback = { quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'] };

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-reload-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Replaced as editors and `kubectl` do it: whole or not at all. */
function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
  return path;
}

const writeConfig = (config: object): string => write('config.json', JSON.stringify(config));

describe('a running relay', () => {
  it('takes tunnels, limits and the log level of its config at SIGHUP, and reports what needs a restart', async () => {
    const path = writeConfig(loopback);
    await using program = new ChildProgram('relay', ['relay', '-c', path], new SystemClock());
    const started = await program.line('relay started');
    const api = `http://${(started['api_addrs'] as string[])[0] ?? ''}`;
    const authorisation = async (): Promise<unknown> =>
      ((await (await fetch(`${api}/api/v1/tunnels/${id}/why`)).json()) as { authorisation: unknown }).authorisation;
    expect(await authorisation()).toBe('unknown');
    const tunnels = [{ id, bind_secret: 'ab'.repeat(32) }];
    writeConfig({ ...loopback, tunnels, log_level: 'debug', limits: { max_tunnels: 5 } });
    program.kill('SIGHUP');
    await until(async () => (await authorisation()) === 'authorised', { what: 'the new tunnel is authorised' });
    // By the signal or by the file's change, whichever came first on this machine.
    const said = await until(() =>
      program.lastLines.some((line) => line.includes('reloaded')) ? program.lastLines : null,
    );
    expect(said.join('\n')).toContain('"keys":["limits.max_tunnels"]');
    expect(said.join('\n')).toContain('"applied":["tunnels","log_level"]');
  });

  it('warns of what has no effect in a config that it reads again, once', async () => {
    const path = writeConfig({ ...loopback, max_edges: 5 });
    await using program = new ChildProgram('relay', ['relay', '-c', path], new SystemClock());
    expect((await program.line('config warning'))['problem']).toContain('max_edges has no effect');
    await program.line('relay started');
    writeConfig({ ...loopback, max_edges: 6, shared_secret: 'x', log_level: 'debug' });
    program.kill('SIGHUP');
    expect((await program.line('config warning'))['problem']).toContain('shared_secret has no effect');
    await program.line('config reloaded');
    const warned = program.lastLines.filter((line) => line.includes('config warning'));
    expect(warned.filter((line) => line.includes('max_edges'))).toHaveLength(1);
  });

  it('goes on with the config that it has when the new one is wrong', async () => {
    const path = writeConfig(loopback);
    await using program = new ChildProgram('relay', ['relay', '-c', path], new SystemClock());
    await program.line('relay started');
    writeConfig({ ...loopback, quic_addrs: [] });
    program.kill('SIGHUP');
    const line = await program.line('config not reloaded, the old one stays in force');
    expect(line['problem']).toContain('quic_addrs is empty; list at least one ip:port, or leave the key out');
  });

  it('L3 takes a renewed certificate by itself', async () => {
    const [first, second] = [await createSelfSigned(), await createSelfSigned()];
    const pinsOf = ({ fingerprint, keyPin }: Certificate) => ({ certificate_sha256: fingerprint, key_pin: keyPin });
    write('relay.crt', first.certificatePem);
    write('relay.key', first.privateKeyPem);
    const path = writeConfig({ ...loopback, tls_cert_path: 'relay.crt', tls_key_path: 'relay.key' });
    await using program = new ChildProgram('relay', ['relay', '-c', path], new SystemClock());
    expect(await program.line('relay started')).toMatchObject(pinsOf(first));
    write('relay.key', second.privateKeyPem);
    write('relay.crt', second.certificatePem);
    expect(await program.line('certificate renewed')).toMatchObject(pinsOf(second));
    expect(await program.line('config reloaded')).toMatchObject({ cause: 'file changed', applied: ['certificate'] });
    // The files that a new config names are looked at from then on.
    write('other.crt', first.certificatePem);
    write('other.key', first.privateKeyPem);
    writeConfig({ ...loopback, tls_cert_path: 'other.crt', tls_key_path: 'other.key' });
    expect(await program.line('config reloaded')).toMatchObject({
      applied: ['tls_cert_path', 'tls_key_path', 'certificate'],
    });
    write('other.key', second.privateKeyPem);
    write('other.crt', second.certificatePem);
    expect(await program.line('config reloaded')).toMatchObject({ cause: 'file changed', applied: ['certificate'] });
  });
});

describe('a running edge', () => {
  it('starts, changes and stops tunnels with its config, by itself', async () => {
    const tunnel = {
      id,
      name: 'camera 1',
      protocol: 'udp',
      direction: 'egress',
      local_addr: '127.0.0.1:0',
      relay_addrs: ['127.0.0.1:9'],
      tunnel_encryption_key: 'ab'.repeat(32),
    };
    const path = writeConfig({ edge_id: 'studio', tunnels: [tunnel] });
    await using program = new ChildProgram('edge', ['edge', '-c', path], new SystemClock());
    await program.line('edge started');
    const other = { ...tunnel, id: tunnelNumber(2), name: 'camera 2' };
    writeConfig({ edge_id: 'studio', tunnels: [other] });
    expect(await program.line('config reloaded')).toMatchObject({
      cause: 'file changed',
      applied: ["tunnel 'camera 1' removed", "tunnel 'camera 2'"],
    });
    writeConfig({ edge_id: 'studio', tunnels: [other], log_level: 'debug' });
    expect(await program.line('config reloaded')).toMatchObject({ applied: ['log_level'] });
    program.kill('SIGHUP');
    expect(await program.line('config reloaded')).toMatchObject({ cause: 'SIGHUP', applied: [] });
    writeConfig({ edge_id: 'another name', tunnels: [other], log_level: 'debug' });
    expect(await program.line('config changes need a restart')).toMatchObject({ keys: ['edge_id'] });
  });

  it('takes all of its config but for a tunnel whose address is another program’s, and says so', async () => {
    const others = createSocket('udp4');
    await new Promise<void>((resolve) => others.bind(0, '127.0.0.1', resolve));
    const tunnel = {
      ...{ id, name: 'camera 1', protocol: 'udp', direction: 'egress', local_addr: '127.0.0.1:0' },
      ...{ relay_addrs: ['127.0.0.1:9'], tunnel_encryption_key: 'ab'.repeat(32) },
    };
    const path = writeConfig({ tunnels: [tunnel] });
    await using program = new ChildProgram('edge', ['edge', '-c', path], new SystemClock());
    await program.line('edge started');
    const taken = {
      ...tunnel,
      id: tunnelNumber(2),
      name: 'camera 2',
      local_addr: `127.0.0.1:${others.address().port}`,
    };
    writeConfig({ tunnels: [{ ...tunnel, name: 'studio 1' }, taken], log_level: 'debug' });
    const line = await program.line('config reloaded in part');
    expect(line).toMatchObject({ level: 'error', applied: ['log_level', "tunnel 'studio 1'"] });
    expect(line['problems']).toEqual([expect.stringMatching(/^tunnel 'camera 2': cannot bind UDP .*EADDRINUSE/)]);
    others.close();
    // What was in force before is no news any more.
    writeConfig({ tunnels: [{ ...tunnel, name: 'studio 1' }, taken], log_level: 'info' });
    expect(await program.line('config reloaded')).toMatchObject({ applied: ['log_level', "tunnel 'camera 2'"] });
  });
});
