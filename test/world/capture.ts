/**
 * Sees every packet on every interface of a world's host, loopback included. It is running when `start`
 * returns, and complete whenever it is asked: a fence, a datagram that only it knows, goes round on loopback
 * and everything that was sent before it has been read when it arrives.
 */
import type { Namespace } from './namespace.ts';
import { PcapReader, type Packet } from './packets.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

/** What the kernel sends by itself on a network; without it a capture shows what programs did. */
const housekeeping = ['neighbour', 'mld', 'igmp'];

/** An address and port that packets may go to or come from: the connection to the proxy. */
export interface Exception {
  readonly address: string;
  readonly port: number;
}

export interface CaptureOptions {
  /** A filter of pcap-filter(7); for tests that move so much that reading all of it would slow them. */
  readonly only?: string;
}

export type Matcher = (packet: Packet) => boolean;

const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

export class Capture {
  readonly #host: Namespace;
  readonly #tcpdump: Running;
  #packets: Packet[] = [];
  #fences = 0;
  #arrived = 0;

  private constructor(host: Namespace, tcpdump: Running, names: Map<number, string>) {
    this.#host = host;
    this.#tcpdump = tcpdump;
    const reader = new PcapReader((index) => names.get(index) ?? `interface ${index}`);
    tcpdump.child.stdout?.on('data', (bytes: Buffer) => {
      for (const packet of reader.read(bytes)) this.#take(packet);
    });
  }

  /** Resolves when the capture has seen its first fence. */
  static async start(host: Namespace, options: CaptureOptions = {}): Promise<Capture> {
    const listed = await host.spawn(['ip', '-j', 'link'], { env, cwd: '/' }).ended;
    const links = JSON.parse(listed.stdout) as { ifindex: number; ifname: string }[];
    const filter = options.only === undefined ? [] : [`(${options.only}) or host ${fenceAddress}`];
    const quick = ['--immediate-mode', '--packet-buffered', '--buffer-size=16384', '--snapshot-length=256'];
    const dump = [
      'tcpdump',
      '-i',
      'any',
      '-n',
      '-y',
      'LINUX_SLL2',
      '-Z',
      'root',
      ...quick,
      '-w',
      '-',
      ...filter,
    ];
    const tcpdump = host.spawn(dump, { env, cwd: '/' });
    const capture = new Capture(host, tcpdump, new Map(links.map((link) => [link.ifindex, link.ifname])));
    await tcpdump.says(/listening on any/);
    await capture.#fence();
    capture.#packets = [];
    return capture;
  }

  /** Everything since the start that programs sent or received, or what of it matches. */
  async packets(matcher: Matcher = () => true): Promise<Packet[]> {
    return (await this.all()).filter((packet) => !housekeeping.includes(packet.proto) && matcher(packet));
  }

  /** The same with what the kernel sends by itself: ARP, neighbour discovery, multicast memberships. */
  async all(): Promise<Packet[]> {
    await this.#fence();
    return [...this.#packets];
  }

  /** The packets that had no business on the host: all of them but those of the exceptions. */
  async leaks(exceptions: readonly Exception[]): Promise<Packet[]> {
    return this.packets((packet) => !exceptions.some((exception) => belongsTo(packet, exception)));
  }

  /** Forgets what it has seen until now. */
  async clear(): Promise<void> {
    await this.#fence();
    this.#packets = [];
  }

  /** Ends it; throws when the kernel had to drop packets, because then it proves nothing. */
  async stop(): Promise<void> {
    if (this.#tcpdump.hasEnded) return;
    this.#tcpdump.kill('SIGINT');
    const { stderr } = await this.#tcpdump.ended;
    const dropped = /([0-9]+) packets? dropped by kernel/.exec(stderr)?.[1];
    if (dropped !== '0') throw new Error(`the capture is not complete: ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #take(packet: Packet): void {
    const number = fencePattern.exec(packet.bytes.toString('latin1'))?.[1];
    if (number === undefined) this.#packets.push(packet);
    else if (packet.proto === 'udp') this.#arrived = Math.max(this.#arrived, Number(number));
  }

  async #fence(): Promise<void> {
    const number = ++this.#fences;
    const send = `echo culvert-fence ${number}. > /dev/udp/${fenceAddress}/9`;
    await this.#host.spawn(['bash', '-c', send], { env, cwd: '/' }).ended;
    await until(`fence ${number} in the capture`, () => this.#arrived >= number || this.#failed());
  }

  #failed(): undefined {
    if (this.#tcpdump.hasEnded) throw new Error(`tcpdump ended: ${this.#tcpdump.stderr}`);
  }
}

const fenceAddress = '127.99.99.99';
// The ICMP error that a fence may cause quotes it, and is recognised by that.
const fencePattern = /culvert-fence ([0-9]+)\./;

function belongsTo(packet: Packet, { address, port }: Exception): boolean {
  const to = packet.destination === address && packet.destinationPort === port;
  const from = packet.source === address && packet.sourcePort === port;
  return packet.proto === 'tcp' && (to || from);
}

/** One line a packet, for the message of a failing test. */
export function describePackets(packets: readonly Packet[]): string {
  const lines = packets.map(
    (packet) =>
      `${packet.iface} ${packet.sent ? 'out' : 'in'} ${packet.proto} ` +
      `${packet.source}:${packet.sourcePort} > ${packet.destination}:${packet.destinationPort}`,
  );
  return lines.join('\n');
}
