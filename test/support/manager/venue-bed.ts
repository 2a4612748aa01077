import { ManagerBed, type JoinedNode } from './manager-bed.ts';

/** A manager and one edge, with which it has nothing left to settle. */
export interface VenueBed extends AsyncDisposable {
  readonly manager: ManagerBed;
  readonly venue: JoinedNode;
}

export async function startVenueBed(): Promise<VenueBed> {
  const manager = await ManagerBed.start();
  const venue = await manager.join('venue');
  await manager.steady(venue.id);
  return {
    ...{ manager, venue },
    async [Symbol.asyncDispose]() {
      await venue.node[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
    },
  };
}
