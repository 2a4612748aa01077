import { z } from 'zod';
import { parseRfc3339 } from '../../lib/clock.ts';

/** Which part of a list is asked for. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: z.string().max(2_000).optional(),
  q: z.string().max(200).optional(),
});

export const flagSchema = z.enum(['1', 'true', '0', 'false']).transform((text) => text === '1' || text === 'true');

/** Milliseconds since the epoch, or RFC 3339. */
export const instantSchema = z
  .union([z.string().regex(/^\d{1,15}$/), z.iso.datetime({ offset: true })])
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : parseRfc3339(text)));

export interface PageRead<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** At most so many pages are read for one answer of a filter that the database cannot apply. */
const mostPages = 40;

/**
 * A page of those that match, from a source that cannot filter so. `read` gets how many rows are still wanted, so that
 * the page never has more than the limit and its `next` is exact.
 */
export async function filteredPage<Item>(
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
  read: (limit: number, after: string | null) => Promise<PageRead<Item>>,
  matches: (item: Item) => boolean,
): Promise<PageRead<Item>> {
  const items: Item[] = [];
  let next: string | null = after ?? null;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = await read(limit - items.length, next);
    items.push(...page.items.filter(matches));
    next = page.next;
    if (next === null || items.length >= limit) break;
  }
  return { items, next };
}
