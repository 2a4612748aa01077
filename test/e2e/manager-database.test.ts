import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresServer } from '../support/manager/postgres-server.ts';
import { SimNode } from '../support/manager/sim-node.ts';
import { runAdit } from '../support/programs/adit-command.ts';
import { ManagerProcess } from '../support/programs/manager-process.ts';
import { until } from '../support/until.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await PostgresServer.start();
});
afterAll(() => postgres[Symbol.asyncDispose]());

const key = 'ab'.repeat(32);

/** A manager with a relay, two edges and a tunnel between them, none of which was ever connected. */
async function filled(manager: ManagerProcess): Promise<{ tunnelId: string; keys: unknown; venue: string }> {
  const relay = await manager.add('relay', 'relay');
  const [venue, studio] = [await manager.add('venue'), await manager.add('studio')];
  const tunnel = await manager.done('POST', 'tunnels', {
    name: 'camera',
    protocol: 'udp',
    source: { node_id: venue.id, listen: '127.0.0.1:5000' },
    destination: { node_id: studio.id, forward: '127.0.0.1:5001' },
    relays: [{ node_id: relay.id, relay_addr: 'relay.example:4433' }],
  });
  const tunnelId = String(tunnel['id']);
  return { tunnelId, keys: await manager.done('GET', `tunnels/${tunnelId}/keys`), venue: venue.token };
}

const names = async (manager: ManagerProcess): Promise<unknown[]> => {
  const { items } = (await manager.done('GET', 'nodes')) as { items: { name: string }[] };
  return items.map(({ name }) => name);
};

describe('adit manager backup and restore', () => {
  it('brings back what there was, from a backup that was written while the manager ran', async () => {
    await using manager = await ManagerProcess.start();
    const { tunnelId, keys } = await filled(manager);
    const backup = join(manager.folder, 'fleet.backup');
    expect(await manager.command('backup', backup)).toMatchObject({
      status: 0,
      out: expect.stringContaining(`backup written to ${backup}`) as string,
    });
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(await manager.command('backup', backup)).toMatchObject({
      status: 2,
      err: `adit: there is a file ${backup} already; name another one, or add --replace\n`,
    });
    expect((await manager.command('check', backup)).out).toMatch(/^✓ sound: 3 nodes, 1 tunnels.*\n.* opens 2 sealed/);

    await manager.add('after the backup');
    expect(await manager.command('restore', backup)).toMatchObject({
      status: 1,
      err: expect.stringContaining(`is in use by the process ${manager.pid}`) as string,
    });
    await manager.end('SIGTERM');
    const restored = await manager.command('restore', backup);
    expect(restored).toMatchObject({ status: 0 });
    const kept = /was there: (.+)$/m.exec(restored.out)?.[1] ?? '';
    expect((await manager.command('check', kept)).out).toContain('4 nodes');
    await manager.resume();
    expect(await names(manager)).toEqual(['relay', 'studio', 'venue']);
    expect(await manager.done('GET', `tunnels/${tunnelId}/keys`)).toEqual(keys);
  });

  it('refuses a damaged backup and one of another program, and leaves the database as it was', async () => {
    await using manager = await ManagerProcess.start();
    await manager.add('venue');
    const backup = join(manager.folder, 'fleet.backup');
    await manager.command('backup', backup);
    await manager.end('SIGTERM');
    const before = readFileSync(manager.databasePath);
    const bytes = readFileSync(backup);
    bytes.fill(0x5a, 3 * 4096 + 10, 6 * 4096);
    writeFileSync(backup, bytes);
    expect((await manager.command('restore', backup)).status).not.toBe(0);
    writeFileSync(backup, 'not a database');
    expect(await manager.command('restore', backup)).toMatchObject({
      status: 2,
      err: expect.stringContaining('is not a backup of a manager') as string,
    });
    expect(readFileSync(manager.databasePath).equals(before)).toBe(true);
    expect(readdirSync(join(manager.folder, 'state')).filter((name) => name.includes('restor'))).toEqual([]);
  });
});

