import type { CatalogueRow } from '../../src/edge/events/event-catalogue.ts';

/** Whether a message is that of the row, with values in its places. */
export function hasText({ message }: CatalogueRow, text: string): boolean {
  const pattern = message.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '.+');
  return new RegExp(`^${pattern}$`).test(text);
}
