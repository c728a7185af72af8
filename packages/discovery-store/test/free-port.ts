import { once } from "node:events";
import { createServer } from "node:net";

/** The system's own choices lie above; one of those may be taken while a server is down. */
const range = { from: 10_000, to: 32_000 };

/** Free port of loopback outside the range that the system assigns. */
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
