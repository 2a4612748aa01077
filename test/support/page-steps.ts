/** One thing that a page of the documentation tells its reader to do, in a shell or in a browser. */
export type PageStep =
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'start'; readonly command: string }
  | { readonly kind: 'fill'; readonly label: string; readonly value: string }
  /** A button or a link by its words. */
  | { readonly kind: 'press'; readonly words: string }
  | { readonly kind: 'wait'; readonly words: string }
  /** The config that the browser shows goes into this file. */
  | { readonly kind: 'save'; readonly file: string };

const step = new RegExp(
  [
    /```(?<info>sh|sh background)\n(?<command>[\s\S]*?)```/,
    /^\| (?!field|-)(?<label>[^|]+?) +\| (?<value>[^|]+?) +\|$/,
    /\*\*(?<press>[^*]+)\*\*/,
    /(?<!\w)_(?<wait>[^_]+)_(?!\w)/,
    /[Ss]ave (?:it|the config) as `(?<file>[^`]+)`/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gm',
);

/** The steps of a page in order: shell blocks, rows of "field, value", **buttons**, _what the browser says_, files. */
export function pageSteps(markdown: string): readonly PageStep[] {
  return Array.from(markdown.matchAll(step), ({ groups = {} }): PageStep => {
    const { info, command, label, value, press, wait, file } = groups;
    if (command !== undefined) return info === 'sh' ? { kind: 'run', command } : { kind: 'start', command };
    if (label !== undefined && value !== undefined) return { kind: 'fill', label, value };
    if (file !== undefined) return { kind: 'save', file };
    const words = (press ?? wait ?? '').replaceAll(/\s+/g, ' ');
    return press === undefined ? { kind: 'wait', words } : { kind: 'press', words };
  });
}
