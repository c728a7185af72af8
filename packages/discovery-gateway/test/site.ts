import { type ModelServer, modelServer, type NearList, nearList, type SeenRequest } from "@lmserv/test-near";
import { afterEach, beforeEach } from "vitest";
import type { GatewayOptions } from "../src/index.ts";
import { type Endpoint, endpoint, type RawResponse } from "./endpoint.ts";

export const chat = "/v1/chat/completions";
export const question: string = JSON.stringify({
  model: "llama3",
  messages: [{ role: "user", content: "hi" }],
});

/** Nodes, servers and endpoints of one test, which end with it. */
export interface Site {
  readonly near: NearList;
  /** Starts a server, which is listed nowhere yet. */
  serve(answer?: (request: SeenRequest) => unknown): Promise<ModelServer>;
  open(options?: GatewayOptions): Promise<Endpoint>;
  /** Lists a server as the node `box`, and opens an endpoint in front of it. */
  before(server: Pick<ModelServer, "port">, options?: GatewayOptions): Promise<Endpoint>;
  /** Takes something that ends with the test. */
  keep<Kind extends AsyncDisposable>(one: Kind): Kind;
}

/** A site for each test of a file. */
export function site(): Site {
  let near: NearList;
  const kept: AsyncDisposable[] = [];
  beforeEach(async () => {
    near = await nearList();
  });
  afterEach(async () => {
    for (const one of kept.splice(0).reverse()) await one[Symbol.asyncDispose]();
    await near[Symbol.asyncDispose]();
  });
  const keep = <Kind extends AsyncDisposable>(one: Kind): Kind => {
    kept.push(one);
    return one;
  };
  const open = async (options?: GatewayOptions): Promise<Endpoint> =>
    keep(await endpoint(near.discovery, options));
  return {
    get near() {
      return near;
    },
    serve: async (answer) => keep(await modelServer(answer)),
    open,
    async before(server, options) {
      await near.list({ id: "box", port: server.port, apis: ["openai", "ollama"] });
      return open(options);
    },
    keep,
  };
}

export function ask(
  { send }: Endpoint,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  return send({ method: "POST", path: chat, body: question, headers });
}
