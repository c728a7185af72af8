import {
  identityShape,
  nameShape,
  type OptionShape,
  type OptionShapes,
} from "@lmserv/discovery-core/transport";
import { defaultMeshPort } from "./link/listen-address.ts";
import type { MeshOptions } from "./transport.ts";

/** The options that a configuration file may set. */
export interface Settings extends Omit<MeshOptions, "keys" | "listen" | "identity" | "name"> {
  /** Text of the key file. */
  readonly key?: string;
  /** `host:port` */
  readonly listen?: readonly string[];
}

const text = { type: "string", minLength: 1 } as const;
const secret = { ...text, writeOnly: true } as const;

export const settings: { readonly [Key in keyof Settings]-?: OptionShape } = {
  cluster: {
    description: "Name of the mesh; members of others are never linked.",
    ...text,
    default: "default",
    flag: { name: "--cluster", value: "name", help: "its name (default: default)" },
  },
  key: {
    description: "Keys that all members share, one a line; without one the mesh stays on this machine.",
    ...secret,
    flag: { name: "--key-file", value: "file", help: "the file with its key (default: none, loopback only)" },
  },
  seeds: {
    description: "Where to start: ws://host:port, wss://host:port or dns+srv://name.",
    type: "array",
    items: text,
    maxItems: 64,
    flag: { name: "--seed", value: "url", help: "where to start, such as ws://10.0.0.1:7946" },
  },
  listen: {
    description: `Addresses and ports to listen on, such as 0.0.0.0:${defaultMeshPort} or [::]:${defaultMeshPort}; none to be reached by nobody.`,
    type: "array",
    items: text,
    flag: {
      name: "--listen",
      value: "host:port",
      help: "where to listen (default: port 7946 of all addresses)",
      announcing: true,
      listens: `0.0.0.0:${defaultMeshPort + 1}`,
    },
  },
  advertise: {
    description: "Mesh URLs at which others can dial this member; those listened on unless given.",
    type: "array",
    items: text,
    maxItems: 8,
  },
  role: {
    description: "A member takes part; an observer listens to one or two members and announces nothing.",
    type: "string",
    enum: ["member", "observer"],
  },
  tls: {
    description: "Certificate, which may be self-signed, and its key, both PEM: others dial wss://.",
    type: "object",
    properties: {
      cert: { description: "The certificate.", ...secret },
      key: { description: "Its private key.", ...secret },
    },
    required: ["cert", "key"],
    additionalProperties: false,
  },
  ca: {
    description: "PEM of the authority of the members' certificates; any will do unless given.",
    ...secret,
  },
  forcePlain: {
    description: "Speaks over the internet without encryption.",
    type: "boolean",
    default: false,
  },
  tlsOnly: {
    description: "Dials nothing but wss:// and takes nothing but TLS, whatever seeds, records or nodes say.",
    type: "boolean",
    default: false,
    flag: { name: "--tls-only", help: "dial nothing but wss:// and take nothing but TLS" },
  },
  stateDirectory: {
    description: "Folder where keys and peers are kept; $XDG_STATE_HOME/lmserv unless given.",
    ...text,
    format: "path",
  },
  maxPeers: {
    description: "How many members there may be.",
    type: "integer",
    minimum: 2,
    maximum: 256,
    default: 256,
  },
  candidates: {
    description:
      "Beside other transports: dials the nodes that these find, and has own nodes say there where the mesh is.",
    type: "boolean",
    default: true,
  },
};

const { key, listen, ...same } = settings;

/** The options of a program: keys and addresses in shapes of their own, and what no file can hold. */
export const shapes: OptionShapes<MeshOptions> = {
  ...same,
  keys: key,
  listen: {
    ...listen,
    type: "array",
    items: {
      type: "object",
      properties: { host: nameShape, port: { type: "integer", minimum: 0, maximum: 65_535 } },
      required: ["host", "port"],
      additionalProperties: false,
    },
  },
  identity: identityShape,
  name: nameShape,
};
