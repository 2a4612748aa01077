import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { LocalUdp, LocalUdpSocket } from '../local-sockets.ts';
import type { QuicConnection, SocketAddress } from '../types.ts';
import type { NativeBinding } from './addon.ts';
import { socketError } from './quinn-error.ts';

export interface QuinnUdpDependencies {
  /** Throws AppError `closed` once the engine is closed. */
  readonly start: () => NativeBinding;
  readonly running: () => NativeBinding | undefined;
  /** Makes a leg without a socket. */
  readonly add: (binding: NativeBinding) => number;
  readonly remove: (leg: number) => void;
}

/** The engine's UDP leg of one tunnel, from the first `open` on. */
export class QuinnUdp implements LocalUdp {
  readonly #dependencies: QuinnUdpDependencies;
  #leg: number | null = null;

  constructor(dependencies: QuinnUdpDependencies) {
    this.#dependencies = dependencies;
  }

  // eslint asks for an await; the port asks for rejections instead of throws.
  async open(mode: 'bind' | 'connect', { ip, port }: SocketAddress): Promise<LocalUdpSocket> {
    const { start, running, add } = this.#dependencies;
    const binding = start();
    const leg = (this.#leg ??= add(binding));
    try {
      const taken = binding.openUdp(leg, ip, port, mode === 'connect');
      const close = (): Promise<void> => {
        running()?.closeUdp(leg);
        return Promise.resolve();
      };
      return await Promise.resolve({ port: taken, close });
    } catch (error) {
      const cause = socketError(mode, errorMessage(error), { ip, port });
      throw new AppError('address-unavailable', cause.message, { cause });
    }
  }

  sendOver(connection: QuicConnection | null): void {
    if (this.#leg !== null) this.#dependencies.running()?.sendUdpOver(this.#leg, connection?.id ?? -1);
  }

  receiveFrom(connection: QuicConnection): void {
    if (this.#leg !== null) this.#dependencies.running()?.receiveUdpFrom(this.#leg, connection.id);
  }

  close(): void {
    if (this.#leg !== null) this.#dependencies.remove(this.#leg);
    this.#leg = null;
  }
}
