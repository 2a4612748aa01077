import { POSIX, type Libc } from './libc.ts';

/** The same on every processor. */
const pidfdOpen = 434;

/** Descriptors that stand for one process each, also when its pid is given to another one later (pidfd_open(2)). */
export class ProcessHandles {
  readonly #libc: Libc;
  readonly #poll = new Uint8Array(8);
  readonly #view = new DataView(this.#poll.buffer);

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Null where there is no such process, or no descriptor for it. */
  open(pid: number): number | null {
    const handle = this.#libc.syscall(pidfdOpen, pid, null, 0);
    return handle < 0 ? null : handle;
  }

  isRunning(handle: number): boolean {
    this.#view.setInt32(0, handle, true);
    this.#view.setInt16(4, POSIX.POLLIN, true);
    return this.#libc.poll(this.#poll, 1, 0) === 0;
  }

  close(handle: number): void {
    this.#libc.close(handle);
  }
}
