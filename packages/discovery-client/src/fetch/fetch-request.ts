import { Readable } from "node:stream";
import { type Api, type Call, CallBody } from "../forwarding/call.ts";

/** Request of `fetch`, with a body that can be sent again if possible. */
export interface FetchRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: CallBody | Readable | null;
  readonly signal: AbortSignal;
}

/** Longest body that is kept for another node, in bytes. */
const maxKeptBytes = 64 * 1_048_576;

/**
 * Reads the arguments of `fetch`.
 *
 * Text, bytes and form parameters are kept, and so is the body of a `Request` up to 64 MiB. Streams and `FormData`
 * are sent once.
 *
 * @throws {TypeError} as `fetch` does, for what is no request; `signal.reason` when aborted while a body is read.
 */
export async function readFetch(
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<FetchRequest> {
  // `duplex` is what `fetch` itself asks for with a stream.
  const request = new Request(input, { ...init, duplex: "half" } as RequestInit);
  const { pathname, search } = new URL(request.url);
  const isStream = init.body instanceof ReadableStream || init.body instanceof FormData;
  return {
    method: request.method,
    target: `${pathname}${search}`,
    headers: Object.fromEntries(request.headers),
    body: await bodyOf(request, isStream),
    signal: request.signal,
  };
}

async function bodyOf(request: Request, isStream: boolean): Promise<FetchRequest["body"]> {
  if (request.body === null) return null;
  const length = Number(request.headers.get("content-length") ?? 0);
  if (isStream || length > maxKeptBytes) return Readable.fromWeb(request.body as never);
  return new CallBody(new Uint8Array(await request.arrayBuffer()));
}

export function callOf({ body, headers }: FetchRequest, api: Api): Call {
  const kept = body instanceof CallBody ? body : null;
  return {
    api,
    model: kept?.model ?? null,
    conversation: kept?.conversation ?? null,
    node: headers["x-lmserv-node"] ?? null,
  };
}
