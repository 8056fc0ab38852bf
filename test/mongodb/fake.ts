import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';

const OP_QUERY = 2004;
const OP_REPLY = 1;
const OP_MSG = 2013;
/** Header: length, id, id of what it answers, kind. */
const HEADER = 16;

/** A server that says of itself what it is told to, and answers nothing else. */
export async function startFake(hello: Readonly<Record<string, unknown>>): Promise<{ readonly url: string; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer(socket => {
    open.add(socket);
    let waiting = Buffer.alloc(0);
    socket
      .on('data', data => {
        waiting = Buffer.concat([waiting, data]);
        while (waiting.length >= 4 && waiting.length >= waiting.readInt32LE(0)) {
          const length = waiting.readInt32LE(0);
          socket.write(answerTo(waiting.subarray(0, length), hello));
          waiting = waiting.subarray(length);
        }
      })
      .on('error', () => {})
      .on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/db?directConnection=true`,
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answerTo(message: Buffer, hello: object): Buffer {
  const kind = message.readInt32LE(12);
  const command = commandIn(message, kind);
  const known = ['hello', 'ismaster', 'isMaster'].some(name => name in command);
  const told = known ? { ...hello, ok: 1 } : { ok: 0, code: 59, errmsg: 'no such command' };
  const body = BSON.serialize(told);
  // OP_MSG: flags, and one section of kind 0. OP_REPLY: flags, cursor, from where, how many.
  const before = kind === OP_MSG ? Buffer.alloc(5) : Buffer.alloc(20);
  if (kind === OP_QUERY) before.writeInt32LE(1, 16);
  const head = Buffer.alloc(HEADER);
  head.writeInt32LE(HEADER + before.length + body.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(kind === OP_MSG ? OP_MSG : OP_REPLY, 12);
  return Buffer.concat([head, before, body]);
}
function commandIn(message: Buffer, kind: number): BSON.Document {
  // OP_QUERY: flags, the name of a collection, how many to skip and to give.
  const start = kind === OP_MSG ? HEADER + 5 : message.indexOf(0, HEADER + 4) + 9;
  return BSON.deserialize(message.subarray(start, start + message.readInt32LE(start)));
}