describe('adit manager check', () => {
  it('finds a sealed value that was changed, and ends with status 3', async () => {
    await using manager = await ManagerProcess.start();
    const { tunnelId } = await filled(manager);
    expect(await manager.command('check')).toMatchObject({ status: 0 });
    await manager.end('SIGTERM');
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(manager.databasePath);
    database.exec(`UPDATE tunnels SET bind_secret_sealed = replace(bind_secret_sealed, '=', '')
      || 'AAAA' WHERE id = '${tunnelId}'`);
    database.exec(`DELETE FROM audit WHERE id = 2`);
    database.close();
    const { status, out } = await manager.command('check');
    expect(status).toBe(3);
    expect(out).toContain('✗ the audit trail was changed: row 3 does not follow from the one before it');
    expect(out).toContain(`✗ tunnels ${tunnelId}: the sealed bind_secret of ${tunnelId} is damaged`);
    expect(out).toContain('the master key opens 1 sealed values');
  });
});

describe('adit manager copy-to', () => {
  it('copies every row to PostgreSQL, where the manager goes on with the same keys, tokens and numbers', async () => {
    const url = await postgres.newDatabase();
    await using embedded = await ManagerProcess.start({ env: { ADIT_MASTER_KEY: key } });
    const { tunnelId, keys, venue } = await filled(embedded);
    const token = await embedded.token();
    expect((await embedded.command('copy-to', url)).err).toContain('in use by the process');
    await embedded.end('SIGTERM');
    expect(await embedded.command('copy-to', url)).toMatchObject({
      status: 0,
      out: expect.stringMatching(
        /^copied and read back: 3 nodes, 1 tunnels, 1 tunnel_relays, 3 legs, .*audit\n/,
      ) as string,
    });
    expect(await embedded.command('copy-to', url)).toMatchObject({
      status: 2,
      err: 'adit: the target is not empty: its table nodes has rows; name a new database\n',
    });

    const config = { database: { url }, instance_url: 'https://127.0.0.1:1' };
    await using manager = await ManagerProcess.start({ config, env: { ADIT_MASTER_KEY: key } });
    expect(await names(manager)).toEqual(['relay', 'studio', 'venue']);
    expect(await manager.done('GET', `tunnels/${tunnelId}/keys`)).toEqual(keys);
    expect(token).toMatch(/^adit_/);
    await using node = await SimNode.dial(manager.url);
    expect(await node.authenticate({ registration_token: venue })).toMatchObject({ type: 'register_ack' });
    // Numbers go on behind the copied ones: a new event and a new audit row are stored.
    await until(async () => {
      const { items } = (await manager.done('GET', 'events')) as { items: { message: string }[] };
      return items.some(({ message }) => message === 'Node connected to manager');
    });
    expect((await manager.command('check')).out).toContain('✓ sound');
  });
});

