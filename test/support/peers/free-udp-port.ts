import { LocalUdpSocket } from './local-udp.ts';

/** A loopback port that nobody has now. */
export async function freeUdpPort(): Promise<number> {
  await using socket = await LocalUdpSocket.open();
  return Number(socket.addr.split(':').at(-1));
}
