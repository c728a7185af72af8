import { describe, expect, it } from "vitest";
import { type Reply, readReply } from "../src/http/reply.ts";
import { fromReplies } from "../src/identify/identification.ts";
import { nextQuestion, recognise } from "../src/identify/plan.ts";
import { serverKinds } from "../src/identify/server-kinds.ts";
import { defaultPorts, documentPath, fingerprint, type Identification } from "../src/index.ts";
import { noLlmServers } from "./fixtures/no-llm-server.ts";
import type { Recording } from "./fixtures/recording.ts";
import { recordings } from "./fixtures/recordings.ts";
import { host, leisurelyClock, replay } from "./loopback.ts";

const { signal } = new AbortController();
const everyPort = [...defaultPorts, 12_345];

/** Exchange without a network, on any port. */
function repliesOf(recording: Recording, port: number): readonly Reply[] {
  const replies: Reply[] = [];
  for (let path = nextQuestion(replies, port); path !== null; path = nextQuestion(replies, port)) {
    replies.push(replyOf(recording, path));
  }
  return replies;
}

function replyOf({ answers, otherwise, headers = {} }: Recording, path: string): Reply {
  const { status, type, body } = answers[path] ?? otherwise;
  const all = type === null ? headers : { ...headers, "content-type": type };
  return readReply(path, status, all, { bytes: new TextEncoder().encode(body), isCut: false });
}

function identificationOf(replies: readonly Reply[], port: number): Identification | null {
  const serverKind = recognise(replies);
  return serverKind && fromReplies(serverKind, replies, { port, scheme: "http" });
}

describe.each(recordings)("$title", (recording) => {
  it("is recognised, over one connection", async () => {
    const server = await replay(recording);
    const result = await fingerprint({ host, port: server.port, clock: leisurelyClock, signal });
    expect(result).toMatchObject({
      kind: "server",
      identification: { ...recording.expected, port: server.port },
    });
    expect(server.requests.map(({ method }) => method)).toEqual(Array(recording.questions).fill("GET"));
    const perQuestion = recording.headers?.connection === "close";
    expect(server.connections()).toBe(perQuestion ? recording.questions : 1);
  });

  it("is recognised behind every other server's port", () => {
    for (const port of everyPort) {
      const replies = repliesOf(recording, port);
      expect({ port, ...identificationOf(replies, port) }).toMatchObject({ ...recording.expected, port });
      expect(replies.length).toBeLessThanOrEqual(4);
    }
  });
});

describe.each(noLlmServers)("$title", (recording) => {
  it("is none", async () => {
    const server = await replay(recording);
    expect(await fingerprint({ host, port: server.port, clock: leisurelyClock, signal })).toEqual({
      kind: "other",
      is: "http",
    });
    expect(server.requests.length).toBeLessThanOrEqual(4);
  });

  it("is none on any server's port", () => {
    for (const port of everyPort) expect(identificationOf(repliesOf(recording, port), port)).toBeNull();
  });
});

it("asks for the document first, and nothing twice", () => {
  for (const recording of [...recordings, ...noLlmServers]) {
    for (const port of everyPort) {
      const paths = repliesOf(recording, port).map(({ path }) => path);
      expect(paths[0]).toBe(documentPath);
      expect(new Set(paths).size).toBe(paths.length);
    }
  }
});

it("has a recording of every engine", () => {
  const recorded = new Set(recordings.map(({ expected }) => expected?.server));
  expect([...recorded].sort()).toEqual([...new Set(serverKinds.map(({ server }) => server))].sort());
});
