/** A process that appends: `log-writer.cjs PATH NAME TIMES BYTES` writes TIMES lines into a log of at most BYTES. */
import { LogFile } from '../../electron/engine/log-file.ts';

const [path = '', name = '', times = '', bytes = ''] = process.argv.slice(2);
const file = new LogFile(path, Number(bytes));

async function main(): Promise<void> {
  for (let at = 0; at < Number(times); at += 1) {
    file.append(JSON.stringify({ name, at, filler: 'x'.repeat(100) }));
    // Moving a file away is asynchronous; here nothing else lets it come about.
    if (at % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await file.settled();
}

void main();
