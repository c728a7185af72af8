import type { GroupShape } from "@lmserv/discovery-core/transport";
import type { JsonSchema } from "./json-schema.ts";

const text = { type: "string", minLength: 1 } as const;
/** Bound on a list: each item takes a socket, or a line of a message. */
const maxItems = 64;
const texts = { type: "array", items: text, maxItems } as const;

/** Section of the local endpoint, whose keys are those of the flags of `lmserv gateway`. */
export const gatewayShape: GroupShape & { readonly description: string } = {
  type: "object",
  description: "The local endpoint that `lmserv gateway` and `lmserv up` serve.",
  properties: {
    listen: {
      ...texts,
      minItems: 1,
      description: "Addresses and ports, such as 127.0.0.1:8740; beyond loopback it needs a key.",
    },
    as: {
      type: "string",
      enum: ["ollama"],
      description: "Server in whose place it listens as well, if that is free.",
    },
    keyFile: { ...text, description: "File with the key that clients need." },
    allowHost: { ...texts, description: "Further names by which clients call this machine." },
    allowOrigin: { ...texts, description: "Web pages that may use it, such as https://chat.example." },
    prefer: { ...texts, description: "Nodes that go first, best first: by id, host or name." },
    alias: {
      type: "object",
      properties: {},
      additionalProperties: { ...texts, minItems: 1 },
      description: "Further names of models, each with the models that it stands for.",
    },
    trust: {
      type: "string",
      enum: ["any", "signed"],
      description: "Nodes to use: all, or those that sign their announcements.",
      default: "any",
    },
    caFile: { ...text, description: "File with authorities that vouch for nodes with TLS, PEM." },
    nodeCaFiles: {
      type: "object",
      properties: {},
      additionalProperties: text,
      description:
        "Files with authorities that vouch for single nodes, by host:port, or by the id that a node signs with.",
    },
    nodeKeys: {
      type: "object",
      properties: {},
      additionalProperties: text,
      description: "Files with the keys of nodes, by host:port, or by the id that a node signs with.",
    },
  },
  additionalProperties: false,
};

const { keyFile: _, ...others } = gatewayShape.properties;

/** The same section, with files' contents in place of their names. */
export const gatewaySchema: JsonSchema = {
  type: "object",
  properties: {
    ...others,
    key: { type: "string", writeOnly: true },
    caFile: { type: "string", format: "file" },
    nodeCaFiles: { type: "object", additionalProperties: { type: "string", format: "file" } },
    nodeKeys: { type: "object", additionalProperties: { type: "string", writeOnly: true } },
  },
  additionalProperties: false,
};
