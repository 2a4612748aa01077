import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { AppError } from '../../lib/app-error.ts';
import { configName, Layout, serviceNames, unitName, type ServiceName } from '../install/layout.ts';
import { System, type Owner } from '../install/system.ts';
import { observerSocketText, unitText } from '../install/unit-text.ts';
import { installedVersions, previousVersion, pruneVersions, replaceLink, useVersion } from '../install/versions.ts';
import { refuseOthersConfig } from '../program-of-config.ts';
import type { Terminal } from '../terminal.ts';

interface RootFlag {
  readonly root: string;
}

interface InstallFlags extends RootFlag {
  readonly config?: string;
}

interface UseFlags extends RootFlag {
  readonly restart: boolean;
}

const here = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** `npm run package` puts it into what can be installed. */
const packageMark = 'PACKAGE.json';
/** Of `adit keygen --pin`. */
const certificateFiles = ['self-signed.crt', 'self-signed.key'];

export function addService(program: Command, terminal: Terminal): void {
  const service = program
    .command('service')
    .description(
      'Installs programs of this package as systemd services, and switches between installed versions.\n' +
        'An upgrade leaves what runs as it is until it is restarted. A Debian package installs its units by itself.',
    );
  const add = (name: string, summary: string): Command =>
    service
      .command(name)
      .description(summary)
      .option('--root <folder>', 'the machine’s files are below this folder', '/');
  add('install', 'Installs this version, and a program as a service that starts now and at boot.')
    .addArgument(programArgument())
    .option('-c, --config <file>', 'its config; what is in certs/ beside it comes along')
    .action((name: ServiceName, flags: InstallFlags) => install(name, flags, terminal));
  add('uninstall', 'Stops a program and removes its service. Its folder with config and state stays.')
    .addArgument(programArgument())
    .action((name: ServiceName, flags: RootFlag) => uninstall(name, new Layout(resolve(flags.root)), terminal));
  add('versions', 'Lists the installed versions.').action((flags: RootFlag) => list(flags, terminal));
  add('use', 'Takes another installed version, and restarts the services that run.')
    .argument('<version>', 'as adit service versions lists it')
    .option('--no-restart', 'leave running services as they are until they are restarted')
    .action((version: string, flags: UseFlags) => use(version, flags, terminal));
  add('rollback', 'Goes back to the version before, and restarts the services that run.')
    .option('--no-restart', 'leave running services as they are until they are restarted')
    .action((flags: UseFlags) => use(previousVersion(new Layout(resolve(flags.root))), flags, terminal));
  add('prune', 'Removes installed versions that are neither current nor previous and run nowhere.').action(
    (flags: RootFlag) => {
      const layout = new Layout(resolve(flags.root));
      new System(layout).requireRoot();
      const gone = pruneVersions(layout);
      terminal.out(gone.length === 0 ? 'nothing to remove\n' : gone.map((version) => `removed ${version}\n`).join(''));
    },
  );
}

function programArgument(): Argument {
  return new Argument('<program>', 'what is to run').choices(serviceNames);
}

async function install(name: ServiceName, { root, config }: InstallFlags, terminal: Terminal): Promise<void> {
  const layout = new Layout(resolve(root));
  const system = new System(layout);
  system.requireRoot();
  if (config !== undefined) await refuseOthersConfig(config, name);
  requireConfig(name, config, layout);
  copyVersion(layout);
  const owner = system.owner();
  placeConfig(name, config, layout, owner);
  replaceLink(join(layout.configs, name), relative(layout.configs, layout.folder(name)));
  mkdirSync(dirname(layout.unit(name)), { recursive: true });
  writeFileSync(layout.unit(name), unitText(name));
  const units = [unitName(name)];
  if (name === 'observer') {
    writeFileSync(join(dirname(layout.unit(name)), 'adit-observer.socket'), observerSocketText());
    units.unshift('adit-observer.socket');
  }
  system.systemctl('daemon-reload');
  system.systemctl('enable', '--now', ...units);
  terminal.out(
    `${name} ${packageJson.version} is installed; its config is ${layout.configs}/${name}/${configName(name)}\n`,
  );
  if (!system.hasSystemd)
    terminal.out(`no systemd runs here, so nothing was started: ${layout.unit(name)} is for the next boot\n`);
}

