import type { Auth, Scheme } from "@lmserv/discovery-core";
import type { ReadServer } from "../document/document.ts";
import { valueAt } from "../http/json.ts";
import { maxModelLength, maxModels } from "../http/limits.ts";
import type { Reply } from "../http/reply.ts";
import { readWord, readWords } from "../http/text.ts";
import { isShown, type ModelList, readSign, type ServerKind } from "./server-kind.ts";

/** An LLM server that answered, validated. */
export interface Identification {
  /** Where it listens. */
  readonly port: number;
  readonly scheme: Scheme;
  /** What its document announces, or null. */
  readonly id: string | null;
  /** Free text for people, from its document; may be empty. */
  readonly info: string;
  /** `lmserv`, `ollama`, `llama.cpp`, `vllm`, ... or null when unknown. */
  readonly server: string | null;
  readonly version: string | null;
  /** Where its chat endpoint is, with its leading slash, or null when unknown. */
  readonly path: string | null;
  readonly apis: readonly string[];
  /** At most 256, in the server's order. */
  readonly models: readonly string[];
  /** Whether the server has more models than these. */
  readonly modelsCut: boolean;
  /** Whether it asks for credentials, or null when that did not show. */
  readonly auth: Auth | null;
  /** Whether a document said all this, rather than the looks of its answers. */
  readonly document: boolean;
}

/** Where something was asked. */
export interface AskedPort {
  readonly port: number;
  readonly scheme: Scheme;
}

/** What a document says of a server; another port than the one that serves it speaks plain HTTP unless it says otherwise. */
export function fromDocument(server: ReadServer, asked: AskedPort): Identification {
  const port = server.port ?? asked.port;
  const scheme = server.scheme ?? (port === asked.port ? asked.scheme : "http");
  return { ...server, port, scheme, document: true };
}

/** What the replies of a recognised engine say. */
export function fromReplies(
  serverKind: ServerKind,
  replies: readonly Reply[],
  { port, scheme }: AskedPort,
): Identification {
  return {
    port,
    scheme,
    id: null,
    info: "",
    server: serverKind.server,
    version: serverKind.version && readWord(readSign(serverKind.version, replies)),
    path: serverKind.chat,
    apis: serverKind.apis,
    ...readModels(serverKind.models, replies),
    auth: readAuth(serverKind, replies),
    document: false,
  };
}

/** The first of the lists that names any. */
function readModels(
  lists: readonly ModelList[],
  replies: readonly Reply[],
): Pick<Identification, "models" | "modelsCut"> {
  for (const { path, at, name } of lists) {
    const reply = replies.find((one) => one.path === path);
    const found = valueAt(reply?.json, at);
    const entries: readonly unknown[] = Array.isArray(found) ? found : [found];
    const words = entries.map((entry) => valueAt(entry, name));
    const names = readWords(words, maxModels + 1, maxModelLength);
    if (names.length === 0) continue;
    return {
      models: names.slice(0, maxModels),
      modelsCut: names.length > maxModels || reply?.isCut === true,
    };
  }
  return { models: [], modelsCut: false };
}

function readAuth({ auth }: ServerKind, replies: readonly Reply[]): Auth | null {
  if (replies.some(({ status }) => status === 401 || status === 403)) return "required";
  if (typeof auth === "string") return auth;
  if (isShown(auth.required ?? [], replies)) return "required";
  return isShown(auth.none, replies) ? "none" : null;
}
