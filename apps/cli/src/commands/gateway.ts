import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import { addEndpointOptions, type EndpointFlags, endpointOptions } from "../gateway/endpoint-options.ts";
import { defaultPort } from "../gateway/listen-address.ts";
import type { Io } from "../io/io.ts";
import { addSharedOptions, type SharedFlags, sharedRequest } from "../options/options.ts";
import type { Request } from "../options/request.ts";
import { addTransportFlags } from "../options/transport-flags.ts";

const examples = `
Examples:
  lmserv gateway                            http://127.0.0.1:${defaultPort}/v1 in every client
  lmserv gateway --as ollama                where clients look for Ollama, too
  lmserv gateway --prefer gpu-box --alias small=phi3 --alias small=gemma2
  lmserv gateway --listen 127.0.0.1 --listen 172.17.0.1 --key-file gateway.key   for containers, too

The section "gateway" of the configuration file has the same keys. Transports are chosen as for lmserv discover. --key-file, --ca-file and --listen are the endpoint's own here; those of
transports stand in the configuration file.

Exit status: 0 ended by SIGTERM, 128 + N by another signal N (130 by SIGINT), 2 usage, 3 every chosen transport
failed.`;

/** Adds `lmserv gateway`. */
export function gatewayCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  serve: (request: Request) => Promise<unknown>,
): void {
  const command = program
    .command("gateway")
    .description("Serve all LLM servers on the network at one local endpoint.");
  const settings = addTransportFlags(addSharedOptions(addEndpointOptions(command), io), plugins);
  command.addHelpText("after", examples).action(async (flags: SharedFlags & EndpointFlags) => {
    const request = sharedRequest(flags, settings());
    await serve({ ...request, flags: { ...request.flags, gateway: endpointOptions(flags) } });
  });
}
