/** Real time passing, for load that runs for minutes; tests wait for conditions instead (`until`). */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
