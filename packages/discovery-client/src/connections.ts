import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { rootCertificates } from "node:tls";

/** Kept connections to nodes; idle ones keep no process alive. */
export class Connections {
  readonly http: HttpAgent = new HttpAgent({ keepAlive: true });
  readonly https: HttpsAgent;

  /** @param ca - Certificates that are trusted beside Node's own, PEM. */
  constructor(ca: string | null = null) {
    this.https = new HttpsAgent({ keepAlive: true, ...(ca !== null && { ca: [...rootCertificates, ca] }) });
  }

  /** Ends idle connections. */
  close(): void {
    this.http.destroy();
    this.https.destroy();
  }
}
