import type { Handshake } from './handshake.ts';
import { inspectKeyMaterial, openKeyMaterial } from './key-material.ts';
import { extensionType } from './packet.ts';
import { keyState, keyStateBody } from './receive-keys.ts';
import { rejectReason } from './reject-reason.ts';
import type { SrtAgreement } from './srt-agreement.ts';
import type { SrtSettings } from './srt-settings.ts';

export type KeyVerdict =
  | { readonly kind: 'ok'; readonly keys: SrtAgreement['keys']; readonly answer: Buffer | null }
  | { readonly kind: 'refused'; readonly reason: number }
  /** Too many at once: no answer, the caller repeats. */
  | { readonly kind: 'later' };

/** Key material of outsiders costs a millisecond each to open: no more of it than this, the rest must ask again. */
const openingsPerSecond = 50;

/** Whether the keys of a caller fit the passphrase of a listener. */
export class ListenerKeys {
  readonly #settings: Pick<SrtSettings, 'passphrase' | 'enforcedEncryption'>;
  #windowUs = 0;
  #openings = 0;

  constructor(settings: Pick<SrtSettings, 'passphrase' | 'enforcedEncryption'>) {
    this.#settings = settings;
  }

  check(nowUs: number, request: Handshake): KeyVerdict {
    const material = request.extensions.find(({ type }) => type === extensionType.keyRequest)?.content;
    const { passphrase } = this.#settings;
    if (material === undefined) {
      if (passphrase === null) return { kind: 'ok', keys: null, answer: null };
      return this.#refused(rejectReason.unsecure, null);
    }
    if (passphrase === null) return this.#refused(rejectReason.unsecure, keyState.noSecret);
    if (inspectKeyMaterial(material) === null) return { kind: 'refused', reason: rejectReason.rogue };
    if (!this.#mayOpen(nowUs)) return { kind: 'later' };
    const opened = openKeyMaterial(passphrase, material);
    if (opened.kind === 'bad-secret') return this.#refused(rejectReason.badSecret, keyState.badSecret);
    if (opened.kind !== 'opened') return this.#refused(rejectReason.crypto, keyState.badMode);
    const keys = { stream: opened.keys, keyBytes: opened.keyBytes };
    return { kind: 'ok', keys, answer: Buffer.from(material) };
  }

  /** A refusal, unless encryption is not enforced: then the connection comes about without it. */
  #refused(reason: number, state: number | null): KeyVerdict {
    if (this.#settings.enforcedEncryption) return { kind: 'refused', reason };
    return { kind: 'ok', keys: null, answer: state === null ? null : keyStateBody(state) };
  }

  #mayOpen(nowUs: number): boolean {
    if (nowUs - this.#windowUs >= 1_000_000) {
      this.#windowUs = nowUs;
      this.#openings = 0;
    }
    return ++this.#openings <= openingsPerSecond;
  }
}
