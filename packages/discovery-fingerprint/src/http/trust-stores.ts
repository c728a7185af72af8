import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";

/** Bound on stores, one for each configured node. */
const maxStores = 64;

/** Stores of authorities by their text: parsing Node's own takes 80 ms, which no single check should. */
export class TrustStores {
  readonly #stores = new Map<string, SecureContext>();

  /** Node's own authorities and those of `ca`, PEM. */
  of(ca: string): SecureContext {
    const store = this.#stores.get(ca) ?? createSecureContext({ ca: [...rootCertificates, ca] });
    if (this.#stores.size >= maxStores && !this.#stores.has(ca)) this.#stores.clear();
    this.#stores.set(ca, store);
    return store;
  }
}
