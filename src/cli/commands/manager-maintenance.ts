import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { SystemRandom } from '../../lib/random.ts';
import { loadManagerConfig, type ManagerConfig } from '../../manager/config/manager-config.ts';
import type { ConsoleAnswer, ConsoleRequest } from '../../manager/maintenance/console-request.ts';
import type { OpenDatabase } from '../../manager/store/open-database.ts';
import { CommandFailed } from '../failure.ts';
import { printable, type Terminal } from '../terminal.ts';
import { problemFound } from '../why/finding.ts';

interface Context {
  readonly terminal: Terminal;
  readonly clock: Clock;
}

interface ConfigFlag {
  readonly config?: string;
}

const roles = ['viewer', 'operator', 'admin'] as const;
const dayMs = 86_400_000;

/** What is done with a manager's database from the command line. */
export function addMaintenance(manager: Command, context: Context): void {
  addBackup(manager, context);
  addRestore(manager, context);
  addCheck(manager, context);
  addCopyTo(manager, context);
  addRekey(manager, context);
  addResetAdmin(manager, context);
  addToken(manager, context);
}

function subcommand(manager: Command, usage: string, summary: string, description: string): Command {
  return manager
    .command(usage)
    .summary(summary)
    .description(description)
    .option('-c, --config <file>', 'the config file of the manager (manager.json)');
}

function addBackup(manager: Command, context: Context): void {
  subcommand(
    manager,
    'backup <file>',
    'write a copy of the database, also while the manager runs',
    'Writes a copy of the embedded database to a file, whole or not at all, also while the manager runs.\n' +
      'The master key is not in it. Keep a copy of that, too: without it no backup opens the keys of tunnels.',
  )
    .option('--replace', 'take the place of a file that is there')
    .action(async (file: string, flags: ConfigFlag & { readonly replace?: true }) => {
      const config = await configOf(flags);
      const path = resolve(file);
      await ask(config, context, { kind: 'backup', path, replace: flags.replace === true });
      context.terminal.out(`backup written to ${path}; its keys need the master key (${config.master_key_path})\n`);
    });
}

function addRestore(manager: Command, { terminal, clock }: Context): void {
  subcommand(
    manager,
    'restore <file>',
    'put a backup in the place of the database',
    'Puts a backup in the place of the embedded database of a manager that is stopped. The database that was ' +
      'there is kept under another name. People sign in again.\n' +
      'Nodes that changed since the backup show as drift. One whose secret was rotated since needs a new token.',
  ).action(async (file: string, flags: ConfigFlag) => {
    const config = await configOf(flags);
    const { restoreBackup } = await import('../../manager/maintenance/restore-backup.ts');
    const kept = await restoreBackup({ backupPath: resolve(file), databaseUrl: config.database.url, clock });
    terminal.out(`restored ${resolve(file)}; start the manager\n`);
    if (kept !== null) terminal.out(`the database that was there: ${kept}\n`);
  });
}

function addCheck(manager: Command, context: Context): void {
  subcommand(
    manager,
    'check [file]',
    'look for damage in the database, or in a backup',
    'Checks the database, also while the manager runs: its pages and references, the chain of the audit trail, and ' +
      'whether the master key opens what is sealed. With a file: that backup.\n' +
      `Status 0 when all is well, ${problemFound} when not.`,
  ).action(async (file: string | undefined, flags: ConfigFlag) => {
    const config = await configOf(flags);
    const databaseUrl = file === undefined ? config.database.url : `sqlite:${resolve(file)}`;
    const { problems, rows, sealed } = await ask(
      { ...config, database: { ...config.database, url: databaseUrl } },
      context,
      { kind: 'check' },
    );
    for (const problem of problems) context.terminal.out(printable(`✗ ${problem}\n`));
    const counts = Object.entries(rows).map(([table, count]) => `${count} ${table.replace('managed_', '')}`);
    context.terminal.out(
      `${problems.length === 0 ? '✓ sound' : `${problems.length} problems`}: ${counts.join(', ')}\n`,
    );
    context.terminal.out(`the master key opens ${sealed} sealed values\n`);
    if (problems.length > 0) context.terminal.exitWith?.(problemFound);
  });
}

