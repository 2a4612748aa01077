import { readFile } from 'node:fs/promises';
import { availableParallelism, freemem, loadavg, release, totalmem, uptime, version } from 'node:os';
import process from 'node:process';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { SystemRandom } from '../../lib/random.ts';
import { createEngine } from '../../quic/engine.ts';
import type { ArchiveFile } from './tar.ts';

/** Texts of Linux about CPU, memory, sockets and limits; none names a process, a user or a peer. */
const kernelFiles = [
  '/etc/os-release',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/pressure/cpu',
  '/proc/pressure/memory',
  '/proc/net/dev',
  '/proc/net/snmp',
  '/proc/net/sockstat',
  '/proc/self/limits',
  '/proc/sys/net/core/rmem_max',
  '/proc/sys/net/core/wmem_max',
  '/sys/devices/system/clocksource/clocksource0/current_clocksource',
] as const;

/** Which QUIC engines run here, and why one does not. */
export async function engineFacts(clock: Clock, logger: Logger): Promise<Record<string, string>> {
  const facts: Record<string, string> = {};
  for (const name of ['native', 'quiche'] as const) {
    try {
      const engine = await createEngine(name, { clock, random: new SystemRandom(), logger });
      await engine.close();
      facts[name] = 'runs';
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      facts[name] = errorMessage(error);
    }
  }
  return facts;
}

/** The state of the machine now. */
export function machineFacts(clock: Clock): object {
  return {
    time: rfc3339(clock.now()),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    platform: process.platform,
    architecture: process.arch,
    kernel: `${release()} ${version()}`,
    node: process.version,
    glibc: glibcVersion(),
    cpus: availableParallelism(),
    load: loadavg(),
    memory_bytes: totalmem(),
    free_memory_bytes: freemem(),
    uptime_secs: Math.floor(uptime()),
  };
}

/** Those of `kernelFiles` that are here. */
export async function kernelTexts(): Promise<readonly ArchiveFile[]> {
  const read = kernelFiles.map(async (path) => {
    const content = await readFile(path, 'utf8').catch(
      (error: unknown) => `could not be read: ${errorMessage(error)}\n`,
    );
    return { name: `kernel${path.replaceAll('/', '_')}.txt`, content };
  });
  return process.platform === 'linux' ? Promise.all(read) : [];
}

/** Null where Node was built with another C library, such as musl. */
function glibcVersion(): string | null {
  const header: unknown = (process.report.getReport() as { readonly header?: unknown }).header;
  const isKnown = typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header;
  return isKnown && typeof header.glibcVersionRuntime === 'string' ? header.glibcVersionRuntime : null;
}
