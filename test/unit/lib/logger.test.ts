import { describe, expect, it } from 'vitest';
import { createLogger, type LogLevel, logLevels } from '../../../src/lib/logger.ts';
import { redacted } from '../../../src/lib/redact.ts';

function captured(level: LogLevel, format: 'json' | 'pretty' = 'json') {
  const lines: string[] = [];
  const stream = {
    write: (line: string) => {
      lines.push(line);
    },
  };
  const logger = createLogger({ level, format, stream });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const writable = logLevels.filter((level) => level !== 'silent');

describe('createLogger', () => {
  it('writes one JSON object a line with time, level, fields and message', () => {
    const { logger, lines, parsed } = captured('info');
    logger.info({ tunnelId: 't-1' }, 'tunnel active');
    expect(lines[0]).toMatch(/\n$/);
    expect(parsed()).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/) as string, tunnelId: 't-1', msg: 'tunnel active' },
    ]);
  });

  it.each(writable)('at %s it writes that level and those above', (level) => {
    const { logger, parsed } = captured(level);
    for (const each of writable) logger[each]({}, each);
    expect(parsed().map((line) => line['msg'])).toEqual(writable.slice(writable.indexOf(level)));
  });

  it('writes nothing when silent', () => {
    const { logger, lines } = captured('silent');
    for (const each of writable) logger[each]({}, each);
    expect(lines).toEqual([]);
  });

  it('changes its level at run time, for children made before too', () => {
    const { logger, parsed } = captured('info');
    const child = logger.child({ session: 7 }).child({ leg: 'ingress' });
    child.debug({}, 'before');
    logger.setLevel('debug');
    child.debug({}, 'after');
    expect(logger.level()).toBe('debug');
    expect(parsed()).toMatchObject([{ msg: 'after', session: 7, leg: 'ingress' }]);
  });

  it('never prints what a secret-named field holds, of a line or of a child', () => {
    const { logger, lines, parsed } = captured('info');
    logger.child({ nodeSecret: 'hush-1' }).info({ bind: { token: 'hush-2' } }, 'bound');
    expect(lines.join('')).not.toContain('hush');
    expect(parsed()).toMatchObject([{ nodeSecret: redacted, bind: { token: redacted } }]);
  });

  it('prints for people on request', () => {
    const { logger, lines } = captured('info', 'pretty');
    logger.warn({ tunnelId: 't-1' }, 'tunnel down');
    expect(lines.join('')).toMatch(/WARN.*tunnel down[^]*tunnelId: "t-1"/);
  });
});
