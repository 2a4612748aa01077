import type { CloseInfo } from '../../quic/connection-report.ts';

const words: Readonly<Record<CloseInfo['kind'], string>> = {
  local: 'closed by the relay',
  'peer-application': 'closed by the edge',
  'peer-transport': 'transport error reported by the edge',
  idle: 'no packets within the idle timeout',
  reset: 'stateless reset',
  error: 'connection error',
  budget: 'sent more than an unproven connection may',
};

/** Why a connection ended, for events and logs: what happened, and the reason that the side that ended it gave. */
export function closeWords({ kind, reason }: CloseInfo): string {
  return reason === '' ? words[kind] : `${words[kind]}: ${reason}`;
}
