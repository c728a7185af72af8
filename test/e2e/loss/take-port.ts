import { fileURLToPath } from "node:url";
import type { Host, HostProcess } from "@lmserv/test-netlab";

const program = fileURLToPath(new URL("./take-port.py", import.meta.url));

/** Has a UDP port of a host taken from whoever has it, until the result is disposed. */
export async function takePort(host: Host, port: number): Promise<HostProcess> {
  const taker = await host.spawn(["python3", program, `${port}`]);
  await taker.line((line) => line === "taken");
  return taker;
}
