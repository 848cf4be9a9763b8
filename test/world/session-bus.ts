/** A real session bus of a test's own, and processes that have a name on it as a GApplication does. */
import { spawn } from 'node:child_process';
import { Running } from './running.ts';

/** Takes a name on the bus, and waits; Python's standard library is enough for that. Prints what it is asked to open. */
const owner = `
import os, socket, struct, sys
path, name = sys.argv[1], sys.argv[2]
bus = socket.socket(socket.AF_UNIX)
bus.connect(path)
def line(text):
    bus.sendall(text)
    return bus.recv(4096)
assert line(b'\\0AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode() + b'\\r\\n').startswith(b'OK ')
bus.sendall(b'BEGIN\\r\\n')
def pad(data, to):
    return data + b'\\0' * (-len(data) % to)
def text(value):
    return struct.pack('<I', len(value)) + value.encode() + b'\\0'
def field(array, code, kind, value):
    return pad(array, 8) + bytes([code, 1]) + kind.encode() + b'\\0' + value
def call(serial, member, signature=None, body=b''):
    array = b''
    array = field(array, 1, 'o', text('/org/freedesktop/DBus'))
    array = field(array, 2, 's', text('org.freedesktop.DBus'))
    array = field(array, 3, 's', text(member))
    array = field(array, 6, 's', text('org.freedesktop.DBus'))
    if signature:
        array = field(array, 8, 'g', bytes([len(signature)]) + signature.encode() + b'\\0')
    bus.sendall(pad(struct.pack('<cBBBIII', b'l', 1, 0, 1, len(body), serial, len(array)) + array, 8) + body)
call(1, 'Hello')
# DBUS_NAME_FLAG_DO_NOT_QUEUE: the second one is told that the name is taken.
call(2, 'RequestName', 'su', pad(text(name), 4) + struct.pack('<I', 4))
received = b''
def replies():
    global received
    while True:
        while len(received) < 16:
            more = bus.recv(4096)
            if not more: sys.exit(0)
            received += more
        body, serial, fields = struct.unpack('<III', received[4:16])
        length = 16 + fields + (-(16 + fields) % 8) + body
        while len(received) < length: received += bus.recv(4096)
        message, received = received[:length], received[length:]
        yield message[1], message[length - body:]
answers = (body for kind, body in replies() if kind in (2, 3))
next(answers)
if struct.unpack('<I', next(answers))[0] != 1:
    print('handed over', flush=True)
    sys.exit(0)
print('owner', flush=True)
for _ in answers: pass
`;

export class SessionBus {
  readonly address: string;
  readonly #path: string;
  readonly #daemon: Running;
  readonly #owners: Running[] = [];

  private constructor(path: string, daemon: Running) {
    this.#path = path;
    this.#daemon = daemon;
    this.address = `unix:path=${path}`;
  }

  /** A dbus-daemon that listens at this path; it ends with the object. */
  static async start(path: string): Promise<SessionBus> {
    const command = [
      '--session',
      '--nofork',
      '--nopidfile',
      `--address=unix:path=${path}`,
      '--print-address',
    ];
    const daemon = new Running(spawn('dbus-daemon', command, { stdio: ['ignore', 'pipe', 'pipe'] }));
    await daemon.says(/unix:path=/);
    return new SessionBus(path, daemon);
  }

  /** A process of this test's that has the name. */
  async own(name: string): Promise<Running> {
    const [program, ...args] = gapplication(this.#path, name);
    const running = new Running(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    this.#owners.push(running);
    await running.says(/^owner$/m);
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of [...this.#owners, this.#daemon]) await running.end();
  }
}

/** The command of an app with one instance: takes the name and says `owner`, else says `handed over` and ends. */
export function gapplication(busPath: string, name: string): [string, ...string[]] {
  return ['python3', '-c', owner, busPath, name];
}
