import process from 'node:process';
import type { Clock } from '../lib/clock.ts';
import type { ConfigReload } from '../lib/config-reload.ts';
import { FileWatch, fileMark } from '../lib/file-watch.ts';

/** Asks for a reload at each SIGHUP, and when one of the files has changed, until the answer is called. */
export async function reloadOnChange(
  reload: ConfigReload,
  files: readonly string[],
  clock: Clock,
): Promise<() => void> {
  const onSignal = (): void => void reload.request('SIGHUP');
  process.on('SIGHUP', onSignal);
  const onChange = (): void => void reload.request('file changed');
  const watch = new FileWatch({ clock, mark: fileMark, files: () => files, onChange });
  await watch.start();
  return () => {
    process.off('SIGHUP', onSignal);
    watch.stop();
  };
}
