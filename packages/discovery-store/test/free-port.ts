import { once } from "node:events";
import { createServer } from "node:net";

/** The system takes ports of its own choice from above; one of those may be taken while a server is down. */
const range = { from: 10_000, to: 32_000 };

/** A port of loopback that nobody has, and that the system gives to nobody by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
