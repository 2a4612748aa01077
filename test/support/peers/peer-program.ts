import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A program of others that runs beside a test; killed with it. */
export class PeerProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #name: string;
  #out: Buffer[] = [];
  #errors = '';

  constructor(command: string, args: readonly string[]) {
    this.#name = command;
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (data: Buffer) => this.#out.push(data));
    this.#child.stderr?.on('data', (data: Buffer) => (this.#errors += data.toString()));
  }

  /** What it has written to its standard output. */
  get output(): Buffer {
    return Buffer.concat(this.#out);
  }

  /** What it has written since the last call. */
  takeOutput(): Buffer {
    return Buffer.concat(this.#out.splice(0));
  }

  get complaints(): string {
    return this.#errors;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit status; rejects with its complaints when it could not be started. */
  async ends(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const [code] = (await once(this.#child, 'exit')) as [number | null];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} is not installed: see .ci/packages`);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** ffmpeg that makes a picture and a sound of its own, H.264 without B-frames and AAC, and sends them where `output` says. */
export function ffmpegSource(...output: readonly string[]): PeerProgram {
  return new PeerProgram('ffmpeg', [
    ...['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-b:v', '1500k', '-c:a', 'aac'],
    ...output,
  ]);
}
