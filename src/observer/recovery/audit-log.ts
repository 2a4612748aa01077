import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { RotatingAppendFile } from '../../lib/rotating-append-file.ts';
import {
  AUDIT_HEADER,
  auditFields,
  chainOf,
  FIRST_CHAIN,
  type AuditRecord,
  type BootReason,
  type Chain,
} from './audit-record.ts';

export interface AuditLogSettings {
  readonly path: string;
  readonly maxBytes: number | null;
  readonly syncEvery: number;
}

/** Where a log ended. */
interface LogEnd {
  readonly seq: number;
  readonly chain: Chain | null;
  readonly reason: BootReason;
}

/** The recovery audit on disk: append only, each line chained to those before it. */
export class AuditLog {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #nowNs: () => number;
  readonly #settings: AuditLogSettings;
  readonly #file: RotatingAppendFile;
  #seq: number;
  #chain: Chain;

  /** Opens it and writes that the observer started. Throws AppError `unavailable` when it cannot be written. */
  constructor(
    dependencies: { readonly clock: Pick<Clock, 'now'>; readonly nowNs: () => number },
    settings: AuditLogSettings,
  ) {
    this.#clock = dependencies.clock;
    this.#nowNs = dependencies.nowNs;
    this.#settings = settings;
    let file: RotatingAppendFile | null = null;
    try {
      const end = endOf(settings.path);
      file = new RotatingAppendFile(settings);
      this.#file = file;
      if (end.reason === 'schema_drift') this.#file.rotate();
      this.#seq = end.seq;
      this.#chain = end.chain ?? FIRST_CHAIN;
      this.#boot(end.chain, end.reason);
    } catch (cause) {
      file?.close();
      throw new AppError('unavailable', `recovery_audit_file ${settings.path} cannot be written`, { cause });
    }
  }

  /**
   * Throws the errors of node:fs, such as ENOSPC. Nothing of the record is on disk then, and the next one gets its
   * number.
   */
  append(record: AuditRecord): void {
    if (this.#file.isFull()) this.#file.rotate();
    // A full disk may have kept an earlier rotation from beginning its file.
    if (this.#file.size === 0) this.#boot(this.#chain, 'rotation');
    this.#write(record);
  }

  /** Whether it can go on as it is under these settings. */
  fits(settings: AuditLogSettings): boolean {
    return isDeepStrictEqual(settings, this.#settings) && this.#file.isInPlace();
  }

  close(): void {
    this.#file.close();
  }

  #boot(previous: Chain | null, reason: BootReason): void {
    const header = this.#file.size === 0 ? `${AUDIT_HEADER}\n` : '';
    this.#write({ kind: 'boot', observerPid: process.pid, previous, reason }, header);
  }

  /** `before` is written with the record, or neither is. */
  #write(record: AuditRecord, before = ''): void {
    const at = { seq: this.#seq + 1, wallMs: Math.trunc(this.#clock.now()), observerNs: Math.trunc(this.#nowNs()) };
    const fields = auditFields(record, at);
    const chain = chainOf(this.#chain, record.kind, fields);
    this.#file.write(`${before}${fields}\t${chain}\n`);
    this.#seq = at.seq;
    this.#chain = chain;
  }
}

/** Cuts a torn last line off. A file that is no such log is to be moved aside. */
function endOf(path: string): LogEnd {
  if (!existsSync(path)) return { seq: 0, chain: null, reason: 'fresh' };
  const content = readRegular(path);
  const whole = content.slice(0, content.lastIndexOf('\n') + 1);
  const torn = whole.length < content.length;
  if (torn) truncateSync(path, Buffer.byteLength(whole));
  if (whole === '') return { seq: 0, chain: null, reason: torn ? 'corrupt_tail' : 'fresh' };
  const last = whole.trimEnd().split('\n').at(-1) ?? '';
  const fields = last.split('\t');
  const [seq, chain] = [Number(fields[0]), fields.at(-1) ?? ''];
  if (last.startsWith('#')) return { seq: 0, chain: null, reason: torn ? 'corrupt_tail' : 'resume' };
  if (!Number.isInteger(seq) || !/^[0-9a-f]{64}$/.test(chain)) return { seq: 0, chain: null, reason: 'schema_drift' };
  return { seq, chain, reason: torn ? 'corrupt_tail' : 'resume' };
}

/** A device may have no end to read to. */
function readRegular(path: string): string {
  if (!statSync(path).isFile()) throw new Error('it is no regular file');
  return readFileSync(path, 'utf8');
}
