import type { RelayUnderTest } from '../relays/relay-under-test.ts';
import type { World } from '../stage.ts';

/** A line of the table. */
export interface Row {
  /** Such as `udp_cpu_us 10k/s`: the name of its row, then its circumstances. */
  readonly id: string;
  readonly unit: string;
}

export type Measurement =
  | {
      readonly kind: 'value';
      readonly row: string;
      readonly value: number;
      /** Figures that belong beside it, by a short name with its unit. */
      readonly beside?: Readonly<Record<string, number>>;
      /** What ratios are formed of, where the value itself is a difference; else the value. */
      readonly compared?: number;
      /** What kept it from being better. */
      readonly bottleneck?: string;
    }
  /** No data came, or too little to say anything. */
  | { readonly kind: 'failed'; readonly row: string; readonly reason: string };

/** Something that is measured at one relay in one go. */
export interface Figure {
  readonly name: string;
  readonly rows: readonly Row[];
  appliesTo(relay: RelayUnderTest): boolean;
  /** One measurement per row, as they come. When it throws, the rows that have none are failures for that reason. */
  measure(world: World, relay: RelayUnderTest): AsyncIterable<Measurement>;
}

export function isTunnelRelay(relay: RelayUnderTest): boolean {
  return relay.path === 'tunnel';
}
