/**
 * Makes a value at the first call, for that call and all later ones. After a failure, which all who wait for it get,
 * the next call makes it anew.
 */
export function keptOnceMade<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let kept: Promise<Value> | null = null;
  return async () => {
    const made = (kept ??= make());
    try {
      return await made;
    } catch (error) {
      if (kept === made) kept = null;
      throw error;
    }
  };
}
