import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";

/** Description of a server by itself. */
export interface Persona {
  readonly info: string;
  readonly model: string;
}

/** A prompt is a few sentences. */
const maxBodyChars = 64 * 1024;
/** About the pace of a small model. */
const wordMs = 80;

/** Answers like LMServ: `GET /`, `GET /health` and, streamed word by word, `POST /chat`. */
export function chatApi(persona: Persona): RequestListener {
  return async (request, response) => {
    try {
      await route(persona, request, response);
    } catch (error) {
      // A client that left in the middle of an answer needs none.
      if (response.headersSent) response.destroy();
      else sendText(response, 400, error instanceof Error ? error.message : String(error));
    }
  };
}

async function route(
  { info, model }: Persona,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case "GET /":
      return sendText(
        response,
        200,
        `LMServ demo server ${info}: POST /chat {"prompt": "...", "max_tokens": 64}`,
      );
    case "GET /health":
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ status: "ok", default_model: model, routes: ["/health", "/chat"] }));
      return;
    case "POST /chat": {
      const { prompt, maxTokens } = parseQuestion(await readBody(request));
      const answer = `${prompt} I am ${model} on ${info}, and nobody typed my address.`;
      response.setHeader("content-type", "text/plain; charset=utf-8");
      return pipeline(speak(answer, maxTokens), response);
    }
    default:
      return sendText(response, 404, `${request.method} ${request.url} is not served here`);
  }
}

async function* speak(answer: string, maxTokens: number): AsyncGenerator<string> {
  const words = answer.match(/\s*\S+/g) ?? [];
  for (const word of words.slice(0, maxTokens)) {
    yield word;
    await pause(wordMs);
  }
  yield "\n";
}

function parseQuestion(body: string): { prompt: string; maxTokens: number } {
  const { prompt, max_tokens: maxTokens = 64 } = JSON.parse(body) ?? {};
  if (typeof prompt !== "string") throw new TypeError("prompt must be a text");
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new RangeError(`max_tokens ${maxTokens} must be an integer of at least 1`);
  }
  return { prompt, maxTokens };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const text of request.setEncoding("utf8")) {
    body += text;
    if (body.length > maxBodyChars)
      throw new RangeError(`the body is longer than ${maxBodyChars} characters`);
  }
  return body;
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}
