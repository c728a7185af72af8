import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** RFC 9266 section 3: a value that only the two ends of this TLS connection know. */
const exporter = { label: "EXPORTER-Channel-Binding", bytes: 32 };

/** The lowest version whose exporter is bound to the whole handshake (RFC 9266 section 4). */
export const minTlsVersion = "TLSv1.3";

/** What ties proofs to this connection; empty without TLS. */
export function channelBinding(connection: Duplex): Uint8Array {
  if (!(connection instanceof TLSSocket)) return new Uint8Array();
  return connection.exportKeyingMaterial(exporter.bytes, exporter.label, Buffer.alloc(0));
}
