import type { IncomingMessage } from "node:http";
import type { Refusal } from "@lmserv/discovery-client/forwarding";

/** Bounds of bodies that are kept, so that another node or connection can have them. */
export interface BodyLimits {
  /** Longest body, in bytes. */
  readonly each: number;
  /** Bytes of all bodies at a time. */
  readonly all: number;
}

/** Images in base64; longest body, and all of them together. */
export const bodyLimits: BodyLimits = { each: 64 * 1_048_576, all: 256 * 1_048_576 };

/** Body of a request, or the reason to refuse it. */
export type TakenBody =
  | { readonly kind: "body"; readonly bytes: Buffer; readonly release: () => void }
  | { readonly kind: "too-large" }
  | { readonly kind: "no-room" };

/** Images in base64 take megabytes: each body is bounded, and all of them together. */
export class BodyBudget {
  readonly #limits: BodyLimits;
  #used = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Bytes that are kept. */
  get used(): number {
    return this.#used;
  }

  /** Reads a body; rejects when the client goes. The rest of a refused body is not read. */
  async take(request: IncomingMessage): Promise<TakenBody> {
    const { each } = this.#limits;
    if (Number(request.headers["content-length"] ?? 0) > each) return { kind: "too-large" };
    const chunks: Buffer[] = [];
    let size = 0;
    let isReleased = false;
    const release = (): void => {
      if (!isReleased) this.#used -= size;
      isReleased = true;
    };
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (size + chunk.length > each) return refuse(release, "too-large");
        if (this.#used + chunk.length > this.#limits.all) return refuse(release, "no-room");
        size += chunk.length;
        this.#used += chunk.length;
        chunks.push(chunk);
      }
    } catch (error) {
      release();
      throw error;
    }
    return { kind: "body", bytes: Buffer.concat(chunks, size), release };
  }
}

function refuse(release: () => void, kind: "too-large" | "no-room"): TakenBody {
  release();
  return { kind };
}

export const bodyRefusals: Readonly<Record<Exclude<TakenBody["kind"], "body">, Refusal>> = {
  "too-large": {
    status: 413,
    code: "body_too_large",
    message: `a body has ${bodyLimits.each} bytes at most`,
    retryAfterS: null,
  },
  "no-room": {
    status: 503,
    code: "no_room",
    message: `all bodies under way have ${bodyLimits.all} bytes at most`,
    retryAfterS: 5,
  },
};
