import { hostname } from "node:os";
import type { Announcement } from "@lmserv/discovery-core";
import { documentPort } from "@lmserv/discovery-identify/document";
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { addMeshOptions, type MeshFlags, meshSettings } from "./mesh-options.ts";
import { addSharedOptions, repeatable, type SharedFlags, sharedRequest, single } from "./options.ts";
import type { AnnounceRequest } from "./request.ts";
import { parseEndpoint, parseInfo, parseName, parsePath, parsePort, parseWord } from "./values.ts";

interface AnnounceFlags extends SharedFlags, MeshFlags {
  readonly port: number;
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
  lmserv announce --port 8000 --info gpu-box-01
  lmserv announce --port 11434 --info "Ollama upstairs" --server ollama --path /api/chat
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
    .description("Make a server of this machine known for as long as it answers.")
    .addOption(single("--port <port>", "where the server listens", parsePort).makeOptionMandatory())
    .addOption(single("--info <text>", "what people know it by (default: the host name)", parseInfo))
    .addOption(single("--path <path>", "where its chat endpoint is (default: /chat)", parsePath))
    .addOption(single("--name <name>", "name of the service instance (default: made of the info)", parseName))
    .addOption(repeatable("--model <names...>", "models it serves", (text) => [parseWord(text)]))
    .addOption(single("--server <kind>", "kind of server, such as ollama (default: lmserv)", parseWord))
    .addOption(
      repeatable(
        "--endpoint <url>",
        "etcd, nats: where it is, such as http://10.0.0.1:2379; repeatable",
        parseEndpoint,
      ),
    )
    .option("--no-check", "announce it whether or not it answers")
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
      const { check, port, documentPort = null } = flags;
      if (port === documentPort) command.error(`error: --document-port ${port} is the server's own port`);
      const endpoints = { flag: "--endpoint", key: "endpoints", value: flags.endpoint };
      const shared = sharedRequest(flags, [endpoints, ...meshSettings(flags)]);
      await announce({ ...shared, check, documentPort, announcement: announcementOf(flags) });
    });
}

function announcementOf({
  port,
  info = hostname(),
  path = "/chat",
  name,
  model,
  server = "lmserv",
}: AnnounceFlags): Announcement {
  return {
    port,
    info,
    path,
    ...(name !== undefined && { name }),
    ...(model !== undefined && { models: model }),
    server,
  };
}
