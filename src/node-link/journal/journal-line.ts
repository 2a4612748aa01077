import { crc32 } from 'node:zlib';
import type { EventSeverity } from '../../protocol/node/node-event.ts';

/** An event as it is stored and sent: `frame` is the whole WebSocket text, so a repeat is the same to the byte. */
export interface EventLine {
  readonly kind: 'event';
  /** Rises by one with each event of this journal, across restarts. */
  readonly seq: number;
  readonly severity: EventSeverity;
  readonly frame: string;
}

/** Everything up to `seq` has been delivered. */
export interface AckLine {
  readonly kind: 'ack';
  readonly seq: number;
}

export type JournalLine = EventLine | AckLine;

const severityLetters = { i: 'info', w: 'warning', c: 'critical' } as const satisfies Record<string, EventSeverity>;
const letters = { info: 'i', warning: 'w', critical: 'c' } as const satisfies Record<EventSeverity, string>;
const linePattern = /^([0-9a-f]{8}) (([0-9]{1,15}) ([iwca])(.*))$/s;

/** `crc32 seq letter…frame\n`; the checksum shows whether a crash tore the line or a disk spoiled it. */
export function encodeLine(line: JournalLine): string {
  const body = line.kind === 'ack' ? `${line.seq} a` : `${line.seq} ${letters[line.severity]}${line.frame}`;
  return `${checksum(body)} ${body}\n`;
}

/** A line without its line end; null when it is not one that was written whole. */
export function decodeLine(text: string): JournalLine | null {
  const match = linePattern.exec(text);
  if (match === null) return null;
  const [, sum, body = '', digits, letter, frame = ''] = match;
  if (checksum(body) !== sum) return null;
  const seq = Number(digits);
  if (letter === 'a') return frame === '' ? { kind: 'ack', seq } : null;
  return { kind: 'event', seq, severity: severityLetters[letter as keyof typeof severityLetters], frame };
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
