/** Looks at ports of this computer's own loopback. Must not: be asked about any other address. */
import { connect, type Socket } from 'node:net';

/** Nothing on the loopback takes longer that wants to be found. */
const patienceMs = 300;
/** SOCKS5 with no sign-in or with a user name (RFC 1928 §3). */
const greeting = Buffer.from([5, 2, 0, 2]);
const methods = [0, 2, 0xff];

/** Whether a SOCKS5 proxy answers there. */
export function answersSocks(host: '127.0.0.1' | '::1', port: number): Promise<boolean> {
  return look(host, port, (socket, done) => {
    let answer = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes]);
      if (answer.length >= 2) done(answer[0] === 5 && methods.includes(answer[1] ?? -1));
    });
    socket.write(greeting);
  });
}

/** Whether anybody takes a connection there. */
export function accepts(host: string, port: number): Promise<boolean> {
  return look(host === 'localhost' ? '127.0.0.1' : host, port, (_socket, done) => done(true));
}

function look(
  host: string,
  port: number,
  onConnect: (socket: Socket, done: (isThere: boolean) => void) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (isThere: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isThere);
    };
    const timer = setTimeout(() => done(false), patienceMs);
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
    socket.once('connect', () => onConnect(socket, done));
  });
}
