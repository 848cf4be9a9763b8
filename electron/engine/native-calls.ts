/** The functions of libculvert that the engine calls, as native/culvert.h declares them. */
type Out = Buffer | Int32Array | BigInt64Array | BigUint64Array;
export type NativeCalls = ReturnType<typeof declareCalls>;

/** Makes a function of a C prototype. */
type Define = (prototype: string) => unknown;

/** All of them; what their parameters are in JavaScript is said here. */
export function declareCalls(define: Define) {
  return { ...declareProcess(define), ...declareRelay(define) };
}

/** process.c, socket.c, watch.c and link.c. */
function declareProcess(define: Define) {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the type is the declaration
  const f = <T>(prototype: string) => define(prototype) as T;
  return {
    abi: f<() => number>('int cv_abi()'),
    harden: f<() => number>('int cv_harden()'),
    session: f<(pid: number, out: Out) => number>('int cv_session(int, void *)'),
    memoryFile: f<(bytes: Buffer, size: number) => number>('int cv_memory_file(const void *, uint32_t)'),
    pipe: f<(out: Out) => number>('int cv_pipe(void *)'),
    socketPair: f<(out: Out) => number>('int cv_socket_pair(void *)'),
    isHungUp: f<(fd: number) => number>('int cv_is_hung_up(int)'),
    dup: f<(fd: number) => number>('int cv_dup(int)'),
    close: f<(fd: number) => number>('int cv_close(int)'),
    ptyOpen: f<(like: number, out: Out) => number>('int cv_pty_open(int, void *)'),
    ptyResize: f<(from: number, to: number) => number>('int cv_pty_resize(int, int)'),
    terminalSave: f<(fd: number, saved: Buffer) => number>('int cv_terminal_save(int, void *)'),
    terminalRaw: f<(fd: number, saved: Buffer) => number>('int cv_terminal_raw(int, void *)'),
    terminalRestore: f<(fd: number, saved: Buffer) => number>('int cv_terminal_restore(int, const void *)'),
    limit: f<(resource: number, out: Out) => number>('int cv_limit(int, void *)'),
    spliceTry: f<() => number>('int cv_splice_try()'),
    exit: f<(status: number) => void>('void cv_exit(int)'),
    dieBy: f<(signal: number) => number>('int cv_die_by(int)'),
    netnsOf: f<(pid: number) => number>('int cv_netns_of(int)'),
    netnsInode: f<(fd: number) => number | bigint>('int64_t cv_netns_inode(int)'),
    watchStart: f<() => number>('int cv_watch_start()'),
    watchAdd: f<(fd: number) => number>('int cv_watch_add(int)'),
    watchAgain: f<(fd: number) => number>('int cv_watch_again(int)'),
    watchRemove: f<(fd: number) => number>('int cv_watch_remove(int)'),
    linkListen: f<(path: string) => number>('int cv_link_listen(const char *)'),
    linkAccept: f<(fd: number) => number>('int cv_link_accept(int)'),
    linkPeer: f<(fd: number, out: Out) => number>('int cv_link_peer(int, void *)'),
    linkSend: f<(fd: number, message: Buffer, size: number, fds: Out, count: number) => number>(
      'int cv_link_send(int, const void *, uint32_t, const void *, int32_t)',
    ),
    linkReceive: f<(fd: number, message: Buffer, size: number, fds: Out, room: number, count: Out) => number>(
      'int cv_link_receive(int, void *, uint32_t, void *, int32_t, void *)',
    ),
  };
}

/** pump.c and udp.c. */
function declareRelay(define: Define) {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the type is the declaration
  const f = <T>(prototype: string) => define(prototype) as T;
  return {
    pumpStart: f<(threads: number, flows: number) => number>('int cv_pump_start(int, int)'),
    pumpListen: f<(fd: number, redirected: number) => number>('int cv_pump_listen(int, int)'),
    pumpUnlisten: f<(listener: number) => number>('int cv_pump_unlisten(int)'),
    pumpSettle: f<(listener: number) => number>('int cv_pump_settle(int)'),
    pumpForget: f<(listener: number) => number>('int cv_pump_forget(int)'),
    pumpPeek: f<(flow: number, out: Out, room: number) => number>('int cv_pump_peek(int, void *, uint32_t)'),
    pumpTake: f<(flow: number) => number>('int cv_pump_take(int)'),
    pumpDial: f<
      (
        flow: number,
        proxy: Buffer,
        device: string | null,
        signIn: Buffer,
        signInSize: number,
        request: Buffer,
        requestSize: number,
        timeoutMs: number,
        againMs: number,
      ) => number
    >(
      'int cv_pump_dial(int, const void *, const char *, const void *, uint32_t, const void *, uint32_t, uint32_t, uint32_t)',
    ),
    pumpJoin: f<(flow: number, proxy: number, toApp: Buffer, size: number) => number>(
      'int cv_pump_join(int, int, const void *, uint32_t)',
    ),
    pumpAbort: f<(flow: number) => number>('int cv_pump_abort(int)'),
    pumpRelease: f<(flow: number) => number>('int cv_pump_release(int)'),
    pumpCounters: f<(first: number, count: number, out: Out) => number>(
      'int cv_pump_counters(int, int, void *)',
    ),
    pumpReap: f<(out: Out, max: number) => number>('int cv_pump_reap(void *, int)'),
    udpStart: f<(associations: number, idleSeconds: number) => number>('int cv_udp_start(int, int)'),
    udpLaneAdd: f<(udp: number, dns: number, raw4: number, raw6: number) => number>(
      'int cv_udp_lane_add(int, int, int, int)',
    ),
    udpLanePacket: f<(lane: number, packet: number) => number>('int cv_udp_lane_packet(int, int)'),
    udpLaneRemove: f<(lane: number) => number>('int cv_udp_lane_remove(int)'),
    udpAssociate: f<
      (
        lane: number,
        source: Buffer,
        socket: number,
        kind: number,
        relay: Buffer | null,
        layers: Buffer,
        layersSize: number,
      ) => number
    >('int cv_udp_associate(int, const void *, int, int, const void *, const void *, uint32_t)'),
    udpSocket: f<(family: number, device: string | null) => number>('int cv_udp_socket(int, const char *)'),
    tcpSocket: f<(family: number, device: string | null) => number>('int cv_tcp_socket(int, const char *)'),
    udpDissociate: f<(association: number) => number>('int cv_udp_dissociate(int)'),
    udpRoute: f<(association: number, destination: Buffer, target: Buffer, size: number) => number>(
      'int cv_udp_route(int, const void *, const void *, uint32_t)',
    ),
    udpRefuse: f<(lane: number, source: Buffer, destination: Buffer) => number>(
      'int cv_udp_refuse(int, const void *, const void *)',
    ),
    udpReply: f<(lane: number, from: Buffer, to: Buffer, bytes: Buffer, size: number) => number>(
      'int cv_udp_reply(int, const void *, const void *, const void *, uint32_t)',
    ),
    udpPoll: f<(out: Out, room: number) => number>('int cv_udp_poll(void *, uint32_t)'),
    udpCounters: f<(association: number, out: Out) => number>('int cv_udp_counters(int, void *)'),
  };
}
