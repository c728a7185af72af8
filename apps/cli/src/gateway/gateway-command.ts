import type { FlagOption } from "@lmserv/discovery-config";
import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import { Option } from "commander";
import type { Io } from "../io.ts";
import { addSharedOptions, repeatable, type SharedFlags, sharedRequest, single } from "../options.ts";
import type { Request } from "../request.ts";
import { addTransportFlags } from "../transport-flags.ts";
import { parseWord } from "../values.ts";
import { parseOrigin } from "./gateway-settings.ts";
import { defaultPort, parseListenAddress } from "./listen-address.ts";

interface GatewayFlags extends SharedFlags {
  readonly listen?: readonly string[];
  readonly as?: "ollama";
  readonly keyFile?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly prefer?: readonly string[];
  readonly alias?: readonly string[];
  readonly caFile?: string;
  readonly nodeKey?: readonly string[];
  readonly trust?: "any" | "signed";
}

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
    .description("Serve all LLM servers on the network at one local endpoint.")
    .addOption(
      repeatable(
        "--listen <address>",
        `address and port (default: 127.0.0.1:${defaultPort}); repeatable`,
        (text) => {
          parseListenAddress(text);
          return [text];
        },
      ),
    )
    .addOption(new Option("--as <kind>", "also listen where its clients look for it").choices(["ollama"]))
    .addOption(single("--key-file <file>", "key that clients need, in a file of its own", (text) => text))
    .addOption(
      repeatable(
        "--allow-host <name>",
        "a further name by which clients call this machine; repeatable",
        (text) => [parseWord(text)],
      ),
    )
    .addOption(
      repeatable(
        "--allow-origin <url>",
        "a web page that may use it, such as https://chat.example; repeatable",
        (text) => [parseOrigin(text)],
      ),
    )
    .addOption(
      repeatable(
        "--prefer <node>",
        "nodes that go first, best first: by id, host or name; repeatable",
        (text) => [parseWord(text)],
      ),
    )
    .addOption(
      repeatable(
        "--alias <name=model>",
        "a further name of a model; repeatable, also for one name",
        (text) => [parseAlias(text)],
      ),
    )
    .addOption(
      repeatable(
        "--node-key <node=file>",
        "key of a node, by its host:port, or by the id that it signs with; repeatable",
        (text) => {
          nodeKeyOf(text);
          return [text];
        },
      ),
    )
    .addOption(single("--ca-file <file>", "authorities that vouch for nodes with TLS, PEM", (text) => text))
    .addOption(new Option("--trust <which>", "nodes to use (default: any)").choices(["any", "signed"]));
  const settings = addTransportFlags(addSharedOptions(command, io), plugins);
  command.addHelpText("after", examples).action(async (flags: GatewayFlags) => {
    const request = sharedRequest(flags, settings());
    await serve({ ...request, flags: { ...request.flags, gateway: gatewayOptions(flags) } });
  });
}

/** The flags as keys of the configuration file, over which they go. */
function gatewayOptions(flags: GatewayFlags): readonly FlagOption[] {
  const options: readonly FlagOption[] = [
    { flag: "--listen", key: "listen", value: flags.listen },
    { flag: "--as", key: "as", value: flags.as },
    { flag: "--key-file", key: "keyFile", value: flags.keyFile },
    { flag: "--allow-host", key: "allowHost", value: flags.allowHost },
    { flag: "--allow-origin", key: "allowOrigin", value: flags.allowOrigin },
    { flag: "--prefer", key: "prefer", value: flags.prefer },
    { flag: "--alias", key: "alias", value: flags.alias && aliasesOf(flags.alias) },
    { flag: "--trust", key: "trust", value: flags.trust },
    { flag: "--ca-file", key: "caFile", value: flags.caFile },
    {
      flag: "--node-key",
      key: "nodeKeys",
      value: flags.nodeKey && Object.fromEntries(flags.nodeKey.map(nodeKeyOf)),
    },
  ];
  return options.filter(({ value }) => value !== undefined);
}

function parseAlias(text: string): string {
  const [name = "", ...model] = text.split("=");
  if (name !== "" && model.join("=") !== "") return text;
  throw new RangeError("An alias is like small=phi3: a name, and the model that it stands for.");
}

/** A path may hold `=` itself. */
function nodeKeyOf(text: string): readonly [node: string, file: string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new RangeError("It is like 10.0.0.7:8000=box.key: a node, and the file with its key.");
}

/** Several models of one name are tried in their order. */
function aliasesOf(given: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const aliases: Record<string, string[]> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    const models = Object.hasOwn(aliases, name) ? (aliases[name] ?? []) : [];
    aliases[name] = [...models, text.slice(at + 1)];
  }
  return aliases;
}
