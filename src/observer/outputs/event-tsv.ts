import type { DecodeError } from '../../protocol/beat/beat-frame.ts';
import type { ObserverEvent } from '../slots/observer-event.ts';

/** An event as a line of the field's TSV export, with its end: `observer_ns kind pid nonce status payload`. */
export function eventTsv(event: ObserverEvent): string {
  return line(event.observer_ns, cellsOf(event));
}

export function evictionTsv(pid: number, observerNs: bigint): string {
  return line(observerNs, ['eviction', pid, '-', '-', '-']);
}

function cellsOf(event: ObserverEvent): readonly (string | number | bigint)[] {
  switch (event.type) {
    case 'Beat':
      return ['beat', event.pid, event.nonce, event.status.toLowerCase(), event.payload];
    case 'Stall':
      return ['stall', event.pid, event.last_nonce, 'stall', '-'];
    case 'Decode':
      return ['decode', '-', '-', '-', rustDebug(event.error)];
    case 'AuthFailure':
      return ['mismatch', event.claimed_pid, '-', '-', 'auth_failure'];
    case 'OriginConflict':
      return ['mismatch', event.claimed_pid, '-', '-', 'origin_conflict'];
    case 'NamespaceConflict':
      return ['mismatch', event.claimed_pid, '-', '-', 'namespace_conflict'];
    case 'Io':
      return ['io', '-', '-', '-', event.error.message];
    case 'CtrlTruncated':
      return ['ctrunc', '-', '-', '-', event.error.message];
  }
}

/** As Rust's `{:?}` prints varta's DecodeError. */
function rustDebug(error: DecodeError): string {
  switch (error.kind) {
    case 'BadMagic':
    case 'BadVersion':
    case 'StallOnWire':
      return error.kind;
    case 'BadCrc':
      return `BadCrc { expected: ${error.expected}, actual: ${error.actual} }`;
    case 'BadStatus':
      return `BadStatus(${error.status})`;
    case 'BadPid':
      return `BadPid(${error.pid})`;
    case 'BadTimestamp':
      return `BadTimestamp(${error.timestamp})`;
    case 'BadNonce':
      return `BadNonce { nonce: ${error.nonce}, status: ${error.status} }`;
  }
}

function line(observerNs: bigint, cells: readonly (string | number | bigint)[]): string {
  const texts = cells.map((cell) => String(cell).replaceAll(/[\t\n\r]/g, ' '));
  return `${[observerNs, ...texts].join('\t')}\n`;
}
