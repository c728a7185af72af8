import { type MachineMark, maxMacs } from "@lmserv/discovery-network";
import { list, matching, object } from "./shape.ts";

const readHash = matching((hash) => /^[0-9a-f]{16}$/.test(hash), 16);
const readMacs = list(readHash, maxMacs);

/** @throws {ShapeError} for a value that cannot be a mark. */
export function readMark(value: unknown, name: string): MachineMark {
  const { stack, macs, installation } = object(value, name);
  return {
    stack: stack === null ? null : readHash(stack, `${name}.stack`),
    macs: readMacs(macs, `${name}.macs`),
    installation: installation === null ? null : readHash(installation, `${name}.installation`),
  };
}
