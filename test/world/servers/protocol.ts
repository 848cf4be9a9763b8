/** What a test and its servers say to each other over Node's channel. */

/** Command line of the servers, as JSON. */
export interface ServersConfig {
  readonly udpAddresses: readonly string[];
  /** Served below /files/. */
  readonly files: string;
  readonly key: string;
  readonly certificate: string;
  /** Ports that are left out because something else of the test listens there. */
  readonly without: readonly number[];
}

/** One connection, datagram or query that reached a server. */
export interface Seen {
  readonly proto: 'tcp' | 'udp';
  /** The server's port. */
  readonly port: number;
  /** The server's address, as the client wrote it. */
  readonly address: string;
  readonly peer: string;
  readonly peerPort: number;
  bytes: number;
  /** SHA-256 of what came, for the two servers of half-closed connections. */
  sha256?: string;
  /** How a connection ended, once it has. */
  end?: 'closed' | 'reset';
  /** "A example.test" for DNS, "GET /path" for HTTP. */
  readonly asked?: string;
}

export type Call = 'seen' | 'forget';
export interface Request {
  readonly id: number;
  readonly call: Call;
}
export interface Reply {
  readonly id: number;
  readonly seen: readonly Seen[];
}
