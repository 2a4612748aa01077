import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEdgeConfig } from '../../../src/edge/config/edge-config.ts';
import { startEdgeProgram, type EdgeProgram } from '../../../src/edge/edge-program.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { readJsonFile } from '../../../src/config/json-file.ts';
import { SystemRandom, type Random } from '../../../src/lib/random.ts';
import { loadRelayConfig } from '../../../src/relay/config/relay-config.ts';
import { startRelayProgram, type RelayProgram } from '../../../src/relay/relay-program.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';

export type ConfigKeys = Readonly<Record<string, unknown>>;

/** The files and the log of a whole program that a test runs in its own process. */
export interface RunningProgram extends AsyncDisposable {
  readonly configPath: string;
  readonly log: RecordingLogger;
}

const softwareVersion = '0.0.0-test';

/** The whole relay program with real files, on free loopback ports. */
export async function runRelay(
  config: ConfigKeys,
  random: Random = new SystemRandom(),
): Promise<RunningProgram & RelayProgram> {
  await using starting = new AsyncDisposableStack();
  const files = await writeConfig(starting, 'config.json', {
    quic_addrs: ['127.0.0.1:0'],
    api_addrs: ['127.0.0.1:0'],
    drain_timeout_secs: 0,
    ...config,
  });
  const loaded = await loadRelayConfig(files.configPath);
  const certificateDir = join(files.directory, 'certs');
  const program = await startRelayProgram(
    { config: loaded.config, configPath: files.configPath, certificateDir, allowInsecure: false },
    { clock: new SystemClock(), random, logger: files.log, softwareVersion },
  );
  starting.defer(() => program.stop());
  return running(files, program, starting.move());
}

/** The whole edge program with real files. */
export async function runEdge(
  config: ConfigKeys,
  random: Random = new SystemRandom(),
): Promise<RunningProgram & EdgeProgram> {
  await using starting = new AsyncDisposableStack();
  const files = await writeConfig(starting, 'edge.json', config);
  const context = { directory: files.directory, hostname: hostname() };
  const parsed = parseEdgeConfig(await readJsonFile(files.configPath), context);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  const program = await startEdgeProgram(
    { config: parsed.config, configPath: files.configPath, allowInsecure: false },
    { clock: new SystemClock(), random, logger: files.log, softwareVersion },
  );
  starting.defer(() => program.stop());
  return running(files, program, starting.move());
}

interface Files {
  readonly directory: string;
  readonly configPath: string;
  readonly log: RecordingLogger;
}

async function writeConfig(stack: AsyncDisposableStack, name: string, config: ConfigKeys): Promise<Files> {
  const directory = await mkdtemp(join(tmpdir(), 'adit-program-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const configPath = join(directory, name);
  await writeFile(configPath, `${JSON.stringify(config, null, 2)}\n`);
  return { directory, configPath, log: new RecordingLogger() };
}

function running<Program>(
  { configPath, log }: Files,
  program: Program,
  stack: AsyncDisposableStack,
): Program & RunningProgram {
  return { ...program, configPath, log, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
