import { readFile } from 'node:fs/promises';
import { formatHostPort } from '../../lib/host-port.ts';
import { nodeHttp } from '../../lib/node-http.ts';
import type { DemoWorld } from './demo-config.ts';
import { studioFlow } from './carry-media.ts';
import { freePort } from './free-port.ts';

/** The viewer of examples/media.md, which plays a flow by WHEP. */
const viewer = new URL('../../../examples/media/viewer.html', import.meta.url);

/** Serves a page on loopback that plays the picture at the far edge. */
export async function showPicture({
  edgeApis: { ingress },
}: DemoWorld): Promise<AsyncDisposable & { readonly url: string }> {
  const html = await readFile(viewer);
  const address = { host: ingress.host, port: await freePort(ingress.host) };
  const server = nodeHttp.createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html; charset=utf-8').end(html);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(address.port, address.host, resolve);
  });
  const whep = `http://${formatHostPort(ingress)}/api/v1/flows/${studioFlow.id}/whep`;
  return {
    url: `http://${formatHostPort(address)}/?url=${whep}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
