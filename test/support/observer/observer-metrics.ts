import type { ObserverProcess } from './observer-process.ts';

/** The metrics of an observer that was started with `--api-addr 127.0.0.1:0`: the samples, each by name and labels. */
export async function readMetrics(observer: ObserverProcess): Promise<ReadonlyMap<string, number>> {
  const address = /"api_addr":"([^"]+)"/.exec(observer.log())?.[1] ?? '';
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}
