import { parseArgs } from "node:util";
import { integerOption } from "../harness/command.ts";
import { type PeerName, peerNames } from "./peer.ts";

export interface Options {
  /** Sizes of the meshes. */
  readonly members: readonly number[];
  readonly peers: readonly PeerName[];
  /** Members beside these, in one process, of peers that can be that. */
  readonly crowd: number;
  /** Newcomers that are killed, and as many that leave. */
  readonly repeat: number;
  /** Newcomers whose host is cut off. */
  readonly silent: number;
  readonly idleS: number;
  /** Where the samples go, as JSON. */
  readonly json: string | undefined;
}

export const usage: string = `Usage: npm run bench:mesh -- [OPTION...]
  --members N,...  sizes of the meshes (10,50,100)
  --crowd N        N more members in one process, of peers that can be that (0)
  --peers P,...    of ${peerNames.join(", ")} (all)
  --repeat N       newcomers that are killed, and as many that leave (10)
  --silent N       newcomers whose host falls silent (3)
  --idle SECONDS   how long the idle cost is counted (30)
  --json FILE      writes every sample to FILE
  --help
`;

/**
 * Reads the command line; null when help is asked for.
 *
 * @throws {RangeError | TypeError} that names the value and what is allowed.
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      members: { type: "string", default: "10,50,100" },
      crowd: { type: "string", default: "0" },
      peers: { type: "string", default: peerNames.join(",") },
      repeat: { type: "string", default: "10" },
      silent: { type: "string", default: "3" },
      idle: { type: "string", default: "30" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return {
    members: values.members.split(",").map((one) => integerOption("members", one, 2, 200)),
    crowd: integerOption("crowd", values.crowd, 0, 200),
    peers: values.peers.split(",").map(peerName),
    repeat: integerOption("repeat", values.repeat, 1, 15),
    silent: integerOption("silent", values.silent, 0, 9),
    idleS: integerOption("idle", values.idle, 1, 86_400),
    json: values.json,
  };
}

function peerName(text: string): PeerName {
  const found = peerNames.find((name) => name === text);
  if (found) return found;
  throw new RangeError(`--peers ${JSON.stringify(text)} must be one of ${peerNames.join(", ")}`);
}
