import { FleetError } from '../fleet-error.ts';

/** What is read, or null where it is no longer there. */
export async function unlessGone<View>(reading: Promise<View>): Promise<View | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof FleetError && error.code === 'not_found') return null;
    throw error;
  }
}
