import { fileURLToPath } from "node:url";
import type { Host, HostProcess } from "@lmserv/test-netlab";

const aimockProgram = fileURLToPath(new URL("aimock-cli.js", import.meta.resolve("@copilotkit/aimock")));
const aimockConfig = fileURLToPath(new URL("./aimock.json", import.meta.url));
const mockLlmProgram = fileURLToPath(import.meta.resolve("@dwmkerr/mock-llm"));

/** CopilotKit's aimock, when it listens: APIs of many vendors on one port. With keys, it answers nothing without one. */
export async function aimock(host: Host, port: number, ...keys: readonly string[]): Promise<HostProcess> {
  const command = [
    process.execPath,
    aimockProgram,
    "--config",
    aimockConfig,
    "--port",
    String(port),
  ] as const;
  const env = keys.length > 0 ? { AIMOCK_API_KEYS: keys.join() } : {};
  const server = await host.spawn(command, { env });
  await server.line((line) => line.includes("listening on"));
  return server;
}

/** Mock LLM, once it listens: OpenAI's API on express, with agents and tools. */
export async function mockLlm(host: Host, port: number): Promise<HostProcess> {
  const env = { HOST: "0.0.0.0", PORT: String(port) };
  const server = await host.spawn([process.execPath, mockLlmProgram], { env });
  await server.line((line) => line.includes("running on"));
  return server;
}
