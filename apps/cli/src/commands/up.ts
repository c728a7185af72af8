import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import {
  type AnnounceFlags,
  addServerOptions,
  addShareOptions,
  announceRequest,
} from "../announce/announce-options.ts";
import { addEndpointOptions, type EndpointFlags, endpointOptions } from "../gateway/endpoint-options.ts";
import { defaultPort } from "../gateway/listen-address.ts";
import type { Io } from "../io/io.ts";
import { addSharedOptions } from "../options/options.ts";
import type { AnnounceRequest } from "../options/request.ts";
import { addTransportFlags } from "../options/transport-flags.ts";

const examples = `
Examples:
  lmserv up                                 on every machine: then http://127.0.0.1:${defaultPort} has them all
  lmserv up --share                         for the network also what listens on 127.0.0.1 only
  lmserv up --as ollama --prefer gpu-box
  lmserv up --preset office

It is lmserv announce and lmserv gateway in one, with the options of both. --key-file, --ca-file and --listen are the
endpoint's own here; those of transports stand in the configuration file.

Exit status: 0 ended by SIGTERM, 128 + N by another signal N (130 by SIGINT), 2 usage, or it runs on this machine
already, 3 every chosen transport failed.`;

/** Adds `lmserv up`. */
export function upCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  up: (request: AnnounceRequest) => Promise<unknown>,
): void {
  const command = program
    .command("up")
    .description(
      "Announce the LLM servers of this machine, and serve all on the network at one local endpoint.",
    );
  addSharedOptions(addEndpointOptions(addShareOptions(addServerOptions(command))), io);
  const settings = addTransportFlags(command, plugins, "any");
  command.addHelpText("after", examples).action(async (flags: AnnounceFlags & EndpointFlags) => {
    const request = announceRequest(command, flags, settings());
    await up({ ...request, flags: { ...request.flags, gateway: endpointOptions(flags) } });
  });
}
