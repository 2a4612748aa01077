import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importViolations } from '../support/import-violations.ts';
import { importTable, layerRules, purityRules } from './import-rules.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'adit-import-rules-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Writes a file for each importer, and for each of its imports that is a path of this tree. */
async function writeTree(imports: Readonly<Record<string, readonly string[]>>, typeOnly: boolean): Promise<void> {
  const files = new Map<string, string>();
  for (const [importer, targets] of Object.entries(imports)) {
    for (const target of targets) if (target.endsWith('.ts')) files.set(target, files.get(target) ?? 'export {};\n');
    const lines = targets.map((target) => {
      const specifier = target.endsWith('.ts') ? `./${relative(dirname(importer), target)}` : target;
      return typeOnly ? `import type { It } from '${specifier}';` : `import '${specifier}';`;
    });
    files.set(importer, `${lines.join('\n')}\nexport {};\n`);
  }
  for (const [path, text] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

async function brokenRules(imports: Readonly<Record<string, readonly string[]>>, typeOnly = false): Promise<string[]> {
  await writeTree(imports, typeOnly);
  const folders = [...new Set(Object.keys(imports).map((path) => path.split('/')[0] ?? path))];
  const layers = await importViolations(layerRules, { baseDir: directory, folders, typeImports: true });
  const purity = await importViolations(purityRules, { baseDir: directory, folders, typeImports: false });
  return [...layers.violations, ...purity.violations].map((violation) => violation.replace(/: [^:]* → .*$/, ''));
}

describe('the import rules', () => {
  it.each([
    ['table: lib', 'src/lib/a.ts', 'src/protocol/b.ts'],
    ['table: protocol', 'src/protocol/a.ts', 'src/quic/types.ts'],
    ['table: quic', 'src/quic/a.ts', 'src/protocol/b.ts'],
    ['table: node-link', 'src/node-link/a.ts', 'src/relay/relay.ts'],
    ['table: relay', 'src/relay/relay.ts', 'src/edge/edge.ts'],
    ['table: edge', 'src/edge/edge.ts', 'src/relay/relay.ts'],
    ['table: relay/tunnels', 'src/relay/tunnels/a.ts', 'src/relay/events/b.ts'],
    ['table: relay/events', 'src/relay/events/a.ts', 'src/quic/types.ts'],
    ['table: relay/forwarding', 'src/relay/forwarding/a.ts', 'src/relay/session/b.ts'],
    ['table: relay/session', 'src/relay/session/a.ts', 'src/node-link/b.ts'],
    ['table: relay/config', 'src/relay/config/a.ts', 'src/quic/engine.ts'],
    ['table: relay/admin', 'src/relay/admin/a.ts', 'src/relay/session/b.ts'],
    ['table: relay/admission', 'src/relay/admission.ts', 'src/relay/config/b.ts'],
    ['table: cli', 'src/cli/a.ts', 'src/quic/types.ts'],
    ['table: main', 'src/main.ts', 'src/relay/relay.ts'],
    ['home: ws', 'src/relay/a.ts', 'ws'],
    ['home: pino', 'src/relay/a.ts', 'pino'],
    ['home: pino-pretty', 'test/unit/a.ts', 'pino-pretty'],
    ['home: @matrixai/quic', 'test/integration/a.ts', '@matrixai/quic'],
    ['home: @matrixai/quic', 'src/quic/engine.ts', '@matrixai/quic/dist/native'],
    ['engines only through quic/engine', 'src/relay/relay.ts', 'src/quic/quiche/a.ts'],
    ['engines only through quic/engine', 'src/quic/types.ts', 'src/quic/native/a.ts'],
    ['one engine knows nothing of another', 'src/quic/native/a.ts', 'src/quic/quiche/a.ts'],
    ['src knows nothing of tests', 'src/lib/a.ts', 'test/support/b.ts'],
  ])('%s: refuse %s importing %s, for types too', async (rule, importer, target) => {
    expect(await brokenRules({ [importer]: [target] })).toContain(rule);
    expect(await brokenRules({ [importer]: [target] }, true)).toContain(rule);
  });

  it('refuse a circle', async () => {
    const imports = { 'src/lib/a.ts': ['src/lib/b.ts'], 'src/lib/b.ts': ['src/lib/a.ts'] };
    expect(await brokenRules(imports)).toContain('no cycles');
  });

  it.each(['node:fs/promises', 'net', 'node:dgram', 'ws', 'node:timers/promises'])(
    'refuse %s where only decisions are made, also by a detour',
    async (target) => {
      const direct = await brokenRules({ 'src/protocol/a.ts': [target] });
      expect(direct).toContain('pure: protocol');
      const detour = { 'src/relay/session/session.ts': ['src/lib/a.ts'], 'src/lib/a.ts': [target] };
      expect(await brokenRules(detour)).toContain('pure: relay/session/session');
    },
  );

  it('let what only decides know the types of what does I/O', async () => {
    const imports = { 'src/relay/tunnels/a.ts': ['src/lib/logger.ts'] };
    await writeTree({ 'src/lib/logger.ts': ['pino'] }, false);
    expect(await brokenRules(imports, true)).toEqual([]);
  });

  it('allow all that the table allows', async () => {
    const imports = Object.fromEntries(
      Object.entries(importTable).map(([folder, allowed]) => [
        folder === 'main' ? 'src/main.ts' : `src/${folder}/user.ts`,
        allowed.map((path) => (path.startsWith('quic/') ? `src/${path}.ts` : `src/${path}/used.ts`)),
      ]),
    );
    expect(await brokenRules(imports)).toEqual([]);
  });

  it('allow tests to import anything but the QUIC package, and that in test/support/hostile only', async () => {
    expect(
      await brokenRules({
        'test/a.test.ts': ['src/quic/quiche/a.ts', 'ws', 'vitest', 'node:fs'],
        'test/support/hostile/b.ts': ['@matrixai/quic'],
      }),
    ).toEqual([]);
  });
});
