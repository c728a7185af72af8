import { isPort } from "@lmserv/discovery-core/transport";
import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  type JsonValue,
  jsonValue,
  oneof,
  property,
  record,
  string,
} from "fast-check";
import { test } from "vitest";
import { readDocument } from "../src/document/document.ts";
import { type Reply, readReply } from "../src/http/reply.ts";
import { fromDocument, fromReplies } from "../src/identify/identification.ts";
import { nextQuestion, recognise } from "../src/identify/plan.ts";
import { defaultPorts } from "../src/index.ts";
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
      const serverKind = recognise(replies);
      const models = serverKind ? fromReplies(serverKind, replies, { port, scheme: "http" }).models : [];
      if (models.some((model) => /\p{Cc}/u.test(model) || model.length > 256)) throw new Error("not cleaned");
    }),
  );
});

const fields = ["role", "id", "info", "port", "path", "server", "version", "apis", "models", "auth"];
const server = record(Object.fromEntries(fields.map((key) => [key, jsonValue({ stringUnit: words })])), {
  requiredKeys: [],
});
const document = record({
  schemaVersion: constantFrom<JsonValue>(1, 1, 2, null),
  role: constantFrom<JsonValue>(null, "gateway", 7),
  servers: oneof(
    array(oneof(server, record({ port: integer() }), jsonValue()), { maxLength: 100 }),
    jsonValue(),
  ),
});

test("whatever a document says, its servers are few, each port and identity once, or it is none", () => {
  assert(
    property(document, boolean(), integer({ min: 1, max: 65_535 }), (json, isCut, port) => {
      const read = readDocument(json, isCut);
      if (read === null) return;
      const servers = read.servers.map((one) => fromDocument(one, { port, scheme: "http" }));
      const ids = servers.flatMap(({ id }) => id ?? []);
      const ports = read.servers.map((one) => one.port);
      if (servers.length > 32) throw new Error("too many");
      if (new Set(ports).size !== ports.length || new Set(ids).size !== ids.length) throw new Error("twice");
      if (!servers.every((one) => isPort(one.port) && one.models.length <= 256)) throw new Error("unbounded");
    }),
  );
  assert(property(string(), (info) => void readDocument({ schemaVersion: 1, servers: [{ info }] }, false)));
});

test("a port with a role is never a server", () => {
  assert(
    property(document, (json) => {
      const read = readDocument({ ...json, schemaVersion: 1, role: "gateway" }, false);
      if (read && read.role === null) throw new Error("the role is lost");
    }),
  );
});
