import { describe, expect, it } from 'vitest';
import { EventHub } from '../../../../src/admin/event-hub.ts';
import { edgeEventText, type EdgeEvent } from '../../../../src/edge/events/edge-event.ts';
import type { PutTunnelOutcome } from '../../../../src/edge/edge.ts';
import { EdgeCommands } from '../../../../src/edge/manager-link/edge-commands.ts';
import { FlowCommands } from '../../../../src/edge/manager-link/flow-commands.ts';
import { StoredEntries } from '../../../../src/edge/manager-link/stored-entries.ts';
import type { TunnelSettings } from '../../../../src/edge/config/tunnel-config.ts';
import { ConfigFile } from '../../../../src/config/config-file.ts';
import { parseTunnelId, type TunnelId } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { Flows } from '../../../../src/edge/flows/flows.ts';
import { FlowGates } from '../../../../src/edge/local/flow-gates.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { FakeMediaHost } from '../../../support/media/fake-media-host.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';
import { MemoryFileSystem } from '../../../support/fakes/memory-file-system.ts';

const id = '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f';
const entry = {
  id,
  name: 'camera 1',
  protocol: 'udp',
  direction: 'egress',
  local_addr: '127.0.0.1:5000',
  relay_addr: 'relay.example:4433',
  tunnel_encryption_key: 'ab'.repeat(32),
};

/** What the commands need of an edge, without sockets. */
class FakeEdge {
  readonly running = new Map<TunnelId, TunnelSettings>();
  readonly events = new EventHub<EdgeEvent>(new ManualClock(), edgeEventText);
  readonly raised: EdgeEvent[] = [];
  readonly puts: TunnelSettings[] = [];
  outcome: PutTunnelOutcome = { kind: 'applied' };

  async putTunnel(tunnel: TunnelSettings): Promise<PutTunnelOutcome> {
    this.puts.push(tunnel);
    if (this.outcome.kind === 'applied') this.running.set(tunnel.id, tunnel);
    return this.outcome;
  }

  async removeTunnel(tunnelId: TunnelId): Promise<TunnelSettings | null> {
    const tunnel = this.running.get(tunnelId) ?? null;
    this.running.delete(tunnelId);
    return tunnel;
  }

  tunnels(): TunnelSettings[] {
    return [...this.running.values()];
  }

  stats() {
    return { uptime_secs: 1, active_flows: 0, total_flows: 0, flows: [], tunnels: [] } as const;
  }

  readonly flows = new Flows(
    {
      clock: new ManualClock(),
      random: new SeededRandom(),
      gates: new FlowGates(),
      startHost: () => new FakeMediaHost(),
      raise: (event) => this.events.emit(event),
    },
    [],
  );

  constructor() {
    this.events.subscribe(({ event }) => this.raised.push(event));
  }
}

function start(text = '{\n  "edge_id": "e",\n  "api_token": "keep"\n}\n') {
  const files = new MemoryFileSystem({ '/etc/edge.json': text });
  const edge = new FakeEdge();
  const configFile = new ConfigFile(files, '/etc/edge.json');
  const stored = new StoredEntries(configFile, 'tunnels', parseTunnelId);
  const flows = new FlowCommands({ edge, stored: new StoredEntries(configFile, 'flows', (id) => id) });
  const updateConfig = async () => ({ success: true }) as const;
  const commands = new EdgeCommands(
    { edge, stored, flows, updateConfig },
    { directory: '/etc', requireBindProof: false },
  );
  const file = () => JSON.parse(files.text('/etc/edge.json')) as Record<string, unknown>;
  return { files, edge, commands, file };
}

