// The same as nearest.ts in plain JavaScript: node nearest.mjs MODEL
import { nearFetch } from "@lmserv/discovery-client";
import { createDiscovery } from "@lmserv/discovery-core";
import { mdns } from "@lmserv/discovery-mdns";

const [model = "llama3"] = process.argv.slice(2);

const discovery = await createDiscovery({ transports: [mdns()] });
const near = nearFetch(discovery);
const response = await near.fetch(`${near.baseURL}/chat/completions`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
});
console.log(response.headers.get("x-lmserv-node"), await response.text());
await discovery[Symbol.asyncDispose]();
