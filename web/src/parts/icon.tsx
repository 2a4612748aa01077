/** Strokes on a 16 × 16 grid. */
const paths = {
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  sync: 'M13 8a5 5 0 0 1-9 3M3 8a5 5 0 0 1 9-3M12 2v3H9M4 14v-3h3',
  dot: 'M8 6.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 1 0 0-3',
  pause: 'M5.5 4v8M10.5 4v8',
  play: 'M5 3.5l7 4.5l-7 4.5z',
  clock: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 5v3l2 1.5',
  pulse: 'M1.5 8h3l2-4.5l3 9l2-4.5h3',
  question: 'M5.5 6a2.5 2.5 0 1 1 3.4 2.3c-.7.3-.9.7-.9 1.4M8 12.4v.1',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9',
  info: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 7.3v3.4M8 5.2v.1',
  warning: 'M8 2.5l6 10.5H2zM8 6.5v3M8 11.2v.1',
  critical: 'M5.5 2.5h5l3 3v5l-3 3h-5l-3-3v-5zM8 5v3.5M8 10.8v.1',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  differs: 'M3.5 6h9M3.5 10h9M10 3L6 13',
  overview: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  edge: 'M3 4.5h10v7H3zM5.5 13.5h5M5.5 7.5h2',
  relay: 'M8 2.5v3M8 10.5v3M2.5 8h3M10.5 8h3M8 5.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5',
  nodes: 'M3 3h10v4H3zM3 9h10v4H3zM5.5 5v.1M5.5 11v.1',
  tunnel: 'M2 8h12M2 8a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0M10.8 8a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0M8 5.5v5',
  flow: 'M2.5 5c3 0 3 6 6 6h5M11 8.5l2.5 2.5l-2.5 2.5M2.5 11c1.3 0 2-1 2.7-2.2M8.5 5h5',
  drift: 'M3 3.5h4v9H3zM9 3.5h4v5H9zM9 11.5h4',
  events: 'M3 4h.1M6 4h7.5M3 8h.1M6 8h7.5M3 12h.1M6 12h5',
  removed: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9',
  audit: 'M4 2.5h6l2.5 2.5v8.5H4zM6 8l1.4 1.4L10.5 6.5M6 12h4',
  users:
    'M6 7.5a2.3 2.3 0 1 0 0-4.6a2.3 2.3 0 1 0 0 4.6M1.8 13.2c.3-2.5 2-3.7 4.2-3.7s3.9 1.2 4.2 3.7M10.5 3.2a2.2 2.2 0 0 1 0 4.2M12 9.8c1.3.5 2 1.6 2.2 3.4',
  token: 'M6 6a3 3 0 1 0 0 .1M8.2 8.2l5.3 5.3M11 11l1.5-1.5',
  webhook: 'M6.5 6.5L5 9.5a2.2 2.2 0 1 0 1.8 1.2h4M8 2.8a2.2 2.2 0 0 0-1.5 3.8M8.6 5l2 4a2.2 2.2 0 1 1-.6 3.6',
  settings: 'M2.5 5h6M12 5h1.5M10.2 3.3v3.4M2.5 11h1.5M7.5 11h6M5.8 9.3v3.4',
  instances: 'M3 3h10v3.5H3zM3 9.5h10V13H3zM8 6.5v3M5 4.8v.1M5 11.3v.1',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  theme: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  copy: 'M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 1 0 0-8.4M10 10l3.5 3.5',
  next: 'M6 3.5L10.5 8L6 12.5',
  arrow: 'M2.5 8h10.5M9 4l4 4l-4 4',
  back: 'M10 3.5L5.5 8l4.5 4.5',
  download: 'M8 2.5v7M5 7l3 3l3-3M3 13.5h10',
  key: 'M5.5 8a2.7 2.7 0 1 0 0 .1M8.2 8h5.8M11.5 8v2.5M13.5 8v1.8',
  leave: 'M9.5 3H3.5v10h6M7 8h7M11.5 5.5L14 8l-2.5 2.5',
  eyeOff: 'M2 8c1.5-2.7 3.5-4 6-4s4.500 1.300 6 4c-1.500 2.700-3.500 4-6 4s-4.500-1.300-6-4M3 13L13 3',
  upload: 'M8 13.5v-7M5 9l3-3l3 3M3 2.5h10',
  undo: 'M5.5 3L2.500 6l3 3M2.500 6h7a4 4 0 0 1 0 8H6',
} as const satisfies Readonly<Record<string, string>>;

export type IconName = keyof typeof paths;

/** A sign beside a word. Screen readers skip it: the word says the same. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      class={`icon icon-${name}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
