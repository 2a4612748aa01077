import { fileURLToPath } from 'node:url';
import { until } from '../until.ts';
import { PeerProgram } from './peer-program.ts';

const script = fileURLToPath(new URL('../../peers/media/rtsp-server.py', import.meta.url));

/** gst-rtsp-server, once it listens; `user` is a name and a password. Debian's Python: it has GStreamer's bindings. */
export async function startRtspPeer(port: number, ...user: readonly string[]): Promise<PeerProgram> {
  const server = new PeerProgram('/usr/bin/python3', [script, String(port), ...user]);
  const isReady = (): boolean => server.output.includes('ready') || server.complaints.includes('Error');
  await until(isReady);
  if (server.complaints !== '') throw new Error(server.complaints);
  return server;
}
