import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import {
  type AnnounceFlags,
  addAnnounceOptions,
  addShareOptions,
  announceRequest,
} from "../announce/announce-options.ts";
import type { Io } from "../io/io.ts";
import type { AnnounceRequest } from "../options/request.ts";

const examples = `
Examples:
  lmserv announce                           every LLM server that answers on this machine
  lmserv announce --ports 8081,9000         the same, and on these ports
  lmserv announce --port 11434 --info "Ollama upstairs"
  lmserv announce --port 8000 --model llama-3.3-70b qwen3-32b
  lmserv announce --port 8000 --document-port   where multicast does not arrive
  lmserv announce --share                   Ollama's default, 127.0.0.1, for the network too
  lmserv announce --port 8000 --no-check   even if no server answers
  lmserv announce --port 8000 --transport mdns,mesh --key-file mesh.key --seed ws://10.0.0.1:7946
  lmserv announce --port 8000 --transport mdns,etcd --endpoint http://10.0.0.1:2379

Exit status: 0 ended by SIGTERM, 128 + N by another signal N (130 by SIGINT), 2 usage, 3 every chosen transport
failed.`;

/** Adds `lmserv announce`. */
export function announceCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  announce: (request: AnnounceRequest) => Promise<unknown>,
): void {
  const command = program
    .command("announce")
    .description("Announce the LLM servers of this machine for as long as they answer.");
  const settings = addAnnounceOptions(command, io, plugins);
  addShareOptions(command)
    .option("--no-check", "with --port: announce it even if it does not answer")
    .addHelpText("after", examples)
    .action(async (flags: AnnounceFlags) => {
      await announce(announceRequest(command, flags, settings()));
    });
}
