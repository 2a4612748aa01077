import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { encodeBeat, type BeatFrame } from '../../../src/protocol/beat/beat-frame.ts';

interface Hello {
  readonly pid: number;
  readonly outerPid: number;
}

const repository = join(import.meta.dirname, '../../..');

/** Another process that beats as it is told. */
export class AgentProcess {
  /** As the observer sees it. */
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #nonce = 0n;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>, { outerPid }: Hello) {
    this.#child = child;
    this.#answers = answers;
    this.pid = outerPid;
  }

  /** `wrapper` is what starts it, such as `unshare -p -f`. */
  static async start(path: string, wrapper: readonly string[] = []): Promise<AgentProcess> {
    const script = join(repository, 'test/support/observer/agent-child.ts');
    const [command, ...args] = [...wrapper, process.execPath];
    const child = spawn(command, [...args, script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const hello = JSON.parse(String((await answers.next()).value)) as Hello;
    return new AgentProcess(child, answers, hello);
  }

  /** The next beat of a well-behaved agent, or with some fields changed. Returns the errno of sending it. */
  beat(fields: Partial<BeatFrame> = {}): Promise<number> {
    this.#nonce = fields.nonce ?? this.#nonce + 1n;
    const frame: BeatFrame = { status: 'Ok', pid: this.pid, timestamp: 1n, nonce: this.#nonce, payload: 0, ...fields };
    return this.send(encodeBeat(frame));
  }

  async send(bytes: Uint8Array, descriptors = 0): Promise<number> {
    const order = { hex: Buffer.from(bytes).toString('hex'), descriptors };
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { errno } = JSON.parse(String((await this.#answers.next()).value)) as { errno: number };
    return errno;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}