/** A manager makes what it needs; the others stand still without a config. */
function requireConfig(name: ServiceName, config: string | undefined, layout: Layout): void {
  if (config !== undefined || name === 'manager' || existsSync(join(layout.folder(name), configName(name)))) return;
  throw new AppError(
    'config-invalid',
    `--config is missing: a ${name} does not run without one; adit keygen makes one`,
  );
}

/** This package into its folder, unless it runs from there, and the link to it. */
function copyVersion(layout: Layout): void {
  const { version } = packageJson;
  const target = join(layout.versions, version);
  if (here !== target) {
    if (!existsSync(join(here, packageMark))) {
      throw new AppError(
        'unavailable',
        'this is a checkout, whose files change under a service that runs; npm run package makes what can be installed',
      );
    }
    const fresh = join(layout.versions, `.new-${version}`);
    rmSync(fresh, { recursive: true, force: true });
    cpSync(here, fresh, { recursive: true, verbatimSymlinks: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  }
  useVersion(layout, version);
  replaceLink(layout.command, relative(dirname(layout.command), join(layout.current, 'bin/adit')));
}

/** With the certificate that keygen made in `certs/` beside it, all readable by the service's user alone. */
function placeConfig(name: ServiceName, config: string | undefined, layout: Layout, owner: Owner | null): void {
  const folder = layout.folder(name);
  const target = join(folder, configName(name));
  if (existsSync(target)) {
    if (config === undefined) return;
    throw new AppError('io-failed', `${target} is there already: change that file, or move it away`);
  }
  const certificates = config === undefined ? '' : join(dirname(config), 'certs');
  const files = [
    { path: target, content: config === undefined ? '{}\n' : readFileSync(config) },
    ...certificateFiles
      .filter((file) => existsSync(join(certificates, file)))
      .map((file) => ({ path: join(folder, 'certs', file), content: readFileSync(join(certificates, file)) })),
  ];
  for (const { path, content } of files) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, content, { mode: 0o600 });
  }
  if (owner === null) return;
  for (const path of new Set(files.flatMap((file) => [dirname(file.path), file.path])))
    chownSync(path, owner.uid, owner.gid);
}

function uninstall(name: ServiceName, layout: Layout, terminal: Terminal): void {
  const system = new System(layout);
  system.requireRoot();
  if (!existsSync(layout.unit(name))) {
    throw new AppError(
      'config-invalid',
      `${layout.unit(name)} is not there: adit service install has not installed it`,
    );
  }
  const units = name === 'observer' ? ['adit-observer.socket', unitName(name)] : [unitName(name)];
  system.systemctl('disable', '--now', ...units);
  for (const unit of units) rmSync(join(dirname(layout.unit(name)), unit), { force: true });
  system.systemctl('daemon-reload');
  terminal.out(`${name} is no service any more; ${layout.folder(name)} has its config and state still\n`);
}

function list({ root }: RootFlag, terminal: Terminal): void {
  const versions = installedVersions(new Layout(resolve(root)));
  const words = (version: (typeof versions)[number]): string =>
    [
      version.version,
      ...(version.current ? ['current'] : []),
      ...(version.previous ? ['previous'] : []),
      ...(version.running ? ['running'] : []),
    ].join(' ');
  terminal.out(versions.length === 0 ? 'no version is installed\n' : `${versions.map(words).join('\n')}\n`);
}

function use(version: string, { root, restart }: UseFlags, terminal: Terminal): void {
  const layout = new Layout(resolve(root));
  const system = new System(layout);
  system.requireRoot();
  useVersion(layout, version);
  const active = restart ? system.activeServices() : [];
  for (const service of active) system.systemctl('restart', unitName(service));
  const restarted =
    active.length === 0 ? 'what runs stays as it is until it is restarted' : `restarted: ${active.join(', ')}`;
  terminal.out(`${version} is the current version; ${restarted}\n`);
}
