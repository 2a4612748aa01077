import { describe, expect, it } from 'vitest';
import { parseRelayConfig, type RelayConfig } from '../../../../src/relay/config/relay-config.ts';

const uuid = '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f';
const secret = '00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f';

function valid(content: unknown): RelayConfig {
  const parsed = parseRelayConfig(content, '/etc/adit');
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

function problems(content: unknown): string[] {
  const parsed = parseRelayConfig(content, '/etc/adit');
  return parsed.kind === 'invalid' ? parsed.problems.map(({ path }) => path) : [];
}

function warnings(content: unknown): string[] {
  const parsed = parseRelayConfig(content, '/etc/adit');
  return parsed.kind === 'valid' ? parsed.warnings.map(({ path }) => path) : ['invalid'];
}

describe('a wrong config', () => {
  it('is told all at once', () => {
    const told = problems({
      quic_adrs: [],
      api_token: 'x',
      limits: { max_tunnels: 0 },
      quic_addr: 'x',
      quic_addrs: [],
    });
    expect(told).toHaveLength(4);
  });

  it('never throws, whatever JSON it is', () => {
    for (const content of [1, 'x', true, { quic: 1 }, { limits: [] }, { manager: 1 }, { tunnels: {} }]) {
      expect(problems(content).length).toBeGreaterThan(0);
    }
  });
});

describe('a config', () => {
  it('that is empty has every default', () => {
    expect(valid({})).toMatchObject({
      quic_addrs: ['0.0.0.0:4433', '[::]:4433'],
      api_addrs: ['127.0.0.1:4480'],
      public_quic_addr: null,
      tls_cert_path: null,
      require_bind_auth: true,
      require_bind_proof: false,
      min_protocol_version: 0,
      hold_waiting_edges: false,
      max_connections_per_ip: 64,
      max_tunnels_per_connection: 100,
      manager: { enabled: false, urls: [] },
      logging: { json_target: null },
      quic: { engine: 'auto', max_udp_payload: 1452, idle_timeout_secs: 25, keep_alive_secs: 5 },
      drain_timeout_secs: 10,
      state_dir: '/etc/adit/state',
      log_level: 'info',
      limits: {
        stream_window_bytes: 1_250_000,
        connection_window_bytes: 8_388_608,
        max_bidi_streams: 1024,
        datagram_queue_bytes: 262_144,
        datagram_queue_ms: 100,
        retry_after_handshakes_per_sec: 200,
        control_stream_timeout_secs: 5,
        first_bind_timeout_secs: 10,
      },
    });
  });

  it('takes the names of existing installations', () => {
    const config = valid({ quic_addr: '0.0.0.0:1', api_addr: '127.0.0.1:2', manager: { url: 'wss://m/ws/node' } });
    expect([config.quic_addrs, config.api_addrs, config.manager.urls]).toEqual([
      ['0.0.0.0:1'],
      ['127.0.0.1:2'],
      ['wss://m/ws/node'],
    ]);
  });

  // The README of the field's relay has such a file, and that relay writes such a file itself.
  it('takes the list where an older key stands beside it, with a warning', () => {
    const both = {
      quic_addr: '0.0.0.0:4433',
      quic_addrs: ['0.0.0.0:4433', '[::]:4433'],
      api_addr: '0.0.0.0:4480',
      api_addrs: ['127.0.0.1:4480'],
      manager: { url: 'wss://a/x', urls: ['wss://b/x'] },
    };
    const config = valid(both);
    expect([config.quic_addrs, config.api_addrs, config.manager.urls]).toEqual([
      ['0.0.0.0:4433', '[::]:4433'],
      ['127.0.0.1:4480'],
      ['wss://b/x'],
    ]);
    expect(warnings(both)).toEqual(['quic_addr', 'api_addr', 'manager.url']);
    expect(valid({ quic_addr: '0.0.0.0:1', quic_addrs: null }).quic_addrs).toEqual(['0.0.0.0:1']);
    expect(valid({ api_addrs: null, manager: null, logging: null }).api_addrs).toEqual(['127.0.0.1:4480']);
    expect(problems({ quic_addr: '0.0.0.0:1', quic_addrs: [] })).toEqual(['quic_addrs']);
  });

  it('refuses a REST API that others can use without a token', () => {
    expect(problems({ api_addrs: ['127.0.0.1:1', '192.0.2.1:1'] })).toEqual(['api_addrs']);
    expect(problems({ api_addrs: ['[::]:1'], limits: { max_tunnels: 'many' } })).toEqual([
      'limits.max_tunnels',
      'api_addrs',
    ]);
  });

  // The field's relay has no token by default, listens everywhere, and writes that into its file.
  it('keeps the REST API of a field file without a token on loopback, with a warning', () => {
    const field = { api_addr: '0.0.0.0:4480', api_addrs: ['0.0.0.0:4480', '[::]:4480', '192.0.2.1:4480'] };
    expect(valid(field).api_addrs).toEqual(['127.0.0.1:4480', '[::1]:4480']);
    expect(warnings(field)).toEqual(['api_addr', 'api_addr']);
    expect(valid({ api_addr: '192.0.2.1:4480' }).api_addrs).toEqual(['127.0.0.1:4480']);
    expect(valid({ ...field, api_token: 'x'.repeat(32) }).api_addrs).toEqual(field.api_addrs);
  });

  it('takes the example file of the field relay, and reports which keys have no effect and what to use', () => {
    const parsed = parseRelayConfig(
      { quic_addr: '0.0.0.0:1', api_addr: '127.0.0.1:2', shared_secret: 'x', max_edges: 100, max_tunnels: 500 },
      '/etc/adit',
    );
    expect(parsed).toMatchObject({
      kind: 'valid',
      warnings: [
        { path: 'shared_secret', problem: 'has no effect', remedy: expect.stringContaining('bind_secret') as string },
        { path: 'max_edges', remedy: expect.stringContaining('limits.max_connections') as string },
        { path: 'max_tunnels', remedy: expect.stringContaining('limits.max_tunnels') as string },
      ],
    });
    expect(valid({ logging: { json_target: { kind: 'stdout', format: 'dataminer' } } }).logging).toEqual({
      json_target: { kind: 'stdout', format: 'dataminer' },
    });
  });

  it('resolves its paths from its own directory', () => {
    const json_target = { kind: 'file', path: 'logs/adit.json' };
    const config = valid({ tls_cert_path: 'a.pem', tls_key_path: '/b.pem', logging: { json_target } });
    expect(config).toMatchObject({
      tls_cert_path: '/etc/adit/a.pem',
      tls_key_path: '/b.pem',
      logging: { json_target: { path: '/etc/adit/logs/adit.json', max_size_mb: 64, max_backups: 5, format: 'raw' } },
    });
  });

  it('listens on every address for REST once it has a token', () => {
    expect(valid({ api_token: 'x'.repeat(32) }).api_addrs).toEqual(['0.0.0.0:4480']);
  });

  it('writes tunnel ids in one form', () => {
    expect(valid({ tunnels: [{ id: uuid.toUpperCase(), bind_secret: secret }] }).tunnels[0]?.id).toBe(uuid);
  });

  it('cannot be changed', () => {
    const { limits } = valid({});
    expect(() => {
      (limits as { max_tunnels: number }).max_tunnels = 1;
    }).toThrow(TypeError);
  });

  it.each([
    [{}, []],
    [{ api_addrs: ['127.0.0.1:1', '[::1]:1'] }, []],
    [{ api_addrs: ['0.0.0.0:1'], api_token: 'x'.repeat(32) }, []],
    [{ api_addr: '0.0.0.0:1' }, ['api_addr']],
    [{ distribution: {} }, ['distribution']],
    [{ udp_relay_addr: 'x' }, ['udp_relay_addr']],
    [{ udp_relay_enabled: true, bond_bridges: [] }, ['udp_relay_enabled', 'bond_bridges']],
    [{ require_bind_auth: false }, ['require_bind_auth']],
  ])('%j is taken, with warnings about %j', (content, expected) => {
    expect(warnings(content)).toEqual(expected);
  });
});
