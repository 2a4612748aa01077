import type { Chunk } from './chunk.ts';

/** Takes the chunks of a flow. Must not wait for anything, and must not throw. */
export interface ChunkSink {
  write(nowUs: number, chunk: Chunk): void;
}

/** Hands each chunk of an input to every output. */
export class Bus {
  #sinks: readonly ChunkSink[] = [];

  add(sink: ChunkSink): void {
    this.#sinks = [...this.#sinks, sink];
  }

  remove(sink: ChunkSink): void {
    this.#sinks = this.#sinks.filter((each) => each !== sink);
  }

  publish(nowUs: number, chunk: Chunk): void {
    for (const sink of this.#sinks) sink.write(nowUs, chunk);
  }
}
