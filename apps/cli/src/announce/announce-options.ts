import type { FlagOption } from "@lmserv/discovery-config";
import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { documentPort } from "@lmserv/discovery-fingerprint/document";
import type { Command } from "commander";
import type { Io } from "../io/io.ts";
import { addSharedOptions, repeatable, type SharedFlags, sharedRequest, single } from "../options/options.ts";
import type { AnnounceRequest, ShareRequest } from "../options/request.ts";
import { addTransportFlags } from "../options/transport-flags.ts";
import { parseInfo, parseName, parsePath, parsePort, parsePorts, parseWord } from "../options/values.ts";

export interface AnnounceFlags extends SharedFlags {
  readonly port?: number;
  readonly ports?: readonly number[];
  readonly info?: string;
  readonly path?: string;
  readonly name?: string;
  readonly model?: readonly string[];
  readonly server?: string;
  /** @default true */
  readonly check?: boolean;
  readonly documentPort?: number;
  readonly share?: true;
  readonly shareKeyFile?: string;
}

/**
 * Adds the options of every command that announces servers of this machine.
 *
 * @returns a function that reads those of the transports once the command line is parsed.
 */
export function addAnnounceOptions(
  command: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
): () => readonly FlagOption[] {
  return addTransportFlags(addSharedOptions(addServerOptions(command), io), plugins, "announcing");
}

/** Adds the options about the servers of this machine. */
export function addServerOptions(command: Command): Command {
  return command
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
      single(
        "--document-port [port]",
        "serve a document about the announced servers, for searches without multicast",
        parsePort,
      ).preset(String(documentPort)),
    );
}

/** Adds the options about servers that listen on loopback only. */
export function addShareOptions(command: Command): Command {
  return command
    .option("--share", "offer servers that listen on loopback only to the network, for inference only")
    .addOption(
      single("--share-key-file <file>", "with --share: key that clients need, in a file", (text) => text),
    );
}

/** Reads the options into a request; a mistake among them ends the command line. */
export function announceRequest(
  command: Command,
  flags: AnnounceFlags,
  settings: readonly FlagOption[],
): AnnounceRequest {
  const { check = true, port = null, ports = [], documentPort = null } = flags;
  const misplaced = port === null ? misplacedFlag(flags) : null;
  if (misplaced) command.error(`error: option '${misplaced}' needs --port, which names one server`);
  if (port !== null && port === documentPort)
    command.error(`error: --document-port ${port} is the server's own port`);
  const shared = sharedRequest(flags, settings);
  const overrides = overridesOf(flags);
  return { ...shared, check, port, ports, documentPort, overrides, share: shareOf(command, flags) };
}

function shareOf(command: Command, { share, shareKeyFile, check }: AnnounceFlags): ShareRequest | null {
  if (share && check === false)
    command.error("error: option '--share' cannot be used with option '--no-check'");
  if (!share && shareKeyFile !== undefined) command.error("error: option '--share-key-file' needs --share");
  return share ? { keyFile: shareKeyFile ?? null } : null;
}

/** First flag about one server that was given without naming it. */
function misplacedFlag({ name, path, model, server, check }: AnnounceFlags): string | null {
  if (check === false) return "--no-check";
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
