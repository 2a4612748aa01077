import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readMemory } from '../../../bench/procfs.ts';
import type { FlowStatsReport } from '../../../src/edge/admin/flow-schemas.ts';
import { freeTcpPort } from '../manager/free-tcp-port.ts';
import { TestManager } from '../peers/test-manager.ts';
import { until } from '../until.ts';
import { aditPath } from './adit-command.ts';

/** `adit edge` in a process of its own, so that its memory is its own, with a manager that collects its events. */
export class EdgeProcess implements AsyncDisposable {
  readonly url: string;
  readonly manager: TestManager;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, manager: TestManager, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.manager = manager;
    this.url = url;
  }

  /** Resolves when it has reported to its manager. */
  static async start(config: Readonly<Record<string, unknown>>): Promise<EdgeProcess> {
    const manager = await TestManager.start();
    const secret = 'secret of the edge';
    manager.secrets.set('edge', new Set([secret]));
    const folder = mkdtempSync(join(tmpdir(), 'adit-edge-'));
    const path = join(folder, 'edge.json');
    const api = `127.0.0.1:${await freeTcpPort()}`;
    const link = manager.configFor({ node_id: 'edge', node_secret: secret });
    const keys = { edge_id: 'edge', tunnels: [], log_level: 'warn', api_addr: api, manager: link, ...config };
    writeFileSync(path, JSON.stringify(keys));
    const child = spawn(aditPath, ['edge', '-c', path], { stdio: ['ignore', 'ignore', 'inherit'] });
    const edge = new EdgeProcess(child, folder, manager, `http://${api}`);
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('the edge has ended; see what it printed')));
    await Promise.race([manager.nodeOnline(), ended]);
    return edge;
  }

  /** Resident memory; NaN once the process has ended. */
  get rssBytes(): number {
    const isRunning = this.#child.exitCode === null && this.#child.signalCode === null;
    return isRunning ? readMemory(this.#child.pid ?? process.pid).rssBytes : Number.NaN;
  }

  /** Statistics of all flows. Rejects where the API says no, or is not there yet. */
  async flows(): Promise<readonly FlowStatsReport[]> {
    const answer = await fetch(`${this.url}/api/v1/flows`);
    if (!answer.ok) throw new Error(`the API answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as FlowStatsReport[];
  }

  /** Statistics of a flow that the worker has reported. */
  async running(id: string): Promise<FlowStatsReport> {
    let problem: unknown = null;
    const reported = async (): Promise<FlowStatsReport | undefined> => {
      try {
        return (await this.flows()).find(({ flow_id, input }) => flow_id === id && input !== null);
      } catch (error) {
        problem = error;
        return undefined;
      }
    };
    return until(reported, { what: `a report of flow ${id}`, pollMs: 200 }).catch((error: unknown) => {
      const status = String(this.#child.exitCode);
      throw new Error(`no report of flow ${id}; the edge's exit status is ${status}`, { cause: problem ?? error });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    await this.manager[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
