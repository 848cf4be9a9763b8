/**
 * An engine as a window hears it: 10,000 connections that are open, all of which carry bytes every second, and a few that
 * end and begin. Arguments: its socket, its process number, its version.
 */
const net = require('node:net');
const { clearInterval, setInterval } = require('node:timers');

const [path, pid, version] = process.argv.slice(2);
const count = 10_000;
/** Of them end each second, and as many begin. */
const turnover = 50;
const lane = `${pid}-1`;
const profile = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };
const startedAt = Date.now();
let last = 0;

function begin() {
  last += 1;
  return {
    ...{
      id: last,
      lane,
      app: 'firefox',
      name: 'Firefox',
      profile,
      proto: 'tcp',
      sourcePort: 1024 + (last % 60_000),
    },
    ...{
      host: `host-${last % 997}.example.test`,
      address: '198.18.0.7',
      port: 443,
      pid: 4000,
      process: 'firefox',
    },
    ...{ via: 'socks5://203.0.113.7:1080', rule: last % 3 === 0 ? 'work-hosts' : undefined, state: 'open' },
    ...{ bytesUp: 0, bytesDown: 0, openedAt: Date.now(), dialMs: 40 },
  };
}

const flows = new Map(Array.from({ length: count }, begin).map((flow) => [flow.id, flow]));

function step() {
  const changed = [];
  for (const [id, flow] of [...flows].slice(0, turnover)) {
    flows.delete(id);
    changed.push({ ...flow, state: 'closed', closedAt: Date.now() });
    const begun = begin();
    flows.set(begun.id, begun);
    changed.push(begun);
  }
  const counted = [];
  for (const flow of flows.values()) {
    flow.bytesUp += flow.id % 700;
    flow.bytesDown += (flow.id % 7000) + 1;
    counted.push(flow.id, flow.bytesUp, flow.bytesDown);
  }
  return { changed, counted };
}

const snapshot = {
  engine: { pid: Number(pid), version, startedAt },
  helpers: [],
  lanes: [
    {
      ...{
        id: lane,
        name: 'Firefox',
        app: 'firefox',
        command: ['firefox'],
        profile,
        via: 'socks5://203.0.113.7:1080',
      },
      ...{ health: 'reachable', state: 'running', mode: 'rootless', interception: 'tproxy', startedAt },
      ...{ flowsOpen: count, flowsTotal: count, bytesUp: 0, bytesDown: 0, notes: [] },
    },
  ],
};

net
  .createServer((socket) => {
    let text = '';
    let timer;
    const say = (value) => socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...value })}\n`);
    const tell = (value) => say({ method: 'flows', params: { at: Date.now(), ...value } });
    const answers = { hello: { version, pid: Number(pid) }, watch: snapshot, snapshot };
    const heard = ({ id, method }) => {
      say({ id, result: answers[method] ?? {} });
      if (method === 'flows.unwatch') clearInterval(timer);
      if (method !== 'flows.watch') return;
      tell({ changed: [...flows.values()], counted: [] });
      clearInterval(timer);
      timer = setInterval(() => tell({ since: Date.now() - 1000, ...step() }), 1000);
    };
    socket.on('data', (bytes) => {
      text += bytes;
      const lines = text.split('\n');
      text = lines.pop();
      for (const line of lines) if (line !== '') heard(JSON.parse(line));
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clearInterval(timer));
  })
  .listen(path, () => process.stdout.write('listening\n'));
