import { createSocket } from 'node:dgram';
import process from 'node:process';
import { AppError } from '../app-error.ts';
import { rfc3339, type Clock } from '../clock.ts';
import type { LogTarget } from './log-target.ts';

export interface SyslogTargetSettings {
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  /** What the server sees as the program's name. */
  readonly appName: string;
}

/** RFC 5424 §6.2.1: facility 3, system daemons. */
const facility = 3;
const severities: Readonly<Record<string, number>> = { critical: 2, warning: 4, info: 6 };
/** The largest payload of an IPv4 UDP datagram, less room for the header. */
const maxBytes = 65_000;

/** A syslog server over UDP (RFC 5424 in RFC 5426): one datagram a line, whose message is the line of JSON. */
export function createSyslogTarget(settings: SyslogTargetSettings, clock: Pick<Clock, 'now'>): LogTarget {
  const { ip, port, hostname, appName } = settings;
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  // Without this an ICMP answer of a server that is away would end the process; the next write gets the error.
  socket.on('error', () => undefined);
  socket.unref();
  let closed = false;
  return {
    write(line) {
      const priority = facility * 8 + (severities[levelOf(line)] ?? 6);
      const [time, host, name] = [rfc3339(clock.now()), token(hostname, 255), token(appName, 48)];
      const header = `<${priority}>1 ${time} ${host} ${name} ${process.pid} - -`;
      const datagram = Buffer.from(`${header} ${line}`);
      if (datagram.length > maxBytes) return Promise.reject(new AppError('input-invalid', 'the line is too long'));
      return new Promise((resolve, reject) => {
        socket.send(datagram, port, ip, (error) => (error ? reject(error) : resolve()));
      });
    },
    close() {
      if (closed) return Promise.resolve();
      closed = true;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

/** Our own lines begin with it; anything else is info. */
function levelOf(line: string): string {
  return /"level":"(\w+)"/.exec(line)?.[1] ?? 'info';
}

/** A header field: printable ASCII without spaces, `-` for nothing (RFC 5424 §6). */
function token(text: string, maxChars: number): string {
  return text.replaceAll(/[^!-~]/g, '_').slice(0, maxChars) || '-';
}
