import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { WatchLine } from "../src/document.ts";

/** An event of a stream, as HTML reads it (section 9.2.6). */
export interface StreamEvent {
  readonly event: string;
  readonly id: string | null;
  readonly line: WatchLine;
}

/** A reader of `/lmserv/events`. */
export interface EventSource extends AsyncDisposable {
  readonly response: IncomingMessage;
  /** Resolves with the next event; rejects when the stream ends before it. */
  next(): Promise<StreamEvent>;
  /** Resolves with the next events. */
  take(count: number): Promise<readonly StreamEvent[]>;
}

export async function eventSource(
  port: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventSource> {
  const request = httpRequest({ host: "127.0.0.1", port, path: "/lmserv/events", headers, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.setEncoding("utf8");
  const events = parse(response);
  const next = async (): Promise<StreamEvent> => {
    const { value, done } = await events.next();
    if (done) throw new Error("the stream has ended");
    return value;
  };
  return {
    response,
    next,
    async take(count) {
      const taken: StreamEvent[] = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    },
    [Symbol.asyncDispose]: async () => {
      response.destroy();
    },
  };
}

async function* parse(chunks: AsyncIterable<string>): AsyncGenerator<StreamEvent, void> {
  let text = "";
  for await (const chunk of chunks) {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => fieldOf(line)));
      const data = fields.get("data");
      if (data === undefined) continue;
      const { event = "message", id = null } = Object.fromEntries(fields);
      yield { event, id, line: JSON.parse(data) };
    }
  }
}

function fieldOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).trimStart()];
}
