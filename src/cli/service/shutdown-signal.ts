import process from 'node:process';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Resolves at the first SIGINT or SIGTERM. A second one ends the process at once, with the status that the signal gives
 * (conformance L1).
 */
export function waitForShutdownSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals): void => {
      for (const name of signals) {
        process.removeListener(name, first);
        process.once(name, () => process.exit(name === 'SIGINT' ? 130 : 143));
      }
      resolve(signal);
    };
    for (const name of signals) process.once(name, first);
  });
}
