import { PeerProgram } from './peer-program.ts';

const quiet = ['-q', '-a:no', '-loglevel:fatal'];
/** The most that SRT carries in a packet: room for seven TS packets behind an RTP header. */
const payloadBytes = 1456;

/** srt-live-transmit that carries what comes to a local UDP port to an SRT listener; `query` is that of its SRT URL. */
export function srtSender(udpPort: number, srtPort: number, query = ''): PeerProgram {
  const to = `srt://127.0.0.1:${srtPort}?mode=caller&payloadsize=${payloadBytes}&${query}`;
  const from = `udp://127.0.0.1:${udpPort}`;
  return new PeerProgram('srt-live-transmit', [...quiet, `-chunk:${payloadBytes}`, from, to]);
}

/** srt-live-transmit that writes what it receives to its standard output. */
export function srtReceiver(srtPort: number, mode: 'caller' | 'listener', query = ''): PeerProgram {
  const from = `srt://127.0.0.1:${srtPort}?mode=${mode}&${query}`;
  return new PeerProgram('srt-live-transmit', [...quiet, `-chunk:${payloadBytes}`, from, 'file://con']);
}
