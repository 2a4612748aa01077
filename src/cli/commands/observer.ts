import { resolve } from 'node:path';
import process from 'node:process';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Clock, Timer } from '../../lib/clock.ts';
import { configFlags, REMOVED_FLAGS, valuesOfFlags, type ConfigFlag } from '../../observer/config/config-flags.ts';
import type { ObserverConfig } from '../../observer/config/observer-config.ts';
import { readConfigApart } from '../../observer/config/read-config-apart.ts';
import type { ObserverProgram } from '../../observer/observer-program.ts';
import { insecureAllowed } from '../service/insecure-allowed.ts';
import { refuseOthersConfig } from '../program-of-config.ts';
import { warnOfVisibleSecret } from '../visible-secret.ts';
import { runService, type Service, type ServiceDependencies } from '../service/run-service.ts';

type GivenFlags = Readonly<Record<string, string | true | readonly string[]>>;

interface StartedWith {
  readonly path: string | null;
  /** Of the flags. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly config: ObserverConfig;
}

export function addObserver(program: Command): void {
  const command = program
    .command('observer')
    .description(
      'Takes 32-byte beats (varta 0.2) over a UNIX socket or UDP until SIGINT or SIGTERM, and prints events as ' +
        'lines of JSON.\n' +
        'Every key of observer.json is a flag too, and a flag goes before the file; docs/observer.md explains ' +
        'each.',
    )
    .option('-c, --config <file>', 'the config file, such as observer.json; flags alone do as well');
  for (const flag of configFlags()) command.addOption(optionOf(flag));
  for (const [flag, instead] of Object.entries(REMOVED_FLAGS)) command.addOption(removedOption(flag, instead));
  warnOfVisibleSecret(command, '--api-token', 'write api_token into a config file with mode 0600');
  command.action(async (flags: GivenFlags) => {
    const path = typeof flags['config'] === 'string' ? flags['config'] : null;
    const values = valuesOfFlags(byKey(flags));
    if (path !== null) await refuseOthersConfig(path, 'observer');
    // Loads the program meanwhile.
    const [{ config, warnings }, { ObserverProgram }] = await Promise.all([
      readConfigApart(path, values),
      import('../../observer/observer-program.ts'),
    ]);
    const settings = {
      logLevel: config.log_level,
      warnings,
      loopLimitMs: config.self_watchdog_secs * 1000,
      // The thread that receives from the socket does.
      watchesLoop: config.socket !== null,
    };
    await runService('observer', settings, (dependencies) =>
      startObserver(ObserverProgram, { path, values, config }, dependencies),
    );
  });
}

function optionOf({ flag, description, form }: ConfigFlag): Option {
  const value = form === 'switch' ? '' : form === 'pair' ? ' <key=value...>' : ' <value>';
  const option = new Option(`${flag}${value}`, description);
  if (form === 'switch') return option;
  if (form === 'pair') return option.argParser(pairs);
  return option.argParser((text: string, before: string | undefined) => {
    if (before !== undefined) throw new InvalidArgumentError('It is given twice.');
    return text;
  });
}

function pairs(text: string, before: readonly string[] = []): readonly string[] {
  if (text.indexOf('=') < 1) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return [...before, text];
}

function removedOption(flag: string, instead: string): Option {
  return new Option(`${flag} <value>`).hideHelp().argParser(() => {
    throw new InvalidArgumentError(`It is no more: use ${instead}, which runs a program without a shell.`);
  });
}

/** commander names flags in camel case. */
function byKey(flags: GivenFlags): GivenFlags {
  const entries = Object.entries(flags).map(([name, value]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ]);
  return Object.fromEntries(entries) as GivenFlags;
}

async function startObserver(
  Program: typeof ObserverProgram,
  { path, values, config }: StartedWith,
  dependencies: ServiceDependencies,
): Promise<Service> {
  const { logger, clock } = dependencies;
  const observer = await Program.start(
    { config, configPath: path === null ? null : resolve(path), allowInsecure: insecureAllowed() },
    {
      ...dependencies,
      // In a turn of its own, where the crash guard sees it.
      failed: (error) => void clock.setTimeout(() => crash(error), 0),
      giveUp(reason) {
        logger.fatal({ reason }, 'ending');
        process.exitCode = 1;
        process.kill(process.pid, 'SIGTERM');
      },
    },
  );
  const end = endAfter(config.shutdown_after_secs, clock);
  return {
    facts: observer.facts(),
    watchedFiles: () => (path === null ? [] : [path]),
    async reload() {
      const { config: next, warnings } = await readConfigApart(path, values);
      return { ...(await observer.reload(next)), logLevel: next.log_level, warnings };
    },
    trimMemory: () => observer.trimMemory(),
    stop() {
      end?.cancel();
      return observer.stop();
    },
  };
}

function crash(error: unknown): never {
  throw error instanceof Error ? error : new Error(String(error));
}

function endAfter(seconds: number | null, clock: Clock): Timer | null {
  if (seconds === null) return null;
  return clock.setTimeout(() => void process.kill(process.pid, 'SIGTERM'), seconds * 1000);
}
