import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startObserverProcess, type ObserverProcess } from './observer-process.ts';

/** `adit observer` with a config file. File and socket are in a folder of its own, which goes with it. */
export class ConfiguredObserver implements AsyncDisposable {
  readonly program: ObserverProcess;
  readonly #folder: string;

  private constructor(program: ObserverProcess, folder: string) {
    this.program = program;
    this.#folder = folder;
  }

  /** Resolves when it has started. The config names no socket. `path` gives paths in its folder. */
  static async start(config: (path: (name: string) => string) => object): Promise<ConfiguredObserver> {
    const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    await write(
      folder,
      config((name) => join(folder, name)),
    );
    return new ConfiguredObserver(await startObserverProcess(['--config', configIn(folder)]), folder);
  }

  get socket(): string {
    return socketIn(this.#folder);
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Writes the config anew, and has it read. */
  async reload(config: object): Promise<void> {
    await write(this.#folder, config);
    this.program.child.kill('SIGHUP');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

function configIn(folder: string): string {
  return join(folder, 'observer.json');
}

function socketIn(folder: string): string {
  return join(folder, 'o.sock');
}

function write(folder: string, config: object): Promise<void> {
  return writeFile(configIn(folder), JSON.stringify({ socket: socketIn(folder), ...config }));
}
