import type { Identity } from "@lmserv/discovery-identity";
import type { Command } from "commander";
import { repeatable, single } from "./options.ts";
import { UsageError } from "./usage-error.ts";
import { parseCluster, parseListen, parseSeed } from "./values.ts";

/** What a command line says of the mesh. */
export interface MeshRequest {
  readonly role: "member" | "observer";
  readonly seeds: readonly string[];
  readonly cluster?: string;
  readonly keyFile?: string;
  readonly listen?: { readonly host: string; readonly port: number };
  /** Of the node that is announced. */
  readonly identity?: Identity;
}

export interface MeshFlags {
  readonly seed?: readonly string[];
  readonly cluster?: string;
  readonly keyFile?: string;
  readonly listen?: MeshRequest["listen"];
}

/** The options of the mesh; who announces can also be told where to listen. */
export function addMeshOptions(command: Command, role: MeshRequest["role"]): Command {
  command
    .addOption(
      repeatable("--seed <url>", "mesh: where to start, such as ws://10.0.0.1:7946; repeatable", parseSeed),
    )
    .addOption(single("--cluster <name>", "mesh: its name (default: default)", parseCluster))
    .addOption(
      single(
        "--key-file <file>",
        "mesh: the file with its key (default: none, loopback only)",
        (text) => text,
      ),
    );
  if (role === "observer") return command;
  return command.addOption(
    single(
      "--listen <host:port>",
      "mesh: where to listen (default: port 7946 of all addresses)",
      parseListen,
    ),
  );
}

/** @throws {UsageError} for options of a mesh that is not among the transports. */
export function meshRequest(
  transports: readonly string[],
  { seed, cluster, keyFile, listen }: MeshFlags,
  role: MeshRequest["role"],
): { readonly mesh?: MeshRequest } {
  if (transports.includes("mesh")) {
    return {
      mesh: {
        role,
        seeds: seed ?? [],
        ...(cluster !== undefined && { cluster }),
        ...(keyFile !== undefined && { keyFile }),
        ...(listen && { listen }),
      },
    };
  }
  const given = Object.entries({
    "--seed": seed,
    "--cluster": cluster,
    "--key-file": keyFile,
    "--listen": listen,
  });
  const [first] = given.flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (first !== undefined)
    throw new UsageError(`option '${first}' is for the transport mesh: add --transport mesh`);
  return {};
}
