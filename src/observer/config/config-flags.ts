import observerSchema from '../../../observer.schema.json' with { type: 'json' };

/** A key of observer.json as a flag. */
export interface ConfigFlag {
  readonly key: string;
  /** `--threshold-ms`. */
  readonly flag: string;
  readonly description: string;
  /** `switch` takes no value; `list` is split on blanks; `pair` may be given several times as KEY=VALUE. */
  readonly form: 'switch' | 'number' | 'text' | 'list' | 'numbers' | 'pair';
}

/** As far as a flag needs it, of the generated JSON Schema: the schema that it is made from is large when loaded. */
interface KeySchema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly { readonly type: string }[];
  readonly description?: string;
}

/** Objects that a flag cannot hold, and what is no setting. */
const fileOnly = new Set(['$schema', 'manager', 'labels']);
const forms: Readonly<Partial<Record<string, ConfigFlag['form']>>> = {
  recovery_exec: 'list',
  allowed_uids: 'numbers',
  recovery_env: 'pair',
};

/** Flags of varta-watch that are no more, with what to write instead. */
export const REMOVED_FLAGS: Readonly<Record<string, string>> = {
  '--recovery-cmd': '--recovery-exec',
  '--recovery-cmd-file': '--recovery-exec-file',
};

/** Every key that can be a flag, in the order of the schema. */
export function configFlags(): readonly ConfigFlag[] {
  const properties: Readonly<Record<string, KeySchema>> = observerSchema.properties;
  return Object.entries(properties)
    .filter(([key]) => !fileOnly.has(key))
    .map(([key, schema]) => ({
      key,
      flag: `--${key.replaceAll('_', '-')}`,
      description: schema.description ?? '',
      form: forms[key] ?? formOf(schema),
    }));
}

/** The values of flags as the schema reads them; what is no number stays text, and the schema names it. */
export function valuesOfFlags(
  given: Readonly<Record<string, string | true | readonly string[]>>,
): Record<string, unknown> {
  const flags = configFlags().filter(({ key }) => given[key] !== undefined);
  return Object.fromEntries(flags.map(({ key, form }) => [key, valueOf(form, given[key] ?? '')]));
}

function valueOf(form: ConfigFlag['form'], given: string | true | readonly string[]): unknown {
  if (given === true) return true;
  const texts = [given].flat();
  const [text = ''] = texts;
  switch (form) {
    case 'number':
      return toNumber(text);
    case 'list':
      return text.split(/\s+/).filter((part) => part !== '');
    case 'numbers':
      return text.split(',').map((part) => toNumber(part.trim()));
    case 'pair':
      return Object.fromEntries(texts.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]));
    case 'switch':
    case 'text':
      return text;
  }
}

function toNumber(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

function formOf({ type, anyOf = [] }: KeySchema): ConfigFlag['form'] {
  const types = [type, ...anyOf.map((each) => each.type)].flat();
  if (types.includes('boolean')) return 'switch';
  return types.includes('integer') ? 'number' : 'text';
}
