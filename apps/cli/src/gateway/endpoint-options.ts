import type { FlagOption } from "@lmserv/discovery-config";
import { type Command, Option } from "commander";
import { repeatable, single } from "../options/options.ts";
import { parseWord } from "../options/values.ts";
import { parseOrigin } from "./gateway-settings.ts";
import { defaultPort, parseListenAddress } from "./listen-address.ts";

export interface EndpointFlags {
  readonly listen?: readonly string[];
  readonly as?: "ollama";
  readonly keyFile?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly prefer?: readonly string[];
  readonly alias?: readonly string[];
  readonly caFile?: string;
  readonly nodeCaFile?: readonly string[];
  readonly nodeKey?: readonly string[];
  readonly trust?: "any" | "signed";
}

/** Adds the options of every command that serves the local endpoint. */
export function addEndpointOptions(command: Command): Command {
  return command
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
          nodeFileOf(text, "box.key");
          return [text];
        },
      ),
    )
    .addOption(single("--ca-file <file>", "authorities that vouch for nodes with TLS, PEM", (text) => text))
    .addOption(
      repeatable(
        "--node-ca-file <node=file>",
        "the same for one node, by its host:port, or by the id that it signs with; repeatable",
        (text) => {
          nodeFileOf(text, "box.pem");
          return [text];
        },
      ),
    )
    .addOption(new Option("--trust <which>", "nodes to use (default: any)").choices(["any", "signed"]));
}

/** Flags as keys of the configuration file, which they override. */
export function endpointOptions(flags: EndpointFlags): readonly FlagOption[] {
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
    { flag: "--node-ca-file", key: "nodeCaFiles", value: flags.nodeCaFile && filesOf(flags.nodeCaFile) },
    { flag: "--node-key", key: "nodeKeys", value: flags.nodeKey && filesOf(flags.nodeKey) },
  ];
  return options.filter(({ value }) => value !== undefined);
}

function parseAlias(text: string): string {
  const [name = "", ...model] = text.split("=");
  if (name !== "" && model.join("=") !== "") return text;
  throw new RangeError("An alias is like small=phi3: a name, and the model that it stands for.");
}

function filesOf(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(given.map((text) => nodeFileOf(text, "FILE")));
}

/** A path may hold `=` itself. */
function nodeFileOf(text: string, example: string): readonly [node: string, file: string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new RangeError(`It is like 10.0.0.7:8000=${example}: a node, and a file of it.`);
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
