import { fileURLToPath } from "node:url";
import type { Host, HostProcess } from "@lmserv/test-netlab";

const program = fileURLToPath(new URL("./take-port.py", import.meta.url));

/** Takes a port of a host from its holder, until the result is disposed; a TCP port on an interface. */
export async function takePort(
  host: Host,
  port: number,
  ...kind: ["udp"] | ["tcp", on: string]
): Promise<HostProcess> {
  const [protocol, ...on] = kind;
  const taker = await host.spawn(["python3", program, protocol, `${port}`, ...on]);
  await taker.line((line) => line === "taken");
  return taker;
}
