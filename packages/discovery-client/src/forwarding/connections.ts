import { Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { createSecureContext, rootCertificates } from "node:tls";
import type { Scheme } from "@lmserv/discovery-core";

/** Kept connections to nodes; idle ones keep no process alive. */
export class Connections {
  readonly #http = new HttpAgent({ keepAlive: true });
  /** By trusted authorities; bounded by the configured ones. */
  readonly #https = new Map<string | null, HttpsAgent>();

  /**
   * Agent with the kept connections to nodes of a scheme.
   *
   * @param ca - Certificates to trust besides Node's own, PEM, or null.
   */
  kept(scheme: Scheme, ca: string | null): HttpAgent {
    return scheme === "http" ? this.#http : this.#trusting(ca);
  }

  /** Agent for one request on a connection of its own, with the same trust. */
  fresh(scheme: Scheme, ca: string | null): HttpAgent {
    if (scheme === "http") return new HttpAgent();
    return new HttpsAgent({ ...this.#trusting(ca).options, keepAlive: false });
  }

  /** Ends idle connections. */
  close(): void {
    for (const agent of [this.#http, ...this.#https.values()]) agent.destroy();
  }

  #trusting(ca: string | null): HttpsAgent {
    const agent = this.#https.get(ca) ?? new HttpsAgent({ keepAlive: true, ...trustOf(ca) });
    this.#https.set(ca, agent);
    return agent;
  }
}

/** Node's own certificates are read once, not for each connection: that takes 80 ms. */
function trustOf(ca: string | null): AgentOptions {
  return ca === null ? {} : { secureContext: createSecureContext({ ca: [...rootCertificates, ca] }) };
}
