import type { Rejection } from "@lmserv/discovery-client";
import { formatEndpoint } from "@lmserv/discovery-core/transport";
import { untrustedReason } from "@lmserv/discovery-fingerprint";
import type { Gateway } from "@lmserv/discovery-gateway";

/** Bound on reported nodes. */
const maxTold = 64;
const apis = ["openai", "ollama", "lmserv"] as const;

/** Reports why nodes cannot be used, once for each cause. */
export class Obstacles {
  readonly #gateway: Pick<Gateway, "explain">;
  readonly #note: (text: string) => void;
  /** Latest reported cause, by node. */
  #told = new Map<string, string>();

  constructor(gateway: Pick<Gateway, "explain">, note: (text: string) => void) {
    this.#gateway = gateway;
    this.#note = note;
  }

  look(): void {
    const rejected = apis.flatMap((api) => this.#gateway.explain({ api }).rejected);
    const causes = new Map<string, string>();
    for (const one of rejected) {
      const { id, info } = one.node;
      if (causes.has(id) || causes.size >= maxTold) continue;
      if (one.obstacle !== "key" && one.obstacle !== "state") continue;
      const cause = `${info || id} is not used: ${one.why}${fixFor(one)}`;
      causes.set(id, cause);
      if (this.#told.get(id) !== cause) this.#note(cause);
    }
    this.#told = causes;
  }
}

function fixFor({ node, obstacle, why }: Rejection): string {
  const endpoint = formatEndpoint(node.host, node.port);
  if (obstacle === "key") return `; --node-key ${endpoint}=FILE gives it one`;
  return why === untrustedReason ? `; --node-ca-file ${endpoint}=FILE names an authority that does` : "";
}
