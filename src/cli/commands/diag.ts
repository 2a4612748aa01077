import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Command } from 'commander';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { readJsonFile } from '../../config/json-file.ts';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/logger.ts';
import { addApiOptions, openApi, type ApiClient, type ApiFlags } from '../api-client.ts';
import { hideSecrets, withoutSecrets } from '../diag/hide-secrets.ts';
import { engineFacts, kernelTexts, machineFacts } from '../diag/machine-facts.ts';
import { tarArchive, type ArchiveFile } from '../diag/tar.ts';
import type { Terminal } from '../terminal.ts';
import { checkConfigText } from './check-config.ts';
import { statusText } from './status.ts';
import { whyText } from './why.ts';

interface DiagFlags extends ApiFlags {
  readonly out?: string;
}

const whySeconds = 2;
/** A support case is about one tunnel; more than these only make the bundle large. */
const mostTunnels = 50;
const apiPaths = [
  '/health',
  '/ready',
  '/metrics',
  '/api/v1/stats',
  '/api/v1/tunnels',
  '/api/v1/edges',
  '/api/v1/flows',
  '/api/v1/agents',
] as const;
const compress = promisify(gzip);

export function addDiag(program: Command, terminal: Terminal, clock: Clock): void {
  const command = program
    .command('diag')
    .description(
      'Writes a bundle (tar.gz) to hand to whoever helps: the config without its secrets, what check-config, ' +
        'status and why say, health, metrics and the last events of a running program, versions, and the state ' +
        'of the machine.\n' +
        'A program that does not answer costs only its part of the bundle.',
    )
    .option('-o, --out <file>', 'where the bundle goes (default adit-diag-TIME.tar.gz in this folder)');
  addApiOptions(command).action(async (flags: DiagFlags) => {
    const secrets = [flags.token, process.env['ADIT_API_TOKEN']].filter((text) => text !== undefined);
    const config = flags.config === undefined ? [] : await configFiles(flags.config, secrets, clock);
    const files = [...config, ...(await runningProgram(flags, clock)), ...(await machine(clock))].map((file) => ({
      ...file,
      content: withoutSecrets(file.content, secrets),
    }));
    const stamp = rfc3339(clock.now()).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const path = flags.out ?? `adit-diag-${stamp}.tar.gz`;
    await write(path, await compress(tarArchive(files.map(inFolder), clock.now())));
    terminal.out(
      `${path}: ${files.length} files, without the secrets of the config; look into it before you send it\n`,
    );
  });
}

function inFolder({ name, content }: ArchiveFile): ArchiveFile {
  return { name: `adit-diag/${name}`, content };
}

/** A bundle that is there already is kept: it may be of before the fault. */
async function write(path: string, bundle: Buffer): Promise<void> {
  try {
    await writeFile(path, bundle, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new AppError('io-failed', `cannot write ${path}; --out names another file`, { cause });
  }
}

/** Adds the secrets of the config to `secrets`. */
async function configFiles(path: string, secrets: string[], clock: Clock): Promise<ArchiveFile[]> {
  let content: unknown;
  try {
    content = await readJsonFile(path);
  } catch (error) {
    return [{ name: 'config-unreadable.txt', content: `${errorMessage(error)}\n` }];
  }
  const hidden = hideSecrets(content);
  secrets.push(...hidden.secrets);
  return [
    { name: 'config.json', content: pretty(hidden.shown) },
    { name: 'check-config.txt', content: await textOf(() => checkConfigText(path, clock)) },
  ];
}

async function runningProgram(flags: ApiFlags, clock: Clock): Promise<ArchiveFile[]> {
  let api: ApiClient;
  try {
    api = await openApi(flags, process.env);
    await api.text('/health');
  } catch (error) {
    return [{ name: 'no-answer.txt', content: `${errorMessage(error)}\n` }];
  }
  const files: ArchiveFile[] = [
    { name: 'status.txt', content: await textOf(() => statusText(api, clock)) },
    { name: 'why.txt', content: await textOf(() => whyText(api, flags.config, whySeconds, clock)) },
  ];
  for (const path of apiPaths) {
    const { status, text } = await api.text(path);
    if (status !== 404) files.push({ name: `api${path.replaceAll('/', '-')}.${extension(path)}`, content: text });
  }
  return [...files, ...(await tunnelFacts(api))];
}

function extension(path: string): 'txt' | 'json' {
  return path === '/metrics' ? 'txt' : 'json';
}

/** What the program knows of each tunnel, its last events included. */
async function tunnelFacts(api: ApiClient): Promise<ArchiveFile[]> {
  const ofRelay = z.object({ tunnels: z.array(withId('tunnel_id')) }).transform(({ tunnels }) => tunnels);
  const listed = await api.get('/api/v1/tunnels', z.union([ofRelay, z.array(withId('id'))]));
  if (listed.kind === 'not-found') return [];
  const files: ArchiveFile[] = [];
  for (const id of listed.body.slice(0, mostTunnels)) {
    files.push({ name: `tunnels/${id}.json`, content: (await api.text(`/api/v1/tunnels/${id}/why`)).text });
  }
  return files;
}

function withId(key: 'tunnel_id' | 'id'): z.ZodType<string> {
  return z.looseObject({ [key]: z.uuid() }).transform((fields) => String(fields[key]));
}

async function machine(clock: Clock): Promise<ArchiveFile[]> {
  const engines = await engineFacts(clock, createLogger({ level: 'silent' }));
  return [
    { name: 'versions.json', content: pretty({ adit: packageJson.version, engines, node: process.versions }) },
    { name: 'machine.json', content: pretty(machineFacts(clock)) },
    ...(await kernelTexts()),
  ];
}

/** What a command prints, or why it prints nothing. */
async function textOf(print: () => Promise<string>): Promise<string> {
  try {
    return await print();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${errorMessage(error)}\n`;
  }
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
