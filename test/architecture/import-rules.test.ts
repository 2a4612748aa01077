import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { importViolations } from '../support/import-violations.ts';
import { importTable, layerRules, purityRules } from './import-rules.ts';

type Import = readonly [importer: string, target: string];

/** Builds a tree of files that have these imports and no others, and lists which of them break which rule. */
async function violationsOf(imports: readonly Import[], typeOnly: boolean): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'adit-import-rules-'));
  try {
    for (const [path, text] of sources(imports, typeOnly)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    const options = { baseDir: directory, folders: [...new Set(imports.map(([importer]) => topFolder(importer)))] };
    const layers = await importViolations(layerRules, { ...options, typeImports: true });
    const purity = await importViolations(purityRules, { ...options, typeImports: false });
    return [...layers.violations, ...purity.violations];
  } finally {
    await rm(directory, { recursive: true });
  }
}

function sources(imports: readonly Import[], typeOnly: boolean): Map<string, string> {
  const files = new Map<string, string>();
  for (const [importer, target] of imports) {
    const inTree = target.endsWith('.ts');
    const specifier = inTree ? `./${relative(dirname(importer), target)}` : target;
    const line = typeOnly ? `import type { It } from '${specifier}';\n` : `import '${specifier}';\n`;
    files.set(importer, `${files.get(importer) ?? 'export {};\n'}${line}`);
    if (inTree) files.set(target, files.get(target) ?? 'export {};\n');
  }
  return files;
}

