import { Socket } from 'node:dgram';
import process from 'node:process';
import { expect, it, vi } from 'vitest';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { TestWatch } from '../../support/observer/test-watch.ts';

it('the silence of an agent at the socket is reported although the address for UDP is gone', async () => {
  await using test = await TestWatch.start({
    thresholdMs: 300,
    udp: { host: '127.0.0.1', port: 0, keys: null, attested: false },
  });
  // As the system answers once the address of the socket was taken from the machine.
  const refusal = Object.assign(new Error('send EINVAL'), { code: 'EINVAL' });
  using refused = vi.spyOn(Socket.prototype, 'send').mockImplementation((...given: unknown[]) => {
    const sent = given.at(-1) as (error: Error) => void;
    process.nextTick(() => sent(refusal));
  });
  await using agent = await AgentProcess.start(test.path);
  expect(await agent.beat()).toBe(0);
  const [stall] = await test.count('Stall', 1);
  expect(stall?.pid).toBe(agent.pid);
  expect(refused).toHaveBeenCalled();
});
