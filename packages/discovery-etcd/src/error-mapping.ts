import { DiscoveryError, type DiscoveryErrorCode, isDiscoveryError } from "@lmserv/discovery-core";
import { type EtcdError, type EtcdErrorKind, faultOf } from "./etcd-error.ts";

/** Maps etcd's faults to errors with the place and the remedy. */
export class ErrorMapping {
  readonly #via: string;
  readonly #place: string;
  readonly #user: string | null;
  readonly #prefix: string;

  constructor(via: string, place: string, user: string | null, prefix: string) {
    this.#via = via;
    this.#place = place;
    this.#user = user;
    this.#prefix = prefix;
  }

  /** @param code - Code for faults other than silence and refusal. */
  of(error: unknown, code: DiscoveryErrorCode): DiscoveryError {
    if (isDiscoveryError(error)) return error;
    const fault = faultOf(error);
    const codes: Readonly<Partial<Record<EtcdErrorKind, DiscoveryErrorCode>>> = {
      unreachable: "MEDIUM_UNREACHABLE",
      leaderless: "MEDIUM_UNREACHABLE",
      refused: "PERMISSION_DENIED",
      token: "PERMISSION_DENIED",
    };
    return this.say(codes[fault.kind] ?? code, this.#explain(fault), fault);
  }

  say(code: DiscoveryErrorCode, text: string, cause?: unknown): DiscoveryError {
    return new DiscoveryError(code, `etcd at ${this.#place}: ${text}`, { via: this.#via, cause });
  }

  #explain({ kind, message }: EtcdError): string {
    if (kind === "unreachable") return `no answer: ${message}; start it, or correct the address`;
    if (kind === "leaderless")
      return `no leader: ${message}; start the servers of its cluster that are missing`;
    if (kind !== "refused" && kind !== "token") return message;
    if (/permission denied/.test(message)) {
      return `${message}: the role of ${this.#who()} needs to read ${this.#prefix}, and to write there to announce`;
    }
    return /authentication failed/.test(message) ? `it does not know ${this.#who()}: ${message}` : message;
  }

  #who(): string {
    return this.#user === null ? "our certificate" : `the user ${JSON.stringify(this.#user)}`;
  }
}
