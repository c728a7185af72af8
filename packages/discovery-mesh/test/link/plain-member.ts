import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { type RawData, WebSocket } from "ws";

// A member written from the description of the handshake, with nothing of the code under test: what it does
// after it was let in is up to each test.

export interface PlainMemberOptions {
  /** The line of the key file. */
  readonly key: string;
  readonly cluster?: string;
  readonly protocols?: string | readonly string[];
  readonly localAddress?: string;
}

/** A client that went through the handshake as a dialer, and the words of it. */
export interface PlainMember {
  readonly socket: WebSocket;
  readonly id: string;
  readonly sent: readonly string[];
  readonly received: readonly string[];
}

/** Connects to `ws://127.0.0.1:port` and joins; rejects when it is not let in. */
export async function joinAsPlainMember(port: number, options: PlainMemberOptions): Promise<PlainMember> {
  const { key, cluster = "home", localAddress } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/lmserv-mesh`, "lmserv-mesh.1", {
    perMessageDeflate: false,
    ...(localAddress ? { localAddress } : {}),
  });
  const sent: string[] = [];
  const received: string[] = [];
  const next = nextMessage(socket);
  const say = (words: object): void => {
    sent.push(JSON.stringify(words));
    socket.send(JSON.stringify(words));
  };
  const hear = async (): Promise<Record<string, string>> => {
    received.push(await next());
    return JSON.parse(received.at(-1) ?? "");
  };

  const { nonce: listenerNonce = "" } = await hear();
  const nonce = randomBytes(32).toString("base64url");
  const proofs = plainProofs(key, cluster, nonce, listenerNonce);
  say({ nonce, proof: proofs("dialer opens", []) });

  const { introduction: theirs = "" } = await hear();
  const identity = plainIdentity();
  const own = JSON.stringify({
    id: identity.id,
    publicKey: identity.publicKey,
    epoch: 1,
    instance: "plain-member",
    role: "member",
    advertise: [],
    observed: "127.0.0.1",
  });
  const stage = "dialer introduces itself";
  const fields = ["lmserv-mesh/1", stage, "channel", nonce, listenerNonce, cluster, "", theirs, own];
  const signature = identity.sign(lengthPrefixed(["signature", ...fields]));
  say({ introduction: own, proof: proofs(stage, [theirs, own]), signature });
  const { admitted } = await hear();
  if (!admitted) throw new Error("not admitted");
  return { socket, id: identity.id, sent, received };
}

/** Makes the three proofs of a stage, without TLS. */
export function plainProofs(key: string, cluster: string, dialerNonce: string, listenerNonce: string) {
  const mac = (fields: readonly string[]): string =>
    createHmac("sha256", Buffer.from(key, "base64url")).update(lengthPrefixed(fields)).digest("base64url");
  return (stage: string, introductions: readonly string[]): Record<string, string> => {
    const head = (part: string): string[] => [
      "proof",
      "lmserv-mesh/1",
      stage,
      part,
      dialerNonce,
      listenerNonce,
    ];
    return {
      key: mac(head("key")),
      cluster: mac([...head("cluster"), cluster]),
      channel: mac([...head("channel"), cluster, "", ...introductions]),
    };
  };
}

export function plainIdentity() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return {
    id: createHash("sha256").update(raw).digest("hex").slice(0, 32),
    publicKey: raw.toString("base64url"),
    sign: (bytes: Buffer): string => sign(null, bytes, privateKey).toString("base64url"),
  };
}

export function lengthPrefixed(fields: readonly string[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(field));
      return [length, Buffer.from(field)];
    }),
  );
}

/** Gives the messages one after the other, whenever they come; rejects once the socket is closed. */
export function nextMessage(socket: WebSocket): () => Promise<string> {
  const queue: string[] = [];
  let end: Error | null = null;
  let wake = (): void => {};
  socket.on("message", (data: RawData) => {
    queue.push(data.toString());
    wake();
  });
  const fail = (error: Error): void => {
    end ??= error;
    wake();
  };
  socket.on("error", fail);
  socket.on("close", (code, reason) => fail(new Error(`closed ${code} '${reason}'`)));
  return async () => {
    while (queue.length === 0) {
      if (end) throw end;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return queue.shift() ?? "";
  };
}
