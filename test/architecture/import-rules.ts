import type { IForbiddenRuleType } from 'dependency-cruiser';

/** The port to QUIC: what may be known of it outside `src/quic`. */
const quicPort = ['quic/types', 'quic/connection-report', 'quic/transport-settings', 'quic/engine-report'];

/**
 * What each folder of src (or a file, without its ending) may import from src besides itself; the design's import
 * table. A path within a listed path obeys both lines: `relay/session` its own and `relay`'s.
 */
export const importTable: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  config: ['lib'],
  protocol: ['lib'],
  'protocol/tunnel': ['lib'],
  'protocol/node': ['protocol/tunnel', 'lib'],
  quic: ['lib'],
  'quic/quiche/quirks': ['binding', 'packet-sender', 'path-mtu', 'scratch', 'stream-handle'].map(
    (file) => `quic/quiche/${file}`,
  ),
  'quic/quiche/accept': ['quic', 'lib'],
  'tunnel-wire': [...quicPort, 'protocol/tunnel', 'lib'],
  admin: [...quicPort, 'node-link/node-link', 'config', 'protocol', 'lib'],
  'node-link': ['config', 'protocol', 'lib'],
  'node-link/link': ['protocol/node', 'lib'],
  'node-link/journal': ['protocol/node', 'lib'],
  'node-link/credentials': ['config', 'protocol/node', 'lib'],
  'node-link/commands': ['node-link/node-program', 'protocol/node', 'lib'],
  media: ['lib'],
  'media/flow': [
    ...['codec', 'hls', 'merge', 'mpegts', 'net', 'rtmp', 'rtp', 'rtsp', 'srt', 'webrtc'].map(
      (room) => `media/${room}`,
    ),
    'lib',
  ],
  'media/codec': ['lib'],
  'media/srt': ['lib'],
  'media/net': ['lib'],
  'media/mpegts': ['media/codec', 'lib'],
  'media/rtp': ['media/codec', 'lib'],
  'media/merge': ['lib'],
  'media/webrtc': ['lib'],
  'media/hls': ['media/mpegts', 'lib'],
  'media/rtmp': ['media/codec', 'lib'],
  'media/rtsp': ['media/rtp', 'media/codec', 'lib'],
  relay: ['beat-sender', 'tunnel-wire', 'quic', 'node-link', 'admin', 'config', 'protocol', 'lib'],
  'relay/tunnels': ['protocol', 'lib'],
  'relay/events': ['admin/event-hub', 'protocol', 'lib'],
  'relay/forwarding': ['tunnel-wire', 'relay/tunnels', 'relay/events', 'quic', 'protocol', 'lib'],
  'relay/session': ['tunnel-wire', 'relay/forwarding', 'relay/tunnels', 'relay/events', 'quic', 'protocol', 'lib'],
  'relay/config': [
    ...['relay/events', 'relay/tunnels', ...quicPort, 'quic/tls-material', 'node-link/manager-config'],
    'beat-sender/beat-config',
    ...['config', 'protocol', 'lib'],
  ],
  'relay/admin': [
    ...['admin', 'relay/report', 'relay/tunnel-control', 'relay/events', 'relay/tunnels', ...quicPort],
    ...['protocol', 'lib'],
  ],
  'relay/reception': [
    ...['relay/session', 'relay/forwarding', 'relay/tunnels', 'relay/events', ...quicPort, 'protocol', 'lib'],
  ],
  'relay/report': ['relay/session', 'relay/forwarding', 'relay/tunnels', ...quicPort, 'protocol', 'lib'],
  'relay/manager-link': [
    ...['relay/relay', 'relay/tunnel-control', 'relay/report', 'relay/config', 'relay/tunnels', 'node-link'],
    ...['config', 'protocol', 'lib'],
  ],
  edge: ['beat-sender', 'tunnel-wire', 'quic', 'node-link', 'admin', 'media', 'config', 'protocol', 'lib'],
  'edge/config': [
    ...['node-link/manager-config', 'media/flow/flow-settings', 'media/srt/srt-settings'],
    ...['quic/peer-verification', 'beat-sender/beat-config', 'config', 'protocol', 'lib'],
  ],
  'edge/events': ['admin/event-hub', 'media/flow/flow-event', 'protocol', 'lib'],
  'edge/flows': ['edge/events', 'edge/local', 'media/flow', 'media/mpegts', 'protocol', 'lib'],
  'edge/uplink': ['edge/admin/edge-schemas', 'admin/path-report', 'tunnel-wire', 'quic', 'protocol/tunnel', 'lib'],
  'edge/local': ['edge/uplink', 'tunnel-wire', ...quicPort, 'quic/local-sockets', 'protocol', 'lib'],
  'edge/tunnel': [
    ...['edge/uplink', 'edge/local', 'edge/config', 'edge/events', 'edge/admin/edge-schemas', ...quicPort],
    ...['quic/peer-verification', 'quic/local-sockets', 'protocol', 'lib'],
  ],
  'edge/admin': ['edge/flows/rtc-doorway', 'media/flow/offer-taker', 'admin', ...quicPort, 'protocol', 'lib'],
  'edge/manager-link': [
    ...['edge/edge', 'edge/edge-reload', 'edge/config', 'edge/events', 'media/flow/flow-settings', 'node-link'],
    ...['config', 'protocol', 'lib'],
  ],
  probe: [
    ...['edge/uplink/edge-transport', 'edge/uplink/relay-messages', 'tunnel-wire', 'quic', 'protocol/tunnel', 'lib'],
  ],
  cli: [
    'probe',
    'relay',
    'edge',
    'manager',
    'observer',
    'node-link',
    'media/flow',
    'media/mpegts',
    'media/codec',
    'media/net',
    'admin',
    'config',
    'protocol',
    'quic/engine',
    'quic/tls-material',
    'lib',
  ],
  'cli/status': ['cli/why', 'relay/admin', 'edge/admin', 'manager/views', 'observer/admin', 'admin', 'protocol', 'lib'],
  'cli/why': [
    ...['cli/api-client', 'cli/status', 'relay/admin', 'edge/admin', 'edge/tunnel', 'edge/uplink', 'observer/admin'],
    ...['admin', 'protocol', 'lib'],
  ],
  'cli/service': ['node-link/link/certificate-check', 'config', 'lib'],
  manager: ['beat-sender', 'quic/tls-material', 'admin', 'config', 'protocol', 'lib'],
  'manager/config': ['beat-sender/beat-config', 'quic/tls-material', 'config', 'protocol', 'lib'],
  'manager/secrets': ['manager/reconcile/wire-action', 'manager/store', 'protocol', 'lib'],
  'manager/store': ['protocol', 'lib'],
  'manager/views': ['manager/fleet', 'manager/store'],
  'manager/access': ['manager/fleet', 'manager/secrets', 'manager/store', 'lib'],
  'manager/live': ['manager/views', 'manager/fleet', 'manager/fleet-error', 'manager/store', 'protocol', 'lib'],
  'manager/webhooks': [
    ...['manager/views', 'manager/access', 'manager/fleet', 'manager/secrets', 'manager/store', 'lib'],
  ],
  'manager/web': ['lib'],
  'manager/maintenance': ['manager/access', 'manager/secrets', 'manager/store', 'lib'],
  'manager/reconcile': ['manager/store/schema', 'protocol', 'lib'],
  'manager/events': ['manager/store', 'protocol', 'lib'],
  'manager/api': [
    ...[
      'access',
      'config',
      'extension-points',
      'fleet',
      'fleet-error',
      'live',
      'store',
      'views',
      'web',
      'webhooks',
    ].map((room) => `manager/${room}`),
    ...['protocol', 'lib'],
  ],
  'manager/fleet': [
    ...['commands', 'events', 'fleet-error', 'hub', 'reconcile', 'reconciler', 'secrets', 'store'].map(
      (room) => `manager/${room}`,
    ),
    ...['protocol', 'lib'],
  ],
  'manager/reconciler': [
    ...['commands', 'events', 'hub', 'reconcile', 'secrets', 'store'].map((room) => `manager/${room}`),
    ...['protocol', 'lib'],
  ],
  'manager/instances': ['manager/events', 'manager/store', 'lib'],
  'manager/hub': ['manager/events', 'manager/secrets', 'manager/store', 'protocol', 'lib'],
  'manager/commands': ['manager/hub', 'manager/secrets', 'manager/store', 'protocol', 'lib'],
  posix: ['lib'],
  'beat-sender': ['posix', 'config', 'protocol', 'lib'],
  observer: ['posix', 'node-link', 'admin', 'config', 'protocol', 'lib'],
  'observer/slots': ['protocol', 'lib'],
  'observer/processes': ['lib'],
  'observer/beats': ['observer/slots', 'posix', 'protocol', 'lib'],
  'observer/recovery': ['observer/slots', 'lib'],
  'observer/notices': ['observer/slots', 'observer/recovery', 'protocol', 'lib'],
  'observer/outputs': ['observer/slots', 'observer/recovery', 'observer/beat-watch', 'protocol', 'lib'],
  'observer/admin': ['observer/beat-watch', 'observer/slots', 'admin', 'config', 'protocol', 'lib'],
  'observer/manager-link': ['observer/config', 'node-link', 'config', 'protocol', 'lib'],
  'observer/config': ['observer/beats', 'observer/observer-settings', 'node-link/manager-config', 'config', 'lib'],
  main: ['cli', 'lib/leave-out-locales'],
};

