/** Variables of the environment with this prefix are keys of a manager's config, or secrets. */
export const environmentPrefix = 'ADIT_';

/** For a child program with a config of its own, which those variables would change: another database or address. */
export function withoutConfig(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith(environmentPrefix)));
}