describe('adit manager rekey', () => {
  it('seals everything with a new key, keeps the old one, and the keys of tunnels stay', async () => {
    await using manager = await ManagerProcess.start();
    const { tunnelId, keys } = await filled(manager);
    expect((await manager.command('rekey')).err).toContain('in use by the process');
    await manager.end('SIGTERM');
    const old = readFileSync(join(manager.folder, 'state', 'master.key'), 'utf8');
    const { status, out } = await manager.command('rekey');
    expect(status).toBe(0);
    expect(out).toMatch(/^2 values are sealed with the master key [0-9a-f]{8}\n/);
    const kept = /older backups: (.+)$/m.exec(out)?.[1] ?? '';
    expect(readFileSync(kept, 'utf8')).toBe(old);
    expect(readFileSync(join(manager.folder, 'state', 'master.key'), 'utf8')).not.toBe(old);
    expect(existsSync(join(manager.folder, 'state', 'master.key.new'))).toBe(false);
    await manager.resume();
    expect(await manager.done('GET', `tunnels/${tunnelId}/keys`)).toEqual(keys);
  });

  it('completes a run that was interrupted between the database and the key file', async () => {
    await using manager = await ManagerProcess.start();
    const { tunnelId, keys } = await filled(manager);
    await manager.end('SIGTERM');
    const keyPath = join(manager.folder, 'state', 'master.key');
    const old = readFileSync(keyPath, 'utf8');
    const done = await manager.command('rekey');
    // As if the power had gone before the last step.
    writeFileSync(`${keyPath}.new`, readFileSync(keyPath));
    writeFileSync(keyPath, old);
    expect(done.status).toBe(0);
    await expect(manager.resume()).rejects.toThrow(/were sealed with the master key \w+, not \w+/);
    expect((await manager.command('rekey')).status).toBe(0);
    await manager.resume();
    expect(await manager.done('GET', `tunnels/${tunnelId}/keys`)).toEqual(keys);
  });

  it('refuses while an instance runs on PostgreSQL', async () => {
    const config = { database: { url: await postgres.newDatabase() }, instance_name: 'north' };
    await using manager = await ManagerProcess.start({ config, env: { ADIT_MASTER_KEY: key } });
    const { status, err } = await manager.command('rekey', '--new-key-file', join(manager.folder, 'new.key'));
    expect(status).toBe(2);
    expect(err).toContain('stop all managers first: north');
  });
});

describe('adit manager reset-admin', () => {
  it('lets somebody in again who is locked out, while the manager runs', async () => {
    await using manager = await ManagerProcess.start();
    const { status, out } = await manager.command('reset-admin');
    expect(status).toBe(0);
    const password = /^password: (.+)$/m.exec(out)?.[1] ?? '';
    const login = () => manager.api('POST', 'login', { name: 'admin', password });
    expect(await login()).toMatchObject({ status: 200, body: { role: 'admin' } });
    const file = join(manager.folder, 'password');
    writeFileSync(file, 'a quite different phrase\n');
    expect((await manager.command('reset-admin', 'admin', '--password-file', file)).out).toBe(
      'admin is an administrator\n',
    );
    expect(await login()).toMatchObject({ status: 401 });
    const { items } = (await manager.done('GET', 'audit')) as { items: { action: string; actor: string }[] };
    expect(items.filter(({ action }) => action === 'user.reset')).toMatchObject([
      { actor: 'console' },
      { actor: 'console' },
    ]);
    writeFileSync(file, 'short');
    expect(await manager.command('reset-admin', '--password-file', file)).toMatchObject({
      status: 2,
      err: 'adit: The password has 5 characters; at least 12 are needed.\n',
    });
  });
});

describe('adit check-config, status and why', () => {
  it('know a manager', async () => {
    await using manager = await ManagerProcess.start();
    await filled(manager);
    expect((await runAdit(['check-config', manager.configPath])).out).toContain('is a sound config of a manager');
    const refused = await runAdit(['relay', '-c', manager.configPath]);
    expect(refused.err).toContain(`start it with: adit manager -c ${manager.configPath}`);
    expect(await runAdit(['status', '-c', manager.configPath])).toMatchObject({
      status: 2,
      err: expect.stringContaining('adit manager token') as string,
    });
    const env = { ADIT_API_TOKEN: await manager.token() };
    const status = await runAdit(['status', '-c', manager.configPath], env);
    expect(status.out).toContain(
      `at https://127.0.0.1:${manager.port}, ready, 0 of 3 nodes online, 0 of 3 legs failed`,
    );
    expect(status.out).toMatch(/^venue +edge +never/m);
    expect(status.out).toMatch(/^camera +\S+ +pending +unknown +venue +relay +studio/m);
    const cert = join(manager.folder, 'state', 'certs', 'self-signed.crt');
    const why = await runAdit(['why', 'camera', '--url', `https://localhost:${manager.port}`, '--cert', cert], env);
    expect(why.status).toBe(3);
    expect(why.out).toMatch(/^tunnel \S+ \(camera\)\n✗ /);
    expect((await runAdit(['why', 'none', '-c', manager.configPath], env)).err).toContain(
      'no tunnel that is called none',
    );
  });
});
