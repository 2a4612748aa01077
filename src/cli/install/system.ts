import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { AppError } from '../../lib/app-error.ts';
import { serviceNames, serviceUser, unitName, type Layout, type ServiceName } from './layout.ts';

/** Owner of files by number, as `chown` takes it. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What an installation changes on the machine beside files. */
export class System {
  readonly #isThisMachine: boolean;

  /** Below another root nothing is started, and no user is made: that is for the machine that boots from it. */
  constructor(layout: Layout) {
    this.#isThisMachine = layout.root === '/';
  }

  get hasSystemd(): boolean {
    return this.#isThisMachine && existsSync('/run/systemd/system');
  }

  /** Throws AppError `unavailable` where it takes root and we are not. */
  requireRoot(): void {
    if (this.#isThisMachine && process.getuid?.() !== 0) {
      throw new AppError('unavailable', 'this changes the machine, so it takes root: run it with sudo');
    }
  }

  /** The user that services run as, made where it is missing; null below another root. */
  owner(): Owner | null {
    if (!this.#isThisMachine) return null;
    if (idOf('-u') === null) {
      run('useradd', [
        '--system',
        '--user-group',
        '--home-dir',
        '/nonexistent',
        '--no-create-home',
        '--shell',
        '/usr/sbin/nologin',
        serviceUser,
      ]);
    }
    const [uid, gid] = [idOf('-u'), idOf('-g')];
    if (uid === null || gid === null) throw new AppError('unavailable', `the user ${serviceUser} is not there`);
    return { uid, gid };
  }

  systemctl(...args: readonly string[]): void {
    if (this.hasSystemd) run('systemctl', args);
  }

  /** Those that run now. */
  activeServices(): readonly ServiceName[] {
    if (!this.hasSystemd) return [];
    return serviceNames.filter(
      (service) => spawnSync('systemctl', ['is-active', '--quiet', unitName(service)]).status === 0,
    );
  }
}

function idOf(flag: '-u' | '-g'): number | null {
  const { status, stdout } = spawnSync('id', [flag, serviceUser], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : null;
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new AppError('unavailable', `${command} ${args.join(' ')} failed: ${error?.message ?? stderr.trim()}`);
}
