import { expect, it } from 'vitest';
import { ConfigFile } from '../../../src/config/config-file.ts';
import { MemoryFileSystem } from '../../support/fakes/memory-file-system.ts';

it('a config file as Windows editors write it keeps its mark and line ends when a key changes', async () => {
  const files = new MemoryFileSystem({ '/edge.json': '\uFEFF{\r\n  "manager": { "url": "wss://m/x" }\r\n}\r\n' });
  const file = new ConfigFile(files, '/edge.json');
  expect(await file.read()).toEqual({ manager: { url: 'wss://m/x' } });
  await file.edit([{ path: ['manager', 'node_id'], value: 'n-1' }]);
  await file.edit([{ path: ['edge_id'], value: 'studio' }]);
  expect(files.text('/edge.json')).toBe(
    '\uFEFF{\r\n  "manager": { "url": "wss://m/x", "node_id": "n-1" },\r\n  "edge_id": "studio"\r\n}\r\n',
  );
});