/** What only decides: no file, socket or process, not even through what it imports. */
const pure = [
  ...['manager/reconcile', 'manager/hub/session'],
  ...['observer/slots', 'observer/notices/notice-limit', 'observer/recovery/audit-record'],
  ...['observer/recovery/recovery-policy', 'protocol', 'relay/tunnels', 'relay/events', 'relay/session/session'],
  ...['media/srt', 'media/merge', 'media/rtp', 'media/codec', 'media/mpegts', 'media/rtmp', 'media/rtsp', 'media/hls'],
];

const ioModules = [
  ...['fs', 'net', 'dgram', 'tls', 'http', 'https', 'http2', 'dns', 'tty', 'readline', 'repl', 'inspector'],
  ...['child_process', 'cluster', 'worker_threads', 'timers', 'perf_hooks'],
];

const ioPackages = ['ws', 'fastify', 'pino', 'pino-pretty', 'rotating-file-stream', '@matrixai/quic', 'koffi'];

/** Packages with one home, so that each can be replaced in one place. */
const packageHomes: Readonly<Record<string, string>> = {
  'fastest-levenshtein': '^src/config/',
  werift: '^src/media/webrtc/',
  ws: '^(src/node-link/link/|src/manager/(hub|live)/|test/|bench/)',
  esbuild: '^src/manager/web/',
  'openid-client': '^src/manager/access/',
  koffi: '^(src/posix/|test/)',
  kysely: '^(src/manager/store/|test/)',
  pg: '^(src/manager/store/|test/)',
  pino: '^src/(lib/logger[.]ts|cli/)',
  'pino-pretty': '^src/(lib/logger[.]ts|cli/)',
  '@matrixai/quic': '^(src/quic/quiche/|test/support/hostile[./-])',
};

