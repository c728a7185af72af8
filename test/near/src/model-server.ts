import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** Received request with its whole body. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  readonly response: ServerResponse;
  /** Resolves if the connection ends before the answer does. */
  readonly gone: Promise<void>;
}

/** HTTP server on loopback with the test's answers. */
export interface ModelServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Resolves with the n-th request, counted from 1, once it is complete. */
  request(number: number): Promise<SeenRequest>;
}

/** Certificate and key of a TLS server, PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

export async function modelServer(
  answer: (request: SeenRequest) => unknown = (request) => say(request, "hello"),
  tls: Tls | null = null,
): Promise<ModelServer> {
  const requests: SeenRequest[] = [];
  const waiting: (() => void)[] = [];
  const listener: RequestListener = async (message, response) => {
    const gone = new Promise<void>((resolve) => {
      response.once("close", () => response.writableFinished || resolve());
    });
    const body = await read(message);
    if (body === null) return;
    const seen = {
      method: message.method ?? "",
      url: message.url ?? "",
      headers: message.headers,
      body,
      response,
      gone,
    };
    requests.push(seen);
    for (const wake of waiting.splice(0)) wake();
    await answer(seen);
  };
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    async request(number) {
      for (;;) {
        const request = requests[number - 1];
        if (request) return request;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(message: IncomingMessage): Promise<Buffer | null> {
  try {
    return Buffer.concat(await message.toArray());
  } catch {
    return null;
  }
}

/** Whole answer of OpenAI's API, as JSON or as a stream of words, as requested. */
export function say({ body, response }: SeenRequest, text: string): void {
  const { model, stream } = JSON.parse(body.toString()) as { model: string; stream?: boolean };
  if (!stream) {
    const message = { role: "assistant", content: text };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    json(response, 200, { id: "1", object: "chat.completion", created: 0, model, choices });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const word of text.split(/(?<= )/)) sayWord({ response }, word);
  response.write(
    'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
  );
  response.end("data: [DONE]\n\n");
}

/** One event of a stream. */
export function sayWord({ response }: Pick<SeenRequest, "response">, word: string): void {
  const choices = [{ index: 0, delta: { content: word }, finish_reason: null }];
  response.write(`data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", choices })}\n\n`);
}

export function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
