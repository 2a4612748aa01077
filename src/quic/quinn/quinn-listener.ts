import type { IncomingDecision, ListenerHandler, QuicListener, SocketAddress, TlsIdentity } from '../types.ts';
import type { NativeBinding, NativeListening } from './addon.ts';
import { appErrorOf } from './quinn-error.ts';

const decisions: readonly IncomingDecision[] = ['accept', 'retry', 'refuse', 'ignore'];

export class QuinnListener implements QuicListener {
  readonly id: number;
  readonly address: SocketAddress;
  readonly socketReceiveBufferBytes: number | null;
  readonly socketSendBufferBytes: number | null;
  readonly handler: ListenerHandler;
  readonly #binding: NativeBinding;
  readonly #closed = Promise.withResolvers<undefined>();
  #isClosing = false;

  constructor(binding: NativeBinding, listening: NativeListening, handler: ListenerHandler) {
    this.#binding = binding;
    this.id = listening.id;
    this.address = { ip: listening.ip, port: listening.port };
    this.socketReceiveBufferBytes = listening.receiveBuffer ?? null;
    this.socketSendBufferBytes = listening.sendBuffer ?? null;
    this.handler = handler;
  }

  setTls({ certificate, privateKey }: TlsIdentity): void {
    try {
      this.#binding.setTls(this.id, certificate, privateKey);
    } catch (error) {
      throw appErrorOf(error);
    }
  }

  stopAccepting(): void {
    this.#binding.stopAccepting(this.id);
  }

  close(reason: string): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#binding.closeListener(this.id, reason);
    }
    return this.#closed.promise;
  }

  tellIncoming(attempt: number, validated: boolean, remote: SocketAddress): void {
    // An attempt without an answer would take one of the engine's few places for good.
    let decision: IncomingDecision = 'refuse';
    try {
      decision = this.handler.onIncoming({ remote, validated });
    } finally {
      this.#binding.answer(this.id, attempt, decisions.indexOf(decision));
    }
  }

  tellFailed(reason: string): void {
    this.handler.onFailed(new Error(reason));
  }

  tellClosed(): void {
    this.#isClosing = true;
    this.#closed.resolve(undefined);
  }
}
