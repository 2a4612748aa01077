import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

/** Hands a tunnel's way into the media worker over, by the tunnel's id and name. */
export type GateReceiver = (tunnels: readonly string[], port: MessagePort) => void;

/** One tunnel whose local end is a flow. */
export interface FlowGate {
  /** `datagram` is valid only during the call. False while no media worker is there. */
  send(datagram: Uint8Array): boolean;
  close(): void;
}

interface OpenGate {
  readonly names: readonly string[];
  readonly onDatagram: (datagram: Uint8Array) => void;
  port: MessagePort | null;
}

/** The tunnels of an edge that end in flows, and the media worker that they lead to. */
export class FlowGates {
  readonly #gates = new Map<TunnelId, OpenGate>();
  #receiver: GateReceiver | null = null;

  /** A media worker has started, or ended with null: every gate leads to it from now on. */
  leadTo(receiver: GateReceiver | null): void {
    this.#receiver = receiver;
    for (const gate of this.#gates.values()) this.#connect(gate);
  }

  open(id: TunnelId, name: string, onDatagram: (datagram: Uint8Array) => void): FlowGate {
    const gate: OpenGate = { names: [id, name], onDatagram, port: null };
    this.#gates.set(id, gate);
    this.#connect(gate);
    // Datagrams of one turn of the event loop cross the threads as one message.
    let batch: Uint8Array<ArrayBuffer>[] = [];
    const flush = (): void => {
      gate.port?.postMessage(
        batch,
        batch.map(({ buffer }) => buffer),
      );
      batch = [];
    };
    return {
      send: (datagram) => {
        if (gate.port === null) return false;
        if (batch.length === 0) setImmediate(flush);
        batch.push(Uint8Array.from(datagram));
        return true;
      },
      close: () => {
        if (this.#gates.get(id) === gate) this.#gates.delete(id);
        gate.port?.close();
        gate.port = null;
      },
    };
  }

  #connect(gate: OpenGate): void {
    gate.port?.close();
    gate.port = null;
    if (this.#receiver === null) return;
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (batch: readonly Uint8Array[]) => {
      for (const datagram of batch) gate.onDatagram(datagram);
    });
    gate.port = port1;
    this.#receiver(gate.names, port2);
  }
}
