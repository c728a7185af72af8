import { X509Certificate } from "node:crypto";
import type { NodeInfo } from "@lmserv/discovery-core";
import { ConfiguredNodes } from "../picker/configured-nodes.ts";

/** Trusted authorities of one node with TLS. */
export interface NodeCa {
  /** `host:port` of the node with its address, as configured by hand, or the id of a signed node. */
  readonly node: string;
  /** Certificates, PEM. */
  readonly ca: string;
}

export interface AuthorityOptions {
  /** Authorities besides Node's own to trust for nodes with TLS, PEM. @default none */
  readonly ca?: string;
  /** Further authorities of single nodes. @default [] */
  readonly nodeCas?: readonly NodeCa[];
}

/** Trusted authorities of each node, besides Node's own. */
export class Authorities {
  readonly #ofAll: string | null;
  readonly #ofNodes: ConfiguredNodes<string>;

  /** @throws {TypeError} for text that holds no certificate, or a broken one; the message names the node. */
  constructor({ ca, nodeCas = [] }: AuthorityOptions = {}) {
    if (ca !== undefined) assertCertificates(ca, "ca");
    for (const { node, ca: own } of nodeCas) {
      if (typeof node !== "string" || node === "") throw new TypeError("the ca of a node must name its node");
      assertCertificates(own, `the ca of ${node}`);
    }
    this.#ofAll = ca ?? null;
    // Joined once: each distinct text takes a store of certificates.
    const joined = nodeCas.map(
      ({ node, ca: own }) => [node, ca === undefined ? own : `${ca}\n${own}`] as const,
    );
    this.#ofNodes = new ConfiguredNodes(joined);
  }

  /** Certificates for a node, PEM, or null if Node's own suffice. */
  of(node: NodeInfo): string | null {
    return this.#ofNodes.of(node) ?? this.#ofAll;
  }
}

const begin = "-----BEGIN CERTIFICATE-----";
const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Fault of a PEM text, as the end of a sentence; null if each of its certificates is readable.
 *
 * Node passes over unreadable ones.
 */
export function certificatesFault(pem: string): string | null {
  const begun = pem.split(begin).length - 1;
  if (begun === 0) return "holds no certificate";
  const blocks = pem.match(block) ?? [];
  if (blocks.length < begun) return "holds a certificate that is cut off";
  const broken = blocks.findIndex((text) => !isCertificate(text));
  return broken < 0 ? null : `holds a broken certificate (number ${broken + 1} of ${begun})`;
}

function assertCertificates(pem: string, name: string): void {
  const fault = typeof pem === "string" ? certificatesFault(pem) : "must be a text in PEM";
  if (fault !== null) throw new TypeError(`${name} ${fault}`);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
