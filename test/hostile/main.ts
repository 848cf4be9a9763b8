/** The hostile proxies of a world as a process: each behaviour on its own port, counted from the first. */
import { everyBehaviour } from './behaviours.ts';
import { listen } from './listen.ts';

const [host = '', first = ''] = process.argv.slice(2);

void Promise.all(
  everyBehaviour.map((behaviour, index) => listen(behaviour, Number(first) + index, host)),
).then(() => {
  process.stdout.write('hostile proxies listen\n');
});
