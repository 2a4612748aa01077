import { createHash } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { MediaUnit } from '../../../src/media/codec/media-unit.ts';
import { h264Sets } from './media-samples.ts';
import { RtpPacketiser } from './rtp-packetiser.ts';

/** H.264 and AAC, both with payload type 96, as some cameras have them. */
export const rtspSdp = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=test',
  'a=control:*',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  `a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${h264Sets.map((set) => set.toString('base64')).join(',')}`,
  'a=control:track1',
  'm=audio 0 RTP/AVP 96',
  'a=rtpmap:96 MPEG4-GENERIC/48000/2',
  'a=fmtp:96 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190',
  'a=control:track2',
  '',
].join('\r\n');

export interface RtspServerOptions {
  readonly auth?: 'digest' | 'basic';
  /** What is answered in place of the server's own; null says nothing. */
  readonly answer?: (method: string, request: string) => string | null | undefined;
  readonly units?: readonly MediaUnit[];
}

const user = { username: 'cam', password: 'secret pass' };

/** A small RTSP server that plays the same units to each client. */
export class RtspServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: RtspServerOptions;
  readonly #sockets = new Set<Socket>();
  readonly #udp: UdpSocket;
  /** All requests, first lines. */
  readonly requests: string[] = [];
  /** Where the client of the latest SETUPs takes RTP; none over TCP. */
  #ports: number[] = [];

  private constructor(server: Server, udp: UdpSocket, options: RtspServerOptions) {
    this.#server = server;
    this.#udp = udp;
    this.#options = options;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(options: RtspServerOptions = {}, port = 0): Promise<RtspServer> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
    const udp = createSocket('udp4');
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', () => resolve()));
    return new RtspServer(server, udp, options);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Ends all connections, and listens on. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A client that resets the connection has gone.
    socket.on('error', () => undefined);
    let received = '';
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
        const request = received.slice(0, end);
        received = received.slice(end + 4);
        this.#answer(socket, request);
      }
    });
  }

  #answer(socket: Socket, request: string): void {
    const [line = ''] = request.split('\r\n');
    const [method = ''] = line.split(' ');
    this.requests.push(line);
    const own = this.#options.answer?.(method, request);
    if (own === null) return;
    const sequence = /CSeq: (\d+)/i.exec(request)?.[1] ?? '0';
    if (own !== undefined) {
      socket.write(own.replace('{cseq}', sequence));
      return;
    }
    if (method !== 'OPTIONS' && !this.#isAllowed(method, request)) {
      const challenge =
        this.#options.auth === 'basic' ? 'Basic realm="cam"' : 'Digest realm="cam", nonce="n1", qop="auth", opaque="o"';
      socket.write(`RTSP/1.0 401 Unauthorized\r\nCSeq: ${sequence}\r\nWWW-Authenticate: ${challenge}\r\n\r\n`);
      return;
    }
    socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n${this.#headers(method, request)}`);
    if (method === 'PLAY') this.#play(socket, line.includes('127.0.0.1'));
  }

  #headers(method: string, request: string): string {
    const base = `rtsp://127.0.0.1:${this.port}/s/`;
    switch (method) {
      case 'OPTIONS':
        return 'Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n\r\n';
      case 'DESCRIBE':
        return `Content-Base: ${base}\r\nContent-Type: application/sdp\r\nContent-Length: ${rtspSdp.length}\r\n\r\n${rtspSdp}`;
      case 'SETUP': {
        const transport = /Transport: ([^\r\n]*)/.exec(request)?.[1] ?? '';
        const client = /client_port=(\d+)/.exec(transport)?.[1];
        if (client !== undefined) this.#ports.push(Number(client));
        const server =
          client === undefined ? '' : `;server_port=${this.#udp.address().port}-${this.#udp.address().port}`;
        return `Transport: ${transport}${server}\r\nSession: abc;timeout=4\r\n\r\n`;
      }
      case 'PLAY':
        return `Session: abc\r\nRTP-Info: url=${base}track1;seq=65500;rtptime=0,url=${base}track2;seq=65500;rtptime=0\r\n\r\n`;
      default:
        return '\r\n';
    }
  }

  #isAllowed(method: string, request: string): boolean {
    const { auth } = this.#options;
    const given = /Authorization: ([^\r\n]*)/.exec(request)?.[1] ?? '';
    if (auth === undefined) return true;
    if (auth === 'basic') {
      return given === `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
    }
    const field = (name: string): string => new RegExp(`[ ,]${name}="?([^",]*)`).exec(given)?.[1] ?? '';
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const secret = md5(`${user.username}:cam:${user.password}`);
    const wanted = md5(`${secret}:n1:${field('nc')}:${field('cnonce')}:auth:${md5(`${method}:${field('uri')}`)}`);
    return field('response') === wanted && field('opaque') === 'o';
  }

  #play(socket: Socket, isLocal: boolean): void {
    const [video, audio] = [new RtpPacketiser(96, 90_000), new RtpPacketiser(96, 48_000)];
    const ports = this.#ports;
    this.#ports = [];
    for (const unit of isLocal ? (this.#options.units ?? []) : []) {
      const track = unit.codec === 'aac' ? 1 : 0;
      for (const packet of (track === 0 ? video : audio).packets(unit)) {
        const port = ports[track];
        if (port !== undefined) this.#udp.send(packet, port, '127.0.0.1');
        else
          socket.write(
            Buffer.concat([Buffer.from([0x24, track * 2, packet.length >> 8, packet.length & 0xff]), packet]),
          );
      }
    }
  }
}