function addCopyTo(manager: Command, { terminal, clock }: Context): void {
  subcommand(
    manager,
    'copy-to <url>',
    'copy the embedded database to PostgreSQL',
    'Copies everything that a stopped manager keeps to an empty PostgreSQL database, in one transaction, and ' +
      'reads each row back. The embedded database stays as it is.\n' +
      'A password is better given as PGPASSWORD than in the address, which other users of this machine can see.',
  ).action(async (url: string, flags: ConfigFlag) => {
    const config = await configOf(flags);
    if (!/^postgres(ql)?:\/\//.test(url)) throw new AppError('config-invalid', `${url} is not postgres://…`);
    await using source = await openStopped(config, clock);
    if (source.database.engine !== 'sqlite') {
      throw new AppError('config-invalid', 'the database is PostgreSQL already; pg_dump and pg_restore copy it');
    }
    const { openDatabase } = await import('../../manager/store/open-database.ts');
    const { copyTables } = await import('../../manager/store/copy-tables.ts');
    const target = await openDatabase(url, { clock, onError: () => undefined });
    try {
      const copied = await copyTables(source.database, target);
      const counts = copied.filter(({ rows }) => rows > 0).map(({ table, rows }) => `${rows} ${table}`);
      terminal.out(`copied and read back: ${counts.join(', ') || 'nothing, the database was empty'}\n`);
      terminal.out('set database.url to the new database, and give each instance the same ADIT_MASTER_KEY\n');
    } finally {
      await target.close();
    }
  });
}

function addRekey(manager: Command, { terminal, clock }: Context): void {
  subcommand(
    manager,
    'rekey',
    'seal everything with a new master key',
    'Seals the keys of all tunnels and webhooks anew with a new master key, in one transaction, while no ' +
      'manager runs. The old key is kept beside the new one: older backups need it.',
  )
    .option('--new-key-file <file>', 'holds the new key (64 hex digits); made where it is not there')
    .action(async (flags: ConfigFlag & { readonly newKeyFile?: string }) => {
      const config = await configOf(flags);
      const fromEnvironment = process.env['ADIT_MASTER_KEY'] !== undefined;
      const keyPath = config.master_key_path;
      if (keyPath === null || (fromEnvironment && flags.newKeyFile === undefined)) {
        throw new AppError('config-invalid', 'the key comes from ADIT_MASTER_KEY: name a file with --new-key-file');
      }
      const newKeyPath = flags.newKeyFile === undefined ? `${keyPath}.new` : resolve(flags.newKeyFile);
      await using opened = await openStopped(config, clock);
      const { openSealing } = await import('../../manager/secrets/open-sealing.ts');
      const { rekey } = await import('../../manager/maintenance/rekey.ts');
      const { leaseMs } = await import('../../manager/instances/instance-lease.ts');
      const random = new SystemRandom();
      const done = await rekey({
        database: opened.database,
        sealing: await openSealing(config, random, process.env),
        random,
        keyPath: fromEnvironment ? null : keyPath,
        newKeyPath,
        leaseMs,
      });
      terminal.out(`${done.values} values are sealed with the master key ${done.keyId}\n`);
      if (done.oldKeyPath !== null) terminal.out(`the old key, for older backups: ${done.oldKeyPath}\n`);
      else terminal.out(`give every instance the content of ${newKeyPath} as ADIT_MASTER_KEY\n`);
    });
}

function addResetAdmin(manager: Command, context: Context): void {
  subcommand(
    manager,
    'reset-admin [name]',
    'give an administrator a new password',
    'Makes the user (admin, when none is named) an administrator who may sign in, with a new password that is ' +
      'printed once, also while the manager runs. The sessions of that user end.',
  )
    .option('--password-file <file>', 'take the password from the first line of this file')
    .action(async (name: string | undefined, flags: ConfigFlag & { readonly passwordFile?: string }) => {
      const { passwordFile } = flags;
      const password = passwordFile === undefined ? newPassword() : await firstLine(passwordFile);
      const user = name ?? 'admin';
      const { outcome } = await ask(await configOf(flags), context, { kind: 'reset-admin', name: user, password });
      context.terminal.out(`${user} is an administrator${outcome === 'made' ? ', made now' : ''}\n`);
      if (passwordFile === undefined) context.terminal.out(`password: ${password}\n`);
    });
}

function addToken(manager: Command, context: Context): void {
  subcommand(
    manager,
    'token <name>',
    'make an API token',
    'Makes a token for the REST API and for adit status and adit why, and prints it once, also while the manager runs.',
  )
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('viewer'))
    .option('--days <number>', 'how long it is valid; for ever when not given', toDays)
    .action(
      async (name: string, flags: ConfigFlag & { readonly role: (typeof roles)[number]; readonly days?: number }) => {
        const expires_at = flags.days === undefined ? null : context.clock.now() + flags.days * dayMs;
        const request = { kind: 'token', name, role: flags.role, expires_at } as const;
        context.terminal.out(`${(await ask(await configOf(flags), context, request)).token}\n`);
      },
    );
}

