import { connect } from 'node:net';
import process from 'node:process';

/** Writes to a TCP port without end: `stream-sender.ts HOST PORT`. Ends with the connection. */
const [host = '', port = ''] = process.argv.slice(2);
const chunk = Buffer.alloc(65_536, 0x47);
const socket = connect({ host, port: Number(port) });

function fill(): void {
  while (socket.write(chunk));
}

socket.on('connect', fill);
socket.on('drain', fill);
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
