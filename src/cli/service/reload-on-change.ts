import process from 'node:process';
import type { Clock } from '../../lib/clock.ts';
import type { ConfigReload } from '../../config/config-reload.ts';
import { FileWatch, fileMark } from '../../lib/file-watch.ts';

/**
 * From here on a SIGHUP does not end the process. One that comes before `reloadOnChange` is made up for by its first
 * look.
 */
export function surviveHangups(): void {
  process.on('SIGHUP', () => undefined);
}

/** Asks for a reload at each SIGHUP, and when one of the files has changed, until the answer is called. */
export async function reloadOnChange(
  reload: ConfigReload,
  files: () => readonly string[],
  clock: Clock,
): Promise<() => void> {
  const onSignal = (): void => void reload.request('SIGHUP');
  process.on('SIGHUP', onSignal);
  const onChange = (): void => void reload.request('file changed');
  const watch = new FileWatch({ clock, mark: fileMark, files, onChange });
  await watch.start();
  // What changed while the program was starting, after it had read the files and before the watch had.
  await reload.request('file changed');
  return () => {
    process.off('SIGHUP', onSignal);
    watch.stop();
  };
}
