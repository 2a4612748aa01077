import { z } from 'zod';
import { socketAddressText, text, whole } from '../config/schema-parts.ts';

/** The `observer` object of a program's config: where the program itself beats to (docs/observer.md §10). */
export const beatSchema = z
  .strictObject({
    socket: text().nullable().default(null).describe('The UNIX socket of an observer on this host.'),
    udp: socketAddressText('"127.0.0.1:4483"')
      .nullable()
      .default(null)
      .describe('An observer over UDP, in place of socket.'),
    interval_ms: whole(10, 3_600_000).default(500).describe('Time between two beats.'),
  })
  .refine(({ socket, udp }) => (socket === null) !== (udp === null), {
    path: ['socket'],
    error: 'and udp exclude each other; set one of them',
  });

export type BeatConfig = Readonly<z.output<typeof beatSchema>>;
