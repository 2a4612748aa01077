import { join } from 'node:path';

/** Programs that run as services. */
export const serviceNames = ['relay', 'edge', 'manager', 'observer'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The user that services run as. */
export const serviceUser = 'adit';

/** Where an installation lives; everything below `root`, which is `/` but for tests and images. */
export class Layout {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** A folder for each installed version, `current` and `previous` beside it. */
  get home(): string {
    return join(this.root, 'opt/adit');
  }

  get versions(): string {
    return join(this.home, 'versions');
  }

  /** What units and the command start: a link, so that it can be switched while programs run. */
  get current(): string {
    return join(this.home, 'current');
  }

  /** What a roll-back takes. */
  get previous(): string {
    return join(this.home, 'previous');
  }

  get command(): string {
    return join(this.root, 'usr/bin/adit');
  }

  /** Of `adit service install`; a Debian package has its own in /lib/systemd/system. */
  unit(service: ServiceName): string {
    return join(this.root, 'etc/systemd/system', unitName(service));
  }

  /** Config, certificate and state of one program. */
  folder(service: ServiceName): string {
    return join(this.root, 'var/lib', `adit-${service}`);
  }

  /** Where people look for configs: a link for each program. */
  get configs(): string {
    return join(this.root, 'etc/adit');
  }
}

export function unitName(service: ServiceName): string {
  return `adit-${service}.service`;
}

/** The name under which a program's unit expects its config. */
export function configName(service: ServiceName): string {
  return service === 'observer' ? 'observer.json' : 'config.json';
}
