import { createLan, type Host, type Lan } from "@lmserv/test-netlab";

/** Answers as a present Ollama does, up to the questions before a chat. */
const ollama = `
const answers = {
  "/": "Ollama is running",
  "/api/version": { version: "0.12.6" },
  "/v1/models": { object: "list", data: [{ id: "qwen3:32b", object: "model", owned_by: "library" }] },
};
require("node:http").createServer((request, response) => {
  const answer = answers[request.url];
  response.statusCode = answer === undefined ? 404 : 200;
  response.end(typeof answer === "string" ? answer : JSON.stringify(answer ?? null));
}).listen(11434, () => console.log("listening"));`;

const hosts = 10;
/** Count of hosts with an LLM server. */
export const servers = 3;

/** A /24 with ten hosts, one of which looks. */
export interface Site extends AsyncDisposable {
  readonly seeker: Host;
  /** Clears the seeker's neighbors, and unanswered addresses from the kernel's table. */
  readonly forget: () => Promise<void>;
}

export async function openSite(): Promise<Site> {
  const lan: Lan<10> = await createLan({ hosts, neighbors: "learned" });
  const [seeker, ...others] = lan.hosts;
  await Promise.all(others.slice(0, servers).map(serve));
  return {
    seeker,
    async forget() {
      for (const state of ["down", "up"]) await seeker.run(["ip", "link", "set", "eth0", state]);
    },
    [Symbol.asyncDispose]: () => lan[Symbol.asyncDispose](),
  };
}

async function serve(host: Host): Promise<void> {
  const server = await host.spawn([process.execPath, "-e", ollama], { cwd: "/" });
  await server.line((line) => line === "listening");
}
