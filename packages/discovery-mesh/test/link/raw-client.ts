import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** What a request says, besides that it wants an upgrade; null leaves a header out. */
export interface UpgradeRequest {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
}

const usualHeaders: Readonly<Record<string, string>> = {
  Host: "127.0.0.1",
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol": "lmserv-mesh.1",
};

/** Opens a TCP connection, from any loopback address. */
export async function rawConnection(port: number, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  await once(socket, "connect");
  socket.on("error", () => {});
  return socket;
}

/** Asks for an upgrade and resolves with the head of the response, or with "" when there was none. */
export async function requestUpgrade(
  port: number,
  { path = "/lmserv-mesh", headers = {} }: UpgradeRequest = {},
): Promise<{ readonly head: string; readonly socket: Socket }> {
  const socket = await rawConnection(port);
  const all = Object.entries({ ...usualHeaders, ...headers }).filter(([, value]) => value !== null);
  socket.write(`GET ${path} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += chunk.toString("latin1");
    if (text.includes("\r\n\r\n")) break;
  }
  return { head: text.split("\r\n\r\n")[0] ?? "", socket };
}

/** A frame as a client sends it; the mask of zeros leaves the payload as it is (RFC 6455 section 5.3). */
export function frame(opcode: number, payload: Buffer | string, { fin = true, claimed = -1 } = {}): Buffer {
  const bytes = Buffer.from(payload);
  const length = claimed < 0 ? bytes.length : claimed;
  const head = [(fin ? 0x80 : 0) | opcode];
  if (length < 126) head.push(0x80 | length);
  else if (length < 65_536) head.push(0x80 | 126, length >> 8, length & 0xff);
  else {
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(BigInt(length));
    head.push(0x80 | 127, ...long);
  }
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), bytes]);
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
