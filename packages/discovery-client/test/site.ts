import {
  type ModelServer,
  modelServer,
  type NearList,
  nearList,
  type SeenRequest,
  type Tls,
} from "@lmserv/test-near";
import { afterEach, beforeEach } from "vitest";
import type { NearFetch } from "../src/index.ts";

/** Nodes and servers of one test, which end with it. */
export interface Site {
  readonly near: NearList;
  /** Starts a server, which is listed nowhere yet. */
  serve(answer?: (request: SeenRequest) => unknown, tls?: Tls): Promise<ModelServer>;
}

/** A site for each test of a file. */
export function site(): Site {
  let near: NearList;
  const servers: ModelServer[] = [];
  beforeEach(async () => {
    near = await nearList();
  });
  afterEach(async () => {
    await near[Symbol.asyncDispose]();
    for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
  });
  return {
    get near() {
      return near;
    },
    async serve(answer, tls) {
      const server = await modelServer(answer, tls ?? null);
      servers.push(server);
      return server;
    },
  };
}

/** Asks for a completion, as a client does. */
export function ask({ fetch }: NearFetch, body: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch("http://lmserv.invalid/v1/chat/completions?x=1", {
    method: "POST",
    body: JSON.stringify({ model: "llama3", messages: [{ role: "user", content: "hi" }], ...body }),
    headers: { "content-type": "application/json" },
    ...init,
  });
}