async function configOf({ config: path }: ConfigFlag): Promise<ManagerConfig> {
  return (await loadManagerConfig(path ?? null, process.env, process.cwd())).config;
}

/** Sends the request to the manager that runs on the database. Without one, opens the database itself. */
async function ask<Kind extends ConsoleRequest['kind']>(
  config: ManagerConfig,
  { clock }: Context,
  request: Extract<ConsoleRequest, { kind: Kind }>,
): Promise<ConsoleAnswer<Kind>> {
  const { askConsole } = await import('../../manager/maintenance/ask-console.ts');
  const { sqlitePathOf } = await import('../../manager/store/open-database.ts');
  const path = sqlitePathOf(config.database.url);
  const answer = path === null ? null : await askConsole(path, request);
  if (answer !== null) return answer;
  const { carryOut } = await import('../../manager/maintenance/console-request.ts');
  await using opened = await openStopped(config, clock);
  const random = new SystemRandom();
  const sealing = request.kind === 'check' ? await sealingIfThere(config, random) : null;
  return (await carryOut(request, { database: opened.database, sealing, clock, random })) as ConsoleAnswer<Kind>;
}

/** The database that is there; none is made. */
async function openStopped(
  { database: { url } }: ManagerConfig,
  clock: Clock,
): Promise<AsyncDisposable & { readonly database: OpenDatabase }> {
  const { openDatabase, sqlitePathOf } = await import('../../manager/store/open-database.ts');
  const path = sqlitePathOf(url);
  if (path !== null && !existsSync(path)) throw new AppError('config-invalid', `there is no database at ${path}`);
  const database = await openDatabase(url, { clock, onError: () => undefined, asItIs: true });
  return { database, [Symbol.asyncDispose]: () => database.close() };
}

/** Null where there is no key: that is one of the problems that the check reports. */
async function sealingIfThere(config: ManagerConfig, random: SystemRandom) {
  const inEnvironment = process.env['ADIT_MASTER_KEY'] !== undefined;
  if (!inEnvironment && !(config.master_key_path !== null && existsSync(config.master_key_path))) return null;
  const { openSealing } = await import('../../manager/secrets/open-sealing.ts');
  return openSealing(config, random, process.env);
}

function newPassword(): string {
  return Buffer.from(new SystemRandom().bytes(18)).toString('base64url');
}

async function firstLine(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).split('\n', 1)[0]?.trim() ?? '';
  } catch (error) {
    throw new CommandFailed(`${path} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
}

function toDays(text: string): number {
  const days = Number(text);
  if (!(Number.isInteger(days) && days >= 1 && days <= 3650)) throw new InvalidArgumentError('It must be 1 to 3650.');
  return days;
}
