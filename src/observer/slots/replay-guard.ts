/** What is remembered of one sender address: the highest counter of the current and of the previous iv. */
interface Sender {
  readonly ivs: Map<string, number>;
  lastNs: number;
}

const maxSenders = 1024;
const idleNs = 600e9;
const maxIvs = 2;

/** Refuses encrypted beats that were seen before. To be asked only about datagrams that a key has opened. */
export class ReplayGuard {
  readonly #senders = new Map<string, Sender>();

  check(address: string, iv: string, counter: number, nowNs: number): 'fresh' | 'replayed' | 'full' {
    const sender = this.#senders.get(address) ?? this.#admit(address, nowNs);
    if (sender === null) return 'full';
    const highest = sender.ivs.get(iv);
    if (highest !== undefined && counter <= highest) return 'replayed';
    if (highest === undefined && sender.ivs.size >= maxIvs) {
      const oldest = sender.ivs.keys().next().value;
      if (oldest !== undefined) sender.ivs.delete(oldest);
    }
    sender.ivs.set(iv, counter);
    sender.lastNs = nowNs;
    return 'fresh';
  }

  #admit(address: string, nowNs: number): Sender | null {
    if (this.#senders.size >= maxSenders) this.#forgetIdle(nowNs);
    if (this.#senders.size >= maxSenders) return null;
    const sender: Sender = { ivs: new Map(), lastNs: nowNs };
    this.#senders.set(address, sender);
    return sender;
  }

  #forgetIdle(nowNs: number): void {
    for (const [address, { lastNs }] of this.#senders) {
      if (nowNs - lastNs > idleNs) this.#senders.delete(address);
    }
  }
}
