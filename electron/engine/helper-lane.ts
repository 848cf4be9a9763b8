/** A lane as the helper holds it: what the helper is asked about it. Each question throws what `HelperLink.call` does. */
import type {
  HelperValue,
  LaneSignal,
  LaneSocket,
  PlainSocket,
  UnsentPorts,
} from '#shared/helper-protocol.ts';
import type { HelperLink } from './helper-link.ts';

type Made = HelperValue<'lane.create'>;

export class HelperLane {
  readonly made: Made;
  readonly #link: HelperLink;

  private constructor(link: HelperLink, made: Made) {
    this.#link = link;
    this.made = made;
  }

  /** Has the namespaces and their links made; the sockets are the caller's. */
  static async make(
    link: HelperLink,
  ): Promise<{ readonly lane: HelperLane; readonly sockets: ReadonlyMap<LaneSocket, number> }> {
    const { value, descriptors } = await link.call('lane.create', {});
    const sockets = new Map(value.sockets.map((name, index) => [name, descriptors[index] ?? -1]));
    return { lane: new HelperLane(link, value), sockets };
  }

  /** Sends a signal to one process inside, or to all; answers how many were reached. */
  async signal(signal: LaneSignal, pid?: number): Promise<number> {
    const params = { ...this.#named, signal, ...(pid === undefined ? {} : { pid }) };
    return (await this.#link.call('lane.signal', params)).value.count;
  }

  async processes(): Promise<HelperValue<'lane.processes'>> {
    return (await this.#link.call('lane.processes', this.#named)).value;
  }

  async sockets(): Promise<HelperValue<'lane.sockets'>> {
    return (await this.#link.call('lane.sockets', this.#named)).value;
  }

  /** Unconnected sockets of the app namespace; they are the caller's. */
  async plainSockets(): Promise<{ readonly kind: PlainSocket; readonly fd: number }[]> {
    const { value, descriptors } = await this.#link.call('lane.probe', this.#named);
    return value.sockets.map((kind, index) => ({ kind, fd: descriptors[index] ?? -1 }));
  }

  /** Listens at a port of the app's own loopback; the descriptors are the caller's. */
  async listen(port: number): Promise<readonly number[]> {
    return (await this.#link.call('lane.listen', { ...this.#named, port })).descriptors;
  }

  /** From where the app has sent what has not arrived at the gateway yet. */
  async unsent(): Promise<UnsentPorts> {
    return (await this.#link.call('lane.unsent', this.#named)).value;
  }

  async destroy(): Promise<void> {
    await this.#link.call('lane.destroy', this.#named);
  }

  get #named(): { readonly lane: number } {
    return { lane: this.made.lane };
  }
}
