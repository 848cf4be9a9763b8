/**
 * Where a proxy's password comes from other than the URL and the environment: one line of stdin, or the
 * keyboard without an echo. It is never printed and stays in this process.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';

const maxBytes = 1024;
const keys = {
  interrupt: '\u0003',
  endOfFile: '\u0004',
  eraseLine: '\u0015',
  backspace: '\b',
  delete: '\u007f',
};

/**
 * The first line of a descriptor, without its end. Read byte by byte, so that what follows is still there
 * for the app. Undefined when nothing comes or the line is longer than any password.
 */
export function readLine(fd: number): string | undefined {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  while (bytes.length <= maxBytes) {
    if (readSync(fd, one) === 0) break;
    const [byte = 0] = one;
    if (byte === 0x0a) return textOf(bytes);
    bytes.push(byte);
  }
  return bytes.length === 0 || bytes.length > maxBytes ? undefined : textOf(bytes);
}

function textOf(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('utf8').replace(/\r$/, '');
}

/** What a line became by some typed characters. */
export type Typed = { readonly line: string; readonly end?: 'done' | 'interrupted' };

/** Applies typed characters to a line that is edited in raw mode; what follows its end is dropped. */
export function typed(line: string, input: string): Typed {
  let text = line;
  for (const key of input) {
    if (key === '\r' || key === '\n' || key === keys.endOfFile) return { line: text, end: 'done' };
    if (key === keys.interrupt) return { line: '', end: 'interrupted' };
    if (key === keys.backspace || key === keys.delete) text = Array.from(text).slice(0, -1).join('');
    else if (key === keys.eraseLine) text = '';
    else if (key >= ' ') text += key;
  }
  return { line: text };
}

/** `unasked`: there is no terminal. `interrupted`: the user pressed Ctrl+C. */
export type Asked =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'unasked' }
  | { readonly kind: 'interrupted' };

/** Asks on the controlling terminal, whatever stdin is, without an echo; the terminal is as before in any case. */
export async function askOnTerminal(question: string): Promise<Asked> {
  let screen: number;
  let stream: ReadStream;
  try {
    screen = openSync('/dev/tty', 'w');
    stream = new ReadStream(openSync('/dev/tty', 'r+'));
  } catch {
    // No controlling terminal: nobody can be asked.
    return { kind: 'unasked' };
  }
  try {
    // Before the question: what is typed at once must not be echoed either.
    stream.setRawMode(true);
    writeSync(screen, question);
    return await answerFrom(stream);
  } finally {
    stream.setRawMode(false);
    stream.destroy();
    writeSync(screen, '\n');
    closeSync(screen);
  }
}

function answerFrom(stream: ReadStream): Promise<Asked> {
  stream.setEncoding('utf8');
  return new Promise((resolve) => {
    let line = '';
    stream.on('data', (input: string) => {
      const next = typed(line, input);
      line = next.line;
      if (next.end === 'done') resolve({ kind: 'answer', text: line });
      if (next.end === 'interrupted') resolve({ kind: 'interrupted' });
    });
    // The terminal has gone: nobody will answer.
    stream.once('error', () => {
      resolve({ kind: 'interrupted' });
    });
    stream.once('close', () => {
      resolve({ kind: 'interrupted' });
    });
  });
}
