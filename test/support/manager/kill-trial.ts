import { ManagerProcess } from '../programs/manager-process.ts';
import { TestNodeLink } from '../programs/test-node-link.ts';
import { pause } from '../pause.ts';
import { until } from '../until.ts';
import { storedEvents } from './stored-events.ts';

export interface KillTrialOptions {
  readonly databaseUrl: string;
  readonly events: number;
  readonly kills: number;
  readonly masterKey: string;
}

export interface KillTrialResult {
  readonly raised: number;
  readonly stored: number;
  readonly missing: number;
  readonly doubled: number;
  /** Events that stand before one that was raised earlier. */
  readonly outOfOrder: number;
}

const raiseEveryMs = 20;
/** About 500 a second. */
const raisedAtOnce = 10;

/**
 * A node with our own link and journal raises numbered events while its manager is killed with -9 again and again. What
 * is stored at the end is compared with what was raised.
 */
export async function runKillTrial(options: KillTrialOptions): Promise<KillTrialResult> {
  const { databaseUrl, events, kills, masterKey } = options;
  await using manager = await ManagerProcess.start({
    config: { database: { url: databaseUrl } },
    env: { ADIT_MASTER_KEY: masterKey },
  });
  const { id, token } = await manager.add('relay', 'relay');
  await using node = await TestNodeLink.start({
    manager: {
      ...{ enabled: true, url: `${manager.url}/ws/node`, registration_token: token },
      ...{ accept_self_signed_cert: true, cert_fingerprint: manager.fingerprint },
    },
  });
  await until(() => node.linkEvents.some(({ kind }) => kind === 'manager-connected'), { what: 'the node registered' });
  let raised = 0;
  const raising = setInterval(() => {
    for (let count = 0; count < raisedAtOnce && raised < events; count++) node.raise(String(raised++));
  }, raiseEveryMs);
  try {
    for (let kill = 1; kill <= kills; kill++) {
      await until(() => raised >= (events * kill) / (kills + 1), { what: 'more events', timeoutMs: 120_000 });
      await manager.end('SIGKILL');
      // Down for different times, so that kills fall into different moments of the node's tries.
      await pause((kill % 4) * 250);
      await manager.resume();
    }
    await until(() => raised >= events, { what: 'all events raised', timeoutMs: 600_000 });
  } finally {
    clearInterval(raising);
  }
  await until(async () => (await stored(manager, id)) >= events, {
    what: 'every event is stored',
    timeoutMs: 120_000,
    pollMs: 250,
  });
  await manager.end('SIGTERM');
  const rows = (await storedEvents(databaseUrl, id)).filter(({ message }) => /^\d+$/.test(message));
  const numbers = rows.map(({ message }) => Number(message));
  const distinct = new Set(numbers);
  return {
    ...{ raised, stored: distinct.size, missing: events - distinct.size, doubled: numbers.length - distinct.size },
    outOfOrder: numbers.filter((number, index) => index > 0 && number < (numbers[index - 1] ?? 0)).length,
  };
}

async function stored(manager: ManagerProcess, nodeId: string): Promise<number> {
  const { total } = (await manager.done('GET', `events/count?node=${nodeId}&category=edge`)) as { total: number };
  return total;
}
