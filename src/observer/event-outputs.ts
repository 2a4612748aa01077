import process from 'node:process';
import { AppError, errorMessage } from '../lib/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { AppendFileSettings } from '../lib/rotating-append-file.ts';
import type { ObserverConfig } from './config/observer-config.ts';
import { eventJson } from './outputs/event-json.ts';
import { evictionTsv, eventTsv } from './outputs/event-tsv.ts';
import { HeartbeatFile } from './outputs/heartbeat-file.ts';
import { JsonLines } from './outputs/json-lines.ts';
import { TsvFile } from './outputs/tsv-file.ts';
import type { ObserverEvent } from './slots/observer-event.ts';

/** Where every event goes: standard output, the export file, and a file that shows that the observer turns. */
export class EventOutputs {
  readonly #logger: Logger;
  readonly #json = new JsonLines(process.stdout);
  readonly #clock: Clock;
  #tsv: TsvFile | null;
  #heartbeat: HeartbeatFile | null;
  #heartbeatFails = false;
  #print: ObserverConfig['print'];

  /** Throws AppError `unavailable` when the export file cannot be opened. */
  constructor(dependencies: { readonly clock: Clock; readonly logger: Logger }, config: ObserverConfig) {
    this.#logger = dependencies.logger;
    this.#clock = dependencies.clock;
    this.#print = config.print;
    this.#tsv = this.#openTsv(config);
    this.#heartbeat = config.heartbeat_file === null ? null : new HeartbeatFile(config.heartbeat_file);
  }

  /** Opens the files anew, as after a rotation by others. Throws as the constructor; the old ones stay in use then. */
  reconfigure(config: ObserverConfig): void {
    if (this.#tsv === null || config.export_file === null) {
      const tsv = this.#openTsv(config);
      this.#tsv?.close();
      this.#tsv = tsv;
    } else {
      const tsv = this.#tsv;
      opening(config.export_file, (path) => tsv.reopen(tsvSettings(path, config)));
    }
    this.#heartbeat = config.heartbeat_file === null ? null : new HeartbeatFile(config.heartbeat_file);
    this.#print = config.print;
  }

  get wantsBeats(): boolean {
    return this.#print === 'all' || this.#tsv !== null;
  }

  get tsvLinesLost(): number {
    return this.#tsv?.lost ?? 0;
  }

  get jsonLinesLost(): number {
    return this.#json.lost;
  }

  event(event: ObserverEvent): void {
    if (this.#print === 'all' || (this.#print === 'stalls' && event.type !== 'Beat'))
      this.#json.write(eventJson(event));
    this.#tsv?.append(eventTsv(event));
  }

  evicted(pid: number, observerNs: bigint): void {
    this.#tsv?.append(evictionTsv(pid, observerNs));
  }

  looked(nowNs: number): void {
    try {
      this.#heartbeat?.beat(nowNs);
      this.#heartbeatFails = false;
    } catch (error) {
      if (!this.#heartbeatFails)
        this.#logger.warn({ problem: errorMessage(error) }, 'the heartbeat file cannot be written');
      this.#heartbeatFails = true;
    }
  }

  close(): void {
    this.#json.flush();
    this.#tsv?.close();
  }

  #openTsv(config: ObserverConfig): TsvFile | null {
    if (config.export_file === null) return null;
    const dependencies = { clock: this.#clock, logger: this.#logger };
    return opening(config.export_file, (path) => new TsvFile(dependencies, tsvSettings(path, config)));
  }
}

function tsvSettings(path: string, config: ObserverConfig): AppendFileSettings {
  return { path, maxBytes: config.export_file_max_bytes, syncEvery: config.export_file_sync_every };
}

function opening<Opened>(path: string, open: (path: string) => Opened): Opened {
  try {
    return open(path);
  } catch (cause) {
    throw new AppError('unavailable', `export_file ${path} cannot be opened`, { cause });
  }
}
