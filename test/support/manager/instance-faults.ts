import { pause } from '../pause.ts';
import { until } from '../until.ts';
import type { InstanceTrial } from './instance-trial.ts';

/** What became of one fault. */
export interface FaultFigures {
  readonly nodes: number;
  readonly movedMs: number;
}

/** kill -9 of one instance; it comes back afterwards. */
export async function killOne(trial: InstanceTrial): Promise<FaultFigures> {
  const moved = trial.nodesAt('north');
  await trial.manager('north').end('SIGKILL');
  const movedMs = await trial.movedFrom('north', moved, 30_000);
  await trial.manager('north').resume();
  return { nodes: moved.length, movedMs };
}

/** SIGSTOP of one instance; a tunnel of each of its nodes is changed elsewhere meanwhile. */
export async function stopOne(trial: InstanceTrial, stillMs: number): Promise<FaultFigures> {
  const moved = trial.nodesAt('south');
  const stopped = trial.manager('south').standStill(stillMs);
  const startedMs = performance.now();
  await until(() => moved.every(({ url }) => url !== '' && url !== trial.manager('south').url), {
    what: 'nodes of the instance that stands still are connected elsewhere',
    pollMs: 50,
  });
  const movedMs = Math.round(performance.now() - startedMs);
  await trial.redirect('127.0.0.1:6001');
  await stopped;
  await pause(2_000);
  return { nodes: moved.length, movedMs };
}

export interface CutFigures extends FaultFigures {
  /** Until the instance sent the first of its nodes away. */
  readonly sentAwayMs: number;
  readonly codes: readonly number[];
}

/** One instance alone loses the database, and gets it back. */
export async function cutOne(trial: InstanceTrial): Promise<CutFigures> {
  const moved = trial.nodesAt('west');
  const before = new Map(moved.map((node) => [node, node.closes.length]));
  const startedMs = performance.now();
  trial.cut();
  const moving = trial.movedFrom('west', moved, 120_000);
  await until(() => moved.some((node) => node.closes.length > (before.get(node) ?? 0)), {
    what: 'nodes of the instance that is cut off are sent away',
    pollMs: 50,
  });
  const sentAwayMs = Math.round(performance.now() - startedMs);
  const movedMs = await moving;
  trial.mend();
  const codes = [...new Set(moved.flatMap((node) => node.closes.slice(before.get(node))))];
  return { nodes: moved.length, movedMs, sentAwayMs, codes };
}
