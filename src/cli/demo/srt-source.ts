import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import { SystemRandom } from '../../lib/random.ts';
import { parseOutput } from '../../edge/config/flow-config.ts';
import { Pulse } from '../../media/flow/pulse.ts';
import { SrtOutput } from '../../media/flow/srt-output.ts';
import { openDatagramSocket } from '../../media/net/datagram-socket.ts';
import { TestPicture } from './test-picture.ts';

const tickMs = 20;

/** A camera that is none: sends the test picture by SRT until it is disposed of, and dials again when it is cut. */
export async function startSrtSource(target: HostPort, passphrase: string, clock: Clock): Promise<AsyncDisposable> {
  const entry = { id: 'camera', name: 'Camera', type: 'srt', mode: 'caller', remote_addr: formatHostPort(target) };
  const parsed = parseOutput({ ...entry, passphrase });
  if (parsed.kind === 'invalid' || parsed.output.type !== 'srt')
    throw new AppError('bug', 'the camera is no SRT output');
  const picture = await TestPicture.load();
  const pulse = new Pulse(clock);
  const output = new SrtOutput(
    {
      ...{ clock, random: new SystemRandom(), pulse, openSocket: openDatagramSocket },
      openTunnel: () => Promise.reject(new AppError('bug', 'the camera is outside of the edge')),
      resolve: () => Promise.resolve({ address: target.host, family: 4 }),
      // Whether it is connected is seen at the flow that receives it.
      report: () => undefined,
    },
    parsed.output,
  );
  await output.start();
  const timer = clock.setInterval(() => {
    const { nowUs } = pulse;
    for (const bytes of picture.due(nowUs)) output.write(nowUs, { bytes, timeUs: nowUs, rtp: null });
  }, tickMs);
  return {
    async [Symbol.asyncDispose]() {
      timer.cancel();
      await output.stop();
    },
  };
}
