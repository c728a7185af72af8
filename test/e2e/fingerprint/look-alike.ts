import { fileURLToPath } from "node:url";
import type { Host, HostProcess } from "@lmserv/test-netlab";

const program = fileURLToPath(new URL("./look-alike.mjs", import.meta.url));

/** A server that shows what a kind of server shows, when it listens. */
export async function serve(
  host: Host,
  kind: string,
  port: number,
  ...more: readonly string[]
): Promise<HostProcess> {
  const server = await host.spawn([process.execPath, program, kind, String(port), ...more]);
  await server.line((line) => line === "listening");
  return server;
}
