import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEdgeConfig } from '../../src/edge/edge-config.ts';
import { startEdgeProgram } from '../../src/edge/edge-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { readJsonFile } from '../../src/lib/json-file.ts';
import { loadRelayConfig } from '../../src/relay/config/relay-config.ts';
import { startRelayProgram, type RelayProgram } from '../../src/relay/relay-program.ts';
import { RecordingLogger } from './recording-logger.ts';
import type { TestManager } from './test-manager.ts';
import { hastyRandom } from './test-node-link.ts';

export interface ManagedProgramOptions {
  readonly manager: TestManager;
  readonly nodeId: string;
  /** Further keys of the config file. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The files and the log of a program that a test runs in its own process. */
export interface ManagedProgram extends AsyncDisposable {
  readonly configPath: string;
  readonly log: RecordingLogger;
}

const softwareVersion = '0.0.0-test';

/** The whole relay program with real files, known to the manager under this id. */
export async function startManagedRelay(options: ManagedProgramOptions): Promise<ManagedProgram & RelayProgram> {
  await using starting = new AsyncDisposableStack();
  const files = await writeConfig(starting, options, 'config.json', {
    quic_addrs: ['127.0.0.1:0'],
    api_addrs: ['127.0.0.1:0'],
    drain_timeout_secs: 0,
  });
  const { config } = await loadRelayConfig(files.configPath);
  const program = await startRelayProgram(
    { config, configPath: files.configPath, certificateDir: join(files.directory, 'certs'), allowInsecure: false },
    dependencies(files.log),
  );
  starting.defer(() => program.stop());
  return managed(files, program, starting.move());
}

/** The whole edge program with real files. */
export async function startManagedEdge(options: ManagedProgramOptions): Promise<ManagedProgram> {
  await using starting = new AsyncDisposableStack();
  const files = await writeConfig(starting, options, 'edge.json', { edge_id: options.nodeId, tunnels: [] });
  const context = { directory: files.directory, hostname: hostname() };
  const parsed = parseEdgeConfig(await readJsonFile(files.configPath), context);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  const program = await startEdgeProgram(
    { config: parsed.config, configPath: files.configPath, allowInsecure: false },
    dependencies(files.log),
  );
  starting.defer(() => program.stop());
  return managed(files, program, starting.move());
}

function dependencies(logger: RecordingLogger) {
  return { clock: new SystemClock(), random: hastyRandom, logger, softwareVersion };
}

async function writeConfig(
  stack: AsyncDisposableStack,
  { manager, nodeId, config }: ManagedProgramOptions,
  name: string,
  defaults: Readonly<Record<string, unknown>>,
) {
  const directory = await mkdtemp(join(tmpdir(), 'adit-managed-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const secret = `secret of ${nodeId}`;
  manager.secrets.set(nodeId, new Set([secret]));
  const configPath = join(directory, name);
  const link = manager.configFor({ node_id: nodeId, node_secret: secret });
  await writeFile(configPath, `${JSON.stringify({ ...defaults, ...config, manager: link }, null, 2)}\n`);
  return { directory, configPath, log: new RecordingLogger() };
}

function managed<Program>(
  { configPath, log }: { configPath: string; log: RecordingLogger },
  program: Program,
  stack: AsyncDisposableStack,
): Program & ManagedProgram {
  return { ...program, configPath, log, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