function topFolder(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

/** Closes the circle of `no cycles`, which is reported once. */
const wayBack: Import = ['src/lib/d.ts', 'src/lib/c.ts'];

const refused: readonly (readonly [rule: string, ...Import])[] = [
  ['table: lib', 'src/lib/a.ts', 'src/protocol/b.ts'],
  ['table: config', 'src/config/a.ts', 'src/protocol/b.ts'],
  ['table: protocol', 'src/protocol/a.ts', 'src/quic/types.ts'],
  ['table: protocol/tunnel', 'src/protocol/tunnel/a.ts', 'src/protocol/node/b.ts'],
  ['table: quic', 'src/quic/a.ts', 'src/protocol/b.ts'],
  ['table: quic/quiche/quirks', 'src/quic/quiche/quirks/a.ts', 'src/quic/quiche/stream.ts'],
  ['table: node-link', 'src/node-link/a.ts', 'src/relay/relay.ts'],
  ['table: node-link/link', 'src/node-link/link/a.ts', 'src/node-link/journal/b.ts'],
  ['table: node-link/journal', 'src/node-link/journal/a.ts', 'src/node-link/commands/b.ts'],
  ['table: node-link/credentials', 'src/node-link/credentials/a.ts', 'src/node-link/link/b.ts'],
  ['table: node-link/commands', 'src/node-link/commands/a.ts', 'src/node-link/journal/b.ts'],
  ['table: tunnel-wire', 'src/tunnel-wire/a.ts', 'src/quic/engine.ts'],
  ['table: relay', 'src/relay/relay.ts', 'src/edge/edge.ts'],
  ['table: edge', 'src/edge/edge.ts', 'src/relay/relay.ts'],
  ['table: edge/config', 'src/edge/config/a.ts', 'src/edge/events/b.ts'],
  ['table: edge/events', 'src/edge/events/a.ts', 'src/edge/config/b.ts'],
  ['table: edge/uplink', 'src/edge/uplink/a.ts', 'src/edge/local/b.ts'],
  ['table: edge/local', 'src/edge/local/a.ts', 'src/edge/tunnel/b.ts'],
  ['table: edge/tunnel', 'src/edge/tunnel/a.ts', 'src/edge/manager-link/b.ts'],
  ['table: edge/admin', 'src/edge/admin/a.ts', 'src/edge/tunnel/b.ts'],
  ['table: edge/manager-link', 'src/edge/manager-link/a.ts', 'src/edge/uplink/b.ts'],
  ['table: relay/tunnels', 'src/relay/tunnels/a.ts', 'src/relay/events/b.ts'],
  ['table: relay/events', 'src/relay/events/a.ts', 'src/quic/types.ts'],
  ['table: relay/forwarding', 'src/relay/forwarding/a.ts', 'src/relay/session/b.ts'],
  ['table: relay/session', 'src/relay/session/a.ts', 'src/node-link/b.ts'],
  ['table: relay/config', 'src/relay/config/a.ts', 'src/quic/engine.ts'],
  ['table: relay/admin', 'src/relay/admin/a.ts', 'src/relay/session/b.ts'],
  ['table: relay/reception', 'src/relay/reception/a.ts', 'src/relay/config/b.ts'],
  ['table: relay/report', 'src/relay/report/a.ts', 'src/relay/events/b.ts'],
  ['table: relay/manager-link', 'src/relay/manager-link/a.ts', 'src/relay/session/b.ts'],
  ['table: cli', 'src/cli/a.ts', 'src/quic/types.ts'],
  ['table: cli/service', 'src/cli/service/a.ts', 'src/relay/b.ts'],
  ['table: cli/status', 'src/cli/status/a.ts', 'src/cli/commands/b.ts'],
  ['table: cli/why', 'src/cli/why/a.ts', 'src/cli/commands/b.ts'],
  ['table: manager/api', 'src/manager/api/a.ts', 'src/manager/hub/b.ts'],
  ['table: manager/fleet', 'src/manager/fleet/a.ts', 'src/manager/api/b.ts'],
  ['table: manager/reconciler', 'src/manager/reconciler/a.ts', 'src/manager/fleet/b.ts'],
  ['table: manager/instances', 'src/manager/instances/a.ts', 'src/manager/hub/b.ts'],
  ['table: observer/admin', 'src/observer/admin/a.ts', 'src/observer/recovery/b.ts'],
  ['table: observer/manager-link', 'src/observer/manager-link/a.ts', 'src/observer/beats/b.ts'],
  ['table: media/flow', 'src/media/flow/a.ts', 'src/edge/b.ts'],
  ['table: main', 'src/main.ts', 'src/relay/relay.ts'],
  ['home: fastest-levenshtein', 'src/cli/a.ts', 'fastest-levenshtein'],
  ['home: ws', 'src/relay/a.ts', 'ws'],
  ['home: pino', 'src/relay/a.ts', 'pino'],
  ['home: pino-pretty', 'test/unit/a.ts', 'pino-pretty'],
  ['home: @matrixai/quic', 'test/integration/a.ts', '@matrixai/quic'],
  ['home: @matrixai/quic', 'src/quic/engine.ts', '@matrixai/quic/dist/native'],
  ['engines only through quic/engine', 'src/relay/relay.ts', 'src/quic/quiche/a.ts'],
  ['engines only through quic/engine', 'src/quic/types.ts', 'src/quic/quinn/a.ts'],
  ['one engine knows nothing of another', 'src/quic/quinn/a.ts', 'src/quic/quiche/a.ts'],
  ['src knows nothing of tests', 'src/lib/a.ts', 'test/support/b.ts'],
  ['no cycles', 'src/lib/c.ts', 'src/lib/d.ts'],
];

describe.each([
  ['imports', false],
  ['type imports', true],
] as const)('the rules for %s', (_kind, typeOnly) => {
  let violations: string[];
  beforeAll(async () => {
    violations = await violationsOf([...refused.map(([, ...edge]) => edge), wayBack], typeOnly);
  });

  it.each(refused)('%s: refuse %s importing %s', (rule, importer, target) => {
    expect(violations).toContain(`${rule}: ${importer} → ${target}`);
  });
});

describe('what only decides', () => {
  it.each(['node:fs/promises', 'net', 'node:dgram', 'ws', 'node:timers/promises'])(
    'may not load %s',
    async (target) => {
      const violations = await violationsOf(
        [
          ['src/protocol/direct.ts', target],
          ['src/relay/session/session.ts', 'src/lib/detour.ts'],
          ['src/lib/detour.ts', target],
        ],
        false,
      );
      const name = target.replace('node:', '');
      expect(violations).toContain(`pure: protocol: src/protocol/direct.ts → ${name}`);
      expect(violations).toContain(`pure: relay/session/session: src/relay/session/session.ts → ${name}`);
    },
  );

  it('may know the types of what does I/O', async () => {
    expect(await violationsOf([['src/relay/tunnels/a.ts', 'node:net']], true)).toEqual([]);
  });
});

describe('what the rules allow', () => {
  it('is all that the table names', async () => {
    const imports = Object.entries(importTable).flatMap(([folder, allowed]) =>
      allowed.map((path): Import => {
        const importer = folder === 'main' ? 'src/main.ts' : `src/${folder}/user.ts`;
        return [importer, path.startsWith('quic/') ? `src/${path}.ts` : `src/${path}/used.ts`];
      }),
    );
    expect(await violationsOf(imports, false)).toEqual([]);
  });

  it('is anything in a test, but the QUIC package in test/support/hostile only', async () => {
    const imports: Import[] = [
      ['test/a.test.ts', 'src/quic/quiche/a.ts'],
      ['test/a.test.ts', 'ws'],
      ['test/a.test.ts', 'node:fs'],
      ['test/support/hostile/b.ts', '@matrixai/quic'],
    ];
    expect(await violationsOf(imports, false)).toEqual([]);
  });
});
