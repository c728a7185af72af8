import { documentPort } from "@lmserv/discovery-identify/document";
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { addMeshOptions, type MeshFlags, meshSettings } from "./mesh-options.ts";
import { addSharedOptions, repeatable, type SharedFlags, sharedRequest, single } from "./options.ts";
import type { AnnounceRequest } from "./request.ts";
import {
  parseEndpoint,
  parseInfo,
  parseName,
  parsePath,
  parsePort,
  parsePorts,
  parseWord,
} from "./values.ts";

interface AnnounceFlags extends SharedFlags, MeshFlags {
  readonly port?: number;
  readonly ports?: readonly number[];
  readonly info?: string;
  readonly path?: string;
  readonly name?: string;
  readonly model?: readonly string[];
  readonly server?: string;
  readonly endpoint?: readonly string[];
  readonly check: boolean;
  readonly documentPort?: number;
}

const examples = `
Examples:
  lmserv announce                           every LLM server that answers on this machine
  lmserv announce --ports 8081,9000         the same, and on these ports
  lmserv announce --port 11434 --info "Ollama upstairs"
  lmserv announce --port 8000 --model llama-3.3-70b qwen3-32b
  lmserv announce --port 8000 --document-port   where multicast does not arrive
  lmserv announce --port 8000 --no-check   whether or not a server answers
  lmserv announce --port 8000 --transport mdns,mesh --key-file mesh.key --seed ws://10.0.0.1:7946
  lmserv announce --port 8000 --transport mdns,etcd --endpoint http://10.0.0.1:2379

Exit status: 0 ended by SIGTERM, 128 + N by another signal N (130 by SIGINT), 2 usage, 3 every chosen transport
failed.`;

/** Adds `lmserv announce`. */
export function announceCommand(
  program: Command,
  io: Io,
  announce: (request: AnnounceRequest) => Promise<unknown>,
): void {
  const command = program
    .command("announce")
    .description("Announce the LLM servers of this machine for as long as they answer.")
    .addOption(single("--port <port>", "announce the server on this port only", parsePort))
    .addOption(single("--ports <ports>", "further ports to look for servers on, comma-separated", parsePorts))
    .addOption(single("--info <text>", "name of the server for people (default: the host name)", parseInfo))
    .addOption(single("--path <path>", "path of the chat endpoint (default: as the server shows)", parsePath))
    .addOption(single("--name <name>", "name of the service instance (default: made of the info)", parseName))
    .addOption(
      repeatable("--model <names...>", "models (default: as the server lists them)", (text) => [
        parseWord(text),
      ]),
    )
    .addOption(
      single("--server <kind>", "kind of server, such as ollama (default: as the server shows)", parseWord),
    )
    .addOption(
      repeatable(
        "--endpoint <url>",
        "etcd, nats: where it is, such as http://10.0.0.1:2379; repeatable",
        parseEndpoint,
      ),
    )
    .option("--no-check", "with --port: announce it whether or not it answers")
    .addOption(
      single(
        "--document-port [port]",
        "serve a document about it, for those who look without multicast",
        parsePort,
      ).preset(String(documentPort)),
    );
  addMeshOptions(addSharedOptions(command, io), "member")
    .addHelpText("after", examples)
    .action(async (flags: AnnounceFlags) => {
      const { check, port = null, ports = [], documentPort = null } = flags;
      const misplaced = port === null ? misplacedFlag(flags) : null;
      if (misplaced) command.error(`error: option '${misplaced}' needs --port, which names one server`);
      if (port !== null && port === documentPort)
        command.error(`error: --document-port ${port} is the server's own port`);
      const endpoints = { flag: "--endpoint", key: "endpoints", value: flags.endpoint };
      const shared = sharedRequest(flags, [endpoints, ...meshSettings(flags)]);
      await announce({ ...shared, check, port, ports, documentPort, overrides: overridesOf(flags) });
    });
}

/** First flag that is about one server and was given without naming it. */
function misplacedFlag({ name, path, model, server, check }: AnnounceFlags): string | null {
  if (!check) return "--no-check";
  const given = { "--name": name, "--path": path, "--model": model, "--server": server };
  return Object.entries(given).find(([, value]) => value !== undefined)?.[0] ?? null;
}

/** Words of the user about the server, which override the server's own. */
function overridesOf({ info, path, name, model, server }: AnnounceFlags): AnnounceRequest["overrides"] {
  return {
    ...(info !== undefined && { info }),
    ...(path !== undefined && { path }),
    ...(name !== undefined && { name }),
    ...(model !== undefined && { models: model }),
    ...(server !== undefined && { server }),
  };
}
