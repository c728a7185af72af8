import { createHash } from "node:crypto";
import { jsonMembers, jsonValue, type Span, withValue } from "./json-members.ts";

/** API of a path: OpenAI's with further paths under `/v1`, Ollama's, LMServ's own. */
export type Api = "openai" | "ollama" | "lmserv";

/** Requirements of a request on a node. */
export interface Call {
  readonly api: Api;
  /** Name of the model as the client wrote it, or null without one. */
  readonly model: string | null;
  /** The same for requests of one conversation, or null; its prompt is in the cache of one node. */
  readonly conversation: string | null;
  /** Node that the client asks for: its id, `host:port`, hostname or info; null for any. */
  readonly node: string | null;
}

/** Longer beginnings are images; they tell conversations apart, and are not worth the time. */
const maxBeginningBytes = 1_048_576;

/** API of a path, or null if nodes do not speak it. */
export function apiOf(path: string): Api | null {
  if (/^\/v1(?:\/|$)/.test(path)) return "openai";
  if (/^\/api(?:\/|$)/.test(path)) return "ollama";
  return path === "/chat" ? "lmserv" : null;
}

/** Body of a request in memory, of which only what decides is read. */
export class CallBody {
  readonly bytes: Uint8Array;
  readonly #members: ReadonlyMap<string, Span>;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#members = jsonMembers(bytes);
  }

  /** Name of the model, or null without one. */
  get model(): string | null {
    const model = this.#read("model");
    return typeof model === "string" && model !== "" ? model : null;
  }

  /** Response that this one continues, or null (OpenAI's Responses API, `previous_response_id`). */
  get previousResponse(): string | null {
    const id = this.#read("previous_response_id");
    return typeof id === "string" ? id : null;
  }

  /** Hash of everything up to the first message of the user. */
  get conversation(): string | null {
    const beginning = beginningOf(this.#read("messages")) ?? this.#read("input") ?? this.#read("prompt");
    if (beginning === undefined) return null;
    const said = JSON.stringify([this.#read("system") ?? null, beginning]);
    return createHash("sha1").update(said).digest("hex");
  }

  /** Body with another name of the model; itself if the name is the same. */
  withModel(model: string | null): Uint8Array {
    const span = this.#members.get("model");
    return span && model !== null && model !== this.model ? withValue(this.bytes, span, model) : this.bytes;
  }

  #read(key: string): unknown {
    const span = this.#members.get(key);
    if (!span || span.end - span.start > maxBeginningBytes) return undefined;
    return jsonValue(this.bytes, span);
  }
}

function beginningOf(messages: unknown): unknown {
  if (!Array.isArray(messages) || messages.length === 0) return undefined;
  const first = messages.findIndex((message) => (message as { role?: unknown } | null)?.role === "user");
  return messages.slice(0, first + 1 || 1);
}
