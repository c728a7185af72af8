import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Clock } from "@lmserv/discovery-core/transport";
import { type WebSocket, WebSocketServer } from "ws";
import { lengthPrefixed, nextMessage, plainIdentity, plainProofs } from "./link/plain-member.ts";

// A member that others dial and that speaks for many, written from the description of the protocol with nothing
// of the code under test.

/** A node of a member that exists only in the words of the hub. */
export interface PlainNode {
  readonly id: string;
  readonly port: number;
  readonly info: string;
}

interface Stranger {
  readonly identity: ReturnType<typeof plainIdentity>;
  seq: number;
  beat: number;
  record: string;
}

const cluster = "conformance";
const epoch = 1_000;
const renewMs = 250;

export class PlainHub implements AsyncDisposable {
  /** How many frames came from those who dialled. */
  frames = 0;
  /** How long the records of the strangers hold. */
  readonly ttlMs = 1_500;
  readonly #key: string;
  readonly #identity = plainIdentity();
  readonly #server: WebSocketServer;
  readonly #members = new Set<WebSocket>();
  readonly #strangers = new Map<number, Stranger>();
  /** The latest record of each member that dialled, to be passed on. */
  readonly #passed = new Map<WebSocket, string>();
  readonly #clock: Clock;
  #stopRenewing: () => void = () => {};

  private constructor(key: string, clock: Clock, server: WebSocketServer) {
    this.#key = key;
    this.#clock = clock;
    this.#server = server;
    server.on("connection", (socket) => {
      this.#admit(socket).catch(() => socket.terminate());
    });
    this.#renewLater();
  }

  static async open(key: string, clock: Clock): Promise<PlainHub> {
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      handleProtocols: () => "lmserv-mesh.1",
    });
    await once(server, "listening");
    return new PlainHub(key, clock, server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A node appears, or says something else. */
  appear({ id, port, info }: PlainNode): void {
    const stranger = this.#strangers.get(port) ?? { identity: plainIdentity(), seq: 0, beat: 0, record: "" };
    stranger.seq += 1;
    stranger.beat = 0;
    stranger.record = signed(stranger.identity, {
      kind: "alive",
      cluster,
      id: stranger.identity.id,
      epoch,
      seq: stranger.seq,
      ttlMs: this.ttlMs,
      instance: "0123456789abcdef",
      addresses: ["192.0.2.7"],
      urls: [],
      nodes: [{ id, port, info }],
    });
    this.#strangers.set(port, stranger);
    this.say(stranger.record);
  }

  /** Nothing more is heard of it. */
  disappear(port: number): void {
    this.#strangers.delete(port);
  }

  /** Sends to all who dialled. */
  say(text: string): void {
    for (const socket of this.#members) socket.send(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopRenewing();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #admit(socket: WebSocket): Promise<void> {
    const next = nextMessage(socket);
    const say = (words: object): void => socket.send(JSON.stringify(words));
    const listenerNonce = randomBytes(32).toString("base64url");
    say({ nonce: listenerNonce });
    const { nonce } = JSON.parse(await next());
    const proofs = plainProofs(this.#key, cluster, nonce, listenerNonce);
    const { id, publicKey, sign } = this.#identity;
    const own = JSON.stringify({
      id,
      publicKey,
      epoch,
      instance: "0123456789abcdef",
      role: "member",
      advertise: [],
      observed: "127.0.0.1",
    });
    const stage = "listener introduces itself";
    const fields = ["lmserv-mesh/1", stage, "channel", nonce, listenerNonce, cluster, "", own];
    const signature = sign(lengthPrefixed(["signature", ...fields]));
    say({ introduction: own, proof: proofs(stage, [own]), signature });
    this.frames += 2;
    await next();
    say({ admitted: true });
    this.#members.add(socket);
    socket.on("message", (data) => this.#take(socket, data.toString()));
    socket.on("close", () => {
      this.#members.delete(socket);
      this.#passed.delete(socket);
    });
    for (const { record } of this.#strangers.values()) socket.send(record);
    for (const record of this.#passed.values()) socket.send(record);
  }

  /** Passes on who dialled to all others, so that they find each other. */
  #take(socket: WebSocket, text: string): void {
    this.frames += 1;
    const { type, signed } = JSON.parse(text);
    if (type !== "record") return;
    const passed = JSON.stringify({ type, signed, hops: 1, ageMs: 0 });
    this.#passed.set(socket, passed);
    for (const other of this.#members) if (other !== socket) other.send(passed);
  }

  #renewLater(): void {
    this.#stopRenewing = this.#clock.schedule(renewMs, () => {
      this.#renewLater();
      this.#renew();
    });
  }

  #renew(): void {
    for (const stranger of this.#strangers.values()) {
      stranger.beat += 1;
      const { identity, seq, beat } = stranger;
      const text = JSON.stringify({ kind: "renewal", cluster, id: identity.id, epoch, seq, beat });
      const signature = identity.sign(Buffer.from(text));
      this.say(JSON.stringify({ type: "renewal", signed: { text, signature }, hops: 1, ageMs: 0 }));
    }
  }
}

function signed({ publicKey, sign }: ReturnType<typeof plainIdentity>, record: object): string {
  const text = JSON.stringify(record);
  const signature = sign(Buffer.from(text));
  return JSON.stringify({ type: "record", signed: { text, publicKey, signature }, hops: 1, ageMs: 0 });
}
