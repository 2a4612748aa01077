import { renameSync, writeFileSync } from 'node:fs';

/** A file that shows a watchdog that the observer turns: `<loop count> <observer_ns>`, replaced at every turn. */
export class HeartbeatFile {
  readonly #path: string;
  #loops = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws the errors of node:fs. */
  beat(nowNs: number): void {
    this.#loops += 1;
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, `${this.#loops} ${Math.trunc(nowNs)}\n`, { mode: 0o600 });
    renameSync(temporary, this.#path);
  }
}
