import { networkInterfaces } from "node:os";
import { parseArgs } from "node:util";

export interface Options {
  /** IPv4 address of the interface to use. */
  readonly address: string;
  readonly once: boolean;
}

/** @throws {TypeError | RangeError} for arguments that make no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: "boolean", default: false },
      interface: { type: "string", default: "127.0.0.1" },
    },
  });
  return { address: addressOf(values.interface), once: values.once };
}

/** The address of an interface that is given by name or by address. */
function addressOf(wanted: string): string {
  const known = Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos.filter(({ family }) => family === "IPv4").map(({ address }) => ({ name, address })),
  );
  const found = known.find(({ name, address }) => wanted === name || wanted === address);
  if (found) return found.address;
  const list = known.map(({ name, address }) => `${name} (${address})`).join(", ") || "none";
  throw new RangeError(`--interface ${wanted} is none with an IPv4 address; there are: ${list}`);
}
