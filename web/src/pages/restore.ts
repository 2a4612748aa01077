import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { goTo } from '../data/route.ts';

/** Brings a removed tunnel or flow back and opens its page. `path` is `tunnels/{id}` or `flows/{id}`. */
export async function restoreAndOpen(path: string): Promise<void> {
  if (await attempt(() => send('POST', `${path}/restore`, { body: {} }), 'Restored.')) goTo(`/${path}`);
}
