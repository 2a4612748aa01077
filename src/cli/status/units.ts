import type { PathReport } from '../../admin/path-report.ts';

const unknown = '-';
const prefixes = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** `1.5 MB`, decimal. */
export function bytesWords(bytes: number): string {
  return scaled(bytes, 'B');
}

export function bitrateWords(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, 'bit/s');
}

export function rttWords(path: PathReport | null): string {
  const rtt = path?.rtt_ms ?? null;
  return rtt === null ? unknown : `${rtt.toFixed(rtt < 10 ? 1 : 0)} ms`;
}

/** Of all packets sent on the connection. */
export function lossWords(path: PathReport | null): string {
  const sent = path?.packets_sent ?? 0;
  const lost = path?.packets_lost ?? null;
  return sent === 0 || lost === null ? unknown : `${((lost / sent) * 100).toFixed(1)} %`;
}

export function mtuWords(path: PathReport | null): string {
  return String(path?.path_mtu ?? unknown);
}

export function queueWords(path: PathReport | null): string {
  const queued = path?.queued_datagram_bytes ?? null;
  return queued === null ? unknown : bytesWords(queued);
}

/** `queue_full 5, no_peer 1`; empty without drops. */
export function dropWords(drops: Readonly<Record<string, number>>): string {
  const counted = Object.entries(drops).filter(([, count]) => count > 0);
  return counted.map(([reason, count]) => `${reason} ${count}`).join(', ');
}

function scaled(value: number, unit: string): string {
  let rest = value;
  let step = 0;
  while (rest >= 1000 && step < prefixes.length - 1) {
    rest /= 1000;
    step++;
  }
  return `${step === 0 ? rest.toFixed(0) : rest.toFixed(1)} ${prefixes[step] ?? ''}${unit}`;
}
