import type { CloseInfo } from '../connection-report.ts';
import type { QuicheHandle } from './binding.ts';

const maxReasonChars = 256;

/** A peer's reason is printed and logged: no control characters, no more than a line. */
export function peerText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, maxReasonChars * 4)).toString('utf8');
  return text.replace(/\p{Cc}/gu, '').slice(0, maxReasonChars);
}

/** The bytes of a reason of ours, cut between characters. */
export function reasonBytes(reason: string): Uint8Array {
  const bytes = new Uint8Array(maxReasonChars);
  return bytes.subarray(0, new TextEncoder().encodeInto(reason, bytes).written);
}

/**
 * Names of transport error codes (RFC 9000 §20.1) that peers send for reasons that an operator can do something about.
 */
const transportCodes: Readonly<Record<number, string>> = {
  0: 'closed without an error',
  1: 'internal error of the peer',
  2: 'connection refused',
  3: 'flow control error',
  4: 'stream limit error',
  8: 'transport parameter error',
  10: 'protocol violation',
  11: 'invalid token',
  12: 'application error before the handshake was complete',
};

const tlsAlertBase = 0x100;
const noApplicationProtocol = 120;

/** TLS alerts by which one end says that it does not accept the other's certificate. */
const certificateAlerts: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48, 49, 51]);

export function isCertificateAlert(code: number | null): boolean {
  return code !== null && certificateAlerts.has(code - tlsAlertBase);
}

function describeTransport(code: number): string {
  if (code < tlsAlertBase || code > tlsAlertBase + 0xff) return transportCodes[code] ?? `transport error ${code}`;
  const alert = code - tlsAlertBase;
  if (alert === noApplicationProtocol) return 'no common application protocol (ALPN)';
  if (certificateAlerts.has(alert)) return `the certificate was not accepted (TLS alert ${alert})`;
  return `TLS alert ${alert}`;
}

/** The engine's own reason, which a dialler must not take for a refusal. */
export const handshakeTooLong = 'the handshake took too long';

export const silentTooLong = 'no packet within the idle timeout';

/** The calls of a quiche connection that say how it ended. */
export type ClosedHandle = Pick<QuicheHandle, 'peerError' | 'localError' | 'isTimedOut'>;

/** Why quiche says that the connection is over. */
export function closeInfo(handle: ClosedHandle): CloseInfo {
  const peer = handle.peerError();
  if (peer !== null) {
    const kind = peer.isApp ? 'peer-application' : 'peer-transport';
    const text = peerText(Uint8Array.from(peer.reason));
    const reason = text === '' && !peer.isApp ? describeTransport(peer.errorCode) : text;
    return { kind, code: peer.errorCode, reason };
  }
  if (handle.isTimedOut()) return { kind: 'idle', code: null, reason: silentTooLong };
  const local = handle.localError();
  if (local !== null) return { kind: 'error', code: local.errorCode, reason: describeTransport(local.errorCode) };
  return { kind: 'reset', code: null, reason: 'the peer no longer knows the connection (stateless reset)' };
}