function within(...paths: readonly string[]): string {
  return `^src/(${paths.join('|')})([.]ts$|/)`;
}

function packagePath(name: string): string {
  return `^(node_modules/)?(@types/)?${name}(/|$)`;
}

/** These count type imports too: who knows of whom is what they are about. */
export const layerRules: IForbiddenRuleType[] = [
  ...Object.entries(importTable).map(([folder, allowed]) => ({
    name: `table: ${folder}`,
    severity: 'error' as const,
    from: { path: within(folder) },
    to: { path: '^src/', pathNot: within(folder, ...allowed) },
  })),
  ...Object.entries(packageHomes).map(([name, home]) => ({
    name: `home: ${name}`,
    severity: 'error' as const,
    from: { path: '^(src|test|bench)/', pathNot: home },
    to: { path: packagePath(name) },
  })),
  {
    name: 'engines only through quic/engine',
    severity: 'error',
    from: { path: '^src/', pathNot: within('quic/engine', 'quic/quiche', 'quic/quinn') },
    to: { path: within('quic/quiche', 'quic/quinn') },
  },
  {
    name: 'one engine knows nothing of another',
    severity: 'error',
    from: { path: '^src/quic/(quiche|quinn)/' },
    to: { path: within('quic/quiche', 'quic/quinn'), pathNot: '^src/quic/$1/' },
  },
  {
    name: 'src knows nothing of tests',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(test|bench)/' },
  },
  {
    name: 'no development package in src',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^node_modules/(?!@types/)', dependencyTypes: ['npm-dev'] },
  },
  {
    name: 'no cycles',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
];

/** These count only what is loaded when the program runs. */
export const purityRules: IForbiddenRuleType[] = pure.map((path) => ({
  name: `pure: ${path}`,
  severity: 'error',
  from: { path: within(path) },
  to: { reachable: true, path: `^(node:)?(${ioModules.join('|')})(/|$)|${ioPackages.map(packagePath).join('|')}` },
}));