describe('create_tunnel', () => {
  it('stores the tunnel, starts it and reports it', async () => {
    const { edge, commands, file } = start();
    expect(await commands.execute({ type: 'create_tunnel', tunnel: entry })).toEqual({ success: true });
    expect(file()).toEqual({ edge_id: 'e', api_token: 'keep', tunnels: [entry] });
    expect([...edge.running.keys()]).toEqual([id]);
    expect(edge.raised).toEqual([{ kind: 'configuration-updated' }]);
  });

  it('leaves an identical tunnel alone', async () => {
    const { edge, commands } = start();
    await commands.execute({ type: 'create_tunnel', tunnel: entry });
    const again = { ...entry, id: id.toUpperCase(), enabled: true, tunnel_bind_secret: null };
    expect(await commands.execute({ type: 'create_tunnel', tunnel: again })).toEqual({ success: true });
    expect(edge.puts).toHaveLength(1);
    expect(edge.raised).toHaveLength(1);
  });

  it('puts a changed tunnel in the place of the old one', async () => {
    const { edge, commands, file } = start();
    await commands.execute({ type: 'create_tunnel', tunnel: entry });
    const changed = { ...entry, local_addr: '127.0.0.1:6000' };
    await commands.execute({ type: 'create_tunnel', tunnel: changed });
    expect(file()['tunnels']).toEqual([changed]);
    expect(edge.tunnels()[0]?.localAddr.port).toBe(6000);
  });

  it('refuses a bad one with all its problems', async () => {
    const { edge, commands } = start();
    const tunnel = { ...entry, protocol: 'sctp', local_addr: 'here' };
    const outcome = await commands.execute({ type: 'create_tunnel', tunnel });
    expect(outcome).toMatchObject({ success: false, error_code: 'validation_error' });
    expect(JSON.stringify(outcome)).toMatch(/protocol.*local_addr/);
    expect(edge.raised).toEqual([]);
  });

  it('puts the file back when the address is taken', async () => {
    const { edge, commands, file } = start();
    await commands.execute({ type: 'create_tunnel', tunnel: entry });
    edge.outcome = { kind: 'port-conflict', error: '127.0.0.1:6000 is in use' };
    const changed = { ...entry, local_addr: '127.0.0.1:6000' };
    expect(await commands.execute({ type: 'create_tunnel', tunnel: changed })).toEqual({
      success: false,
      error: '127.0.0.1:6000 is in use',
      error_code: 'port_conflict',
    });
    expect(file()['tunnels']).toEqual([entry]);
    expect(edge.raised).toHaveLength(1);
  });

  it('changes nothing that runs when it cannot be stored', async () => {
    const { files, edge, commands, file } = start();
    files.failAt(0, 'error');
    const outcome = await commands.execute({ type: 'create_tunnel', tunnel: entry });
    expect(outcome).toMatchObject({ success: false, error_code: 'persistence_failed' });
    expect(edge.puts).toEqual([]);
    expect(file()).not.toHaveProperty('tunnels');
    expect(edge.raised).toEqual([
      { kind: 'configuration-not-persisted', error: 'could not write /etc/edge.json: open failed' },
    ]);
  });
});

describe('delete_tunnel', () => {
  it('stops and forgets the tunnel; an unknown one is a success', async () => {
    const { edge, commands, file } = start();
    await commands.execute({ type: 'create_tunnel', tunnel: entry });
    expect(await commands.execute({ type: 'delete_tunnel', tunnel_id: id })).toEqual({ success: true });
    expect(file()['tunnels']).toEqual([]);
    expect(edge.running.size).toBe(0);
    expect(await commands.execute({ type: 'delete_tunnel', tunnel_id: id })).toEqual({ success: true });
    expect(edge.raised).toEqual([{ kind: 'configuration-updated' }, { kind: 'configuration-updated' }]);
  });
});

describe('other commands', () => {
  it.each([
    [{ type: 'dance' }, 'Unknown edge command: dance'],
    [{ type: 'create_tunnel' }, 'Missing tunnel'],
    [{ type: 'delete_tunnel' }, 'Missing tunnel_id'],
    [{ type: 'delete_tunnel', tunnel_id: 'x' }, 'Invalid UUID'],
  ])('%j is refused', async (action, error) => {
    expect(await start().commands.execute(action)).toMatchObject({ success: false, error });
  });

  it('list_tunnels answers what stats say', async () => {
    expect(await start().commands.execute({ type: 'list_tunnels' })).toEqual({ success: true, data: [] });
  });
});
