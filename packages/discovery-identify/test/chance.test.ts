import { array, assert, constantFrom, type JsonValue, jsonValue, property, record, string } from "fast-check";
import { test } from "vitest";
import { readDocument } from "../src/document.ts";
import { fromReplies } from "../src/identification.ts";
import { defaultPorts } from "../src/index.ts";
import { nextQuestion, recognise } from "../src/plan.ts";
import { type Reply, readReply } from "../src/reply.ts";
import { recordings } from "./fixtures/recordings.ts";

const paths = [...new Set(recordings.flatMap(({ answers }) => Object.keys(answers)))];
const words = constantFrom("object", "data", "list", "owned_by", "id", "vllm", "model", "error", "version");

const reply = record({
  path: constantFrom(...paths),
  status: constantFrom(200, 204, 302, 401, 404, 500),
  json: jsonValue({ stringUnit: words }),
}).map(({ path, status, json }) => replyOf(path, status, json));

function replyOf(path: string, status: number, json: JsonValue): Reply {
  const headers = { "content-type": "application/json" };
  return readReply(path, status, headers, {
    bytes: new TextEncoder().encode(JSON.stringify(json)),
    isCut: false,
  });
}

test("whatever is answered, something is made of it or nothing", () => {
  assert(
    property(array(reply, { maxLength: 4 }), constantFrom(...defaultPorts), (replies, port) => {
      const question = nextQuestion(replies, port);
      if (question !== null && replies.some(({ path }) => path === question)) throw new Error("asked twice");
      const engine = recognise(replies);
      const models = engine ? fromReplies(engine, replies, { port, scheme: "http" }).models : [];
      if (models.some((model) => /\p{Cc}/u.test(model) || model.length > 256)) throw new Error("not cleaned");
    }),
  );
});

test("whatever a document says, it is read or it is none", () => {
  const keys = ["schemaVersion", "id", "info", "port", "path", "server", "version", "apis", "models", "auth"];
  const document = record(Object.fromEntries(keys.map((key) => [key, jsonValue({ stringUnit: words })])));
  assert(property(document, (json) => void readDocument({ ...json, schemaVersion: 1 }, false)));
  assert(property(string(), (info) => void readDocument({ schemaVersion: 1, info }, false)));
});
