import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Way = 'request' | 'answer';
/** What stands between a store and its server, and can make trouble. */
export interface Wire {
  /** The server's URL, leading through here. */
  readonly url: string;
  /** Breaks all connections now. */
  drop(): void;
  /** Breaks all connections as soon as so many more bytes have come through this way; the last of them do not arrive. */
  dropAfter(bytes: number, way: Way): void;
  /** Breaks the connection over which this command comes, the next times it does: before it is passed on, or instead of passing on its answer. */
  dropAt(command: string, ...lost: readonly Way[]): void;
  /** Connections stay, and nothing comes through any more: what is sent meanwhile is lost, and with it what would follow on that connection. */
  swallow(): void;
  /** Nobody gets in, and who was in is thrown out, one after another. */
  refuse(): void;
  /** The end of all trouble. */
  heal(): void;
  /** How often a command was cut as `dropAt` asked. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** Starts one in front of the server of the URL. It names one host, and no TLS. */
export async function startProxy(url: string): Promise<Wire> {
  const [, host = '', port = '27017'] = /\/\/(?:[^@/]*@)?([^:/]+)(?::(\d+))?/.exec(url) ?? [];
  const pairs = new Set<() => void>();
  let [swallowing, refusing, cuts] = [false, false, 0];
  let countdown: { way: Way; left: number } | undefined;
  let trap: { bytes: Buffer; lost: Way[] } | undefined;
  const drop = (): void => {
    countdown = undefined;
    for (const end of pairs) end();
  };

  const server = createServer(client => {
    if (refusing) return void client.destroy();
    const upstream = connect(Number(port), host);
    const end = (): void => {
      pairs.delete(end);
      client.destroy();
      upstream.destroy();
    };
    pairs.add(end);
    let [doomed, mute] = [false, false];
    const pass = (from: Socket, to: Socket, way: Way): void =>
      void from
        .on('data', data => {
          mute ||= swallowing;
          if (mute) return;
          if (way === 'request' && trap !== undefined && data.includes(trap.bytes)) {
            const lost = trap.lost.shift();
            if (trap.lost.length === 0) trap = undefined;
            cuts++;
            if (lost === 'request') return end();
            doomed = true;
          }
          if (way === 'answer' && doomed) return end();
          if (countdown?.way === way) {
            countdown.left -= data.length;
            if (countdown.left < 0) {
              // A part of it does arrive: a message that is broken off.
              to.write(data.subarray(0, Math.max(0, data.length + countdown.left)));
              return drop();
            }
          }
          to.write(data);
        })
        .on('error', end)
        .on('close', end);
    pass(client, upstream, 'request');
    pass(upstream, client, 'answer');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url: url.replace(/(\/\/(?:[^@/]*@)?)[^/?]+/, `$1${own}`),
    drop,
    dropAfter(bytes, way) {
      countdown = { way, left: bytes };
    },
    // In a message of the protocol the name of a command is the first key of a BSON document, the ones meant here with the number 1.
    dropAt(command, ...lost) {
      trap = { bytes: Buffer.from(`\x10${command}\0`), lost: [...lost] };
    },
    swallow() {
      swallowing = true;
    },
    refuse() {
      refusing = true;
      countdown = undefined;
      for (const [index, end] of [...pairs].entries()) setTimeout(end, index * 5);
    },
    heal() {
      [swallowing, refusing, countdown, trap] = [false, false, undefined, undefined];
    },
    get cuts() {
      return cuts;
    },
    async close() {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
