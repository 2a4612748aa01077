import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';

const main = join(import.meta.dirname, '../../../src/main.ts');

/**
 * `adit observer` with code of a test in it. `resolved` is the body of a function of `name`, which is called for each
 * module that the observer and its child processes load. Where it throws, the module cannot be loaded.
 */
export function startHookedObserver(resolved: string, flags: readonly string[]) {
  const hook = `
    import { registerHooks } from 'node:module';
    import { appendFileSync } from 'node:fs';
    function resolved(name) { ${resolved} }
    registerHooks({ resolve(name, context, next) {
      resolved(name);
      return next(name, context);
    } });
  `;
  const imported = `data:text/javascript,${encodeURIComponent(hook)}`;
  const child = spawn(process.execPath, ['--import', imported, main, 'observer', ...flags]);
  let [out, log] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
  return { child, ended, out: () => out, log: () => log };
}
