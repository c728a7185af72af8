import type { FlagOption } from "@lmserv/discovery-config";
import type { Command } from "commander";
import { repeatable, single } from "./options.ts";
import { parseCluster, parseListen, parseSeed } from "./values.ts";

export interface MeshFlags {
  readonly seed?: readonly string[];
  readonly cluster?: string;
  readonly keyFile?: string;
  readonly tlsOnly?: true;
  readonly listen?: readonly string[];
}

/** The options of the mesh; who announces can also be told where to listen. */
export function addMeshOptions(command: Command, role: "member" | "observer"): Command {
  command
    .addOption(
      repeatable("--seed <url>", "mesh: where to start, such as ws://10.0.0.1:7946; repeatable", parseSeed),
    )
    .addOption(single("--cluster <name>", "mesh, etcd, nats: its name (default: default)", parseCluster))
    .addOption(
      single(
        "--key-file <file>",
        "mesh: the file with its key (default: none, loopback only)",
        (text) => text,
      ),
    )
    .option("--tls-only", "mesh: dial nothing but wss:// and take nothing but TLS");
  if (role === "observer") return command;
  return command.addOption(
    single(
      "--listen <host:port>",
      "mesh: where to listen (default: port 7946 of all addresses)",
      parseListen,
    ),
  );
}

export function meshSettings({ seed, cluster, keyFile, tlsOnly, listen }: MeshFlags): readonly FlagOption[] {
  return [
    { flag: "--seed", key: "seeds", value: seed },
    { flag: "--cluster", key: "cluster", value: cluster },
    { flag: "--key-file", key: "keyFile", value: keyFile },
    { flag: "--tls-only", key: "tlsOnly", value: tlsOnly },
    { flag: "--listen", key: "listen", value: listen },
  ];
}
