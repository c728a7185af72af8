import type { Auth, Scheme } from "@lmserv/discovery-core";
import type { ReadServer } from "../document/document.ts";
import { valueAt } from "../http/json.ts";
import { maxModelLength, maxModels } from "../http/limits.ts";
import type { Reply } from "../http/reply.ts";
import { readWord, readWords } from "../http/text.ts";
import { isShown, type ModelList, readSign, type ServerKind } from "./server-kind.ts";

/** Validated LLM server that answered. */
export interface Identification {
  /** Port of the server. */
  readonly port: number;
  readonly scheme: Scheme;
  /** Id in its document, or null. */
  readonly id: string | null;
  /** Text for people in its document; may be empty. */
  readonly info: string;
  /** Kind: `lmserv`, `ollama`, `llama.cpp`, `vllm`, ... or null if unknown. */
  readonly server: string | null;
  readonly version: string | null;
  /** Path of its chat endpoint, with its leading slash, or null if unknown. */
  readonly path: string | null;
  readonly apis: readonly string[];
  /** At most 256, in the server's order. */
  readonly models: readonly string[];
  /** True if the server has more models than these. */
  readonly modelsCut: boolean;
  /** Need of credentials, or null if that did not show. */
  readonly auth: Auth | null;
  /** True if a document gave all this, and not the form of its answers. */
  readonly document: boolean;
}

/** Port that was asked, with its protocol. */
export interface AskedPort {
  readonly port: number;
  readonly scheme: Scheme;
}

/** Server in a document; on a port other than the document's its default protocol is plain HTTP. */
export function fromDocument(server: ReadServer, asked: AskedPort): Identification {
  const port = server.port ?? asked.port;
  const scheme = server.scheme ?? (port === asked.port ? asked.scheme : "http");
  return { ...server, port, scheme, document: true };
}

/** Identification of a recognised server kind, by its replies. */
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

/** First of the lists that has any name. */
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
