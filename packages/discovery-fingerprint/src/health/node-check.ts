import type { NodeHealth, NodeInfo } from "@lmserv/discovery-core";
import { formatEndpoint, type HealthReport, isoTime } from "@lmserv/discovery-core/transport";
import type {
  HealthAnswer,
  HealthOutcome,
  HealthQuestion,
  HealthSilence,
  ServerLists,
} from "./health-question.ts";
import type { HealthTiming } from "./health-timing.ts";

/** Kinds of server that answer while they generate: a silent one is in trouble. */
const answersWhileGenerating: ReadonlySet<string> = new Set([
  "ollama",
  "llama.cpp",
  "vllm",
  "lmstudio",
  "sglang",
  "litellm",
  "localai",
  "tgi",
]);
/** Failed checks in a row until a node is silent: one may be a lost packet. */
const failuresUntilSilent = 2;
/** Share of an interval by which lists are asked for early, so that the nearest check includes them. */
const listsSlack = 0.5;
/** Silences of an endpoint without any answer but a refusal. */
const unreached: ReadonlySet<HealthSilence["why"]> = new Set(["refused", "no-route", "no-connection"]);

/** Wait before the next check. */
export type Pace = "at-once" | "while-silent" | "usual";

/** Consequence of a check's outcome. */
export interface Conclusion {
  /** Null while nothing is certain. */
  readonly report: HealthReport | null;
  /** True if the transports should reconfirm the node. */
  readonly doubts: boolean;
  readonly pace: Pace;
}

export interface Credentials {
  /** Key of the node, or null. */
  readonly keyOf: (node: NodeInfo) => string | null;
  /** Authorities of the node to trust besides Node's own, PEM, or null. */
  readonly caOf: (node: NodeInfo) => string | null;
}

interface Time {
  now(): number;
  wall(): number;
}

/** Checks of one endpoint of one node: questions out, outcomes in, conclusions out. */
export class NodeCheck {
  readonly #time: Time;
  readonly #timing: HealthTiming;
  readonly #credentials: Credentials;
  readonly #endpoint: string;
  #node: NodeInfo;
  /** Announced path. */
  #path: string | null;
  #failures = 0;
  #hasAnswered = false;
  /** Doubts sent to the transports since the last answer; an unreachable endpoint is doubted more. */
  #doubted: "nothing" | "answers" | "reach" = "nothing";
  #lists: ServerLists | null = null;
  #missingPath: string | null = null;
  #listsDueMs = 0;
  #state: NodeHealth["state"] | null = null;

  constructor(node: NodeInfo, time: Time, timing: HealthTiming, credentials: Credentials) {
    this.#timing = timing;
    this.#credentials = credentials;
    this.#node = node;
    this.#path = node.path;
    this.#time = time;
    this.#endpoint = formatEndpoint(node.host, node.port);
  }

  get isSilent(): boolean {
    return this.#state === "silent";
  }

  /** Takes the present announcement; returns false if the node has moved, and needs another check. */
  follow(node: NodeInfo): boolean {
    if (formatEndpoint(node.host, node.port) !== this.#endpoint) return false;
    // The server's own description may have replaced the announcement, which is no change of it.
    if (node.path !== this.#path && node.path !== this.#lists?.description?.path) {
      this.#path = node.path;
      this.#listsDueMs = 0;
    }
    this.#node = node;
    return true;
  }

  question(): HealthQuestion {
    const { host, port, scheme } = this.#node;
    const { intervalMs } = this.#timing;
    return {
      host,
      port,
      scheme,
      path: this.#path,
      server: this.#kind(),
      lists: this.#time.now() >= this.#listsDueMs - intervalMs * listsSlack,
      key: this.#credentials.keyOf(this.#node),
      ca: this.#credentials.caOf(this.#node),
    };
  }

  conclude(outcome: HealthOutcome): Conclusion {
    if (outcome.kind === "answer") return this.#hear(outcome);
    const { why } = outcome;
    // This machine had no room for a connection, which says nothing of the node.
    if (why === "unasked") return { report: null, doubts: false, pace: "usual" };
    if (why === "no-answer" && !answersWhileGenerating.has(this.#kind() ?? "")) return this.#takeForBusy();
    return this.#miss(why);
  }

  #hear(answer: HealthAnswer): Conclusion {
    this.#recover();
    this.#hasAnswered = true;
    const { state, reason, latencyMs, lists } = answer;
    if (lists) {
      this.#lists = lists;
      this.#missingPath = lists.isPathMissing ? this.#path : null;
      this.#listsDueMs = this.#time.now() + this.#timing.listsIntervalMs;
    } else if (state !== this.#state) {
      this.#listsDueMs = 0;
    }
    return { report: this.#report(state, reason, latencyMs), doubts: false, pace: "usual" };
  }

  #takeForBusy(): Conclusion {
    this.#recover();
    const reason =
      "it accepts connections and does not answer, as a server with one thread does while it generates";
    return { report: this.#report("busy", reason, null), doubts: false, pace: "usual" };
  }

  #miss(why: HealthSilence["why"]): Conclusion {
    this.#failures += 1;
    const isSilent = this.#failures >= failuresUntilSilent;
    const doubts = (isSilent || (why === "refused" && this.#hasAnswered)) && this.#doubts(why);
    if (!isSilent) return { report: null, doubts, pace: "at-once" };
    this.#listsDueMs = 0;
    return { report: this.#report("silent", reasons[why], null), doubts, pace: "while-silent" };
  }

  /**
   * True if the transports should be asked: at the first silence, and at the first of an unreachable
   * endpoint.
   */
  #doubts(why: HealthSilence["why"]): boolean {
    const isUnreached = unreached.has(why);
    if (this.#doubted === "reach" || (this.#doubted === "answers" && !isUnreached)) return false;
    this.#doubted = isUnreached ? "reach" : "answers";
    return true;
  }

  #recover(): void {
    this.#failures = 0;
    this.#doubted = "nothing";
  }

  /** Announced kind, or else the server's own. */
  #kind(): string | null {
    return this.#node.server ?? this.#lists?.description?.server ?? null;
  }

  #report(state: NodeHealth["state"], reason: string | null, latencyMs: number | null): HealthReport {
    this.#state = state;
    const { models = [], loaded = [], description = null, version = null } = this.#lists ?? {};
    const checkedAt = isoTime(this.#time, this.#time.now());
    return {
      endpoint: this.#endpoint,
      health: { state, models, loaded, ...(version !== null && { version }), latencyMs, checkedAt, reason },
      description,
      missingPath: this.#missingPath,
    };
  }
}

/** Reason of a silent node with a certificate of an unknown authority, or a self-signed one. */
export const untrustedReason = "no trusted authority signed its certificate";

const reasons: Readonly<Record<HealthSilence["why"], string>> = {
  refused: "nothing listens on its port",
  "no-route": "there is no route to it",
  "no-connection": "it does not accept connections",
  "no-answer": "it accepts connections and does not answer",
  closed: "it closes the connection without an answer",
  foreign: "it does not speak HTTP",
  encrypted: "it speaks TLS, and not plain HTTP",
  untrusted: untrustedReason,
  misnamed: "its certificate is not made for its address",
  expired: "its certificate is out of date, or a clock is wrong",
  unasked: "it was not asked",
  failing: "it answers with errors of its own",
};
