import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Listeners for a server of `node:http`. Disposing closes idle connections to other servers. */
export interface RequestHandler extends Disposable {
  /** Handler of `request` events of an HTTP server; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Handler of `upgrade` events: no protocol but HTTP is forwarded. */
  refuseUpgrade(request: IncomingMessage, socket: Duplex): void;
}

export function refuseUpgrade(_: IncomingMessage, socket: Duplex): void {
  socket.end("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n");
}
