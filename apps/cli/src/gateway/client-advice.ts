import type { System } from "@lmserv/discovery-network";
import { endpointUrl, isExposed, type ListenAddress } from "./listen-address.ts";

/** Lines that explain how to point clients at the endpoint. */
export function clientAdvice(
  listen: readonly ListenAddress[],
  hasKey: boolean,
  { interfaces }: System,
): readonly string[] {
  const [first] = listen;
  if (!first) return [];
  const key = hasKey ? "the key" : "any key";
  const lines = [
    `for clients of OpenAI's API: base URL ${endpointUrl(first)}/v1, ${key}`,
    `for clients of Ollama's API: OLLAMA_HOST=${endpointUrl(first)}`,
  ];
  const bridge = interfaces
    .filter(({ kind }) => kind === "guests")
    .flatMap(({ addresses }) => addresses.filter(({ family }) => family === "IPv4"))[0];
  if (!bridge || listen.some(isExposed)) return lines;
  const guest = { address: bridge.address, port: first.port };
  return [
    ...lines,
    `from a container: add --listen ${guest.address}:${guest.port} --key-file FILE, and use ${endpointUrl(guest)} there`,
  ];
}
