import { type Heard, query, type Received, response } from "@lmserv/test-netlab/raw-peer";
import type { Answer } from "dns-packet";

/** True if a packet probes for a name: a question of type ANY, and records of that name in Authority. */
export function isProbe({ message }: Heard, instance?: string): boolean {
  const [question] = message.questions;
  if (message.response || question?.type !== "ANY" || message.authorities.length === 0) return false;
  return instance === undefined || question.name === instance;
}

export function probedName({ message }: Heard): string {
  return message.questions[0]?.name ?? "";
}

export interface RivalOptions {
  readonly port?: number;
  readonly target?: string;
  readonly txt?: readonly string[];
  /** @default true */
  readonly flush?: boolean;
}

/** Records of a rival under the same name. */
export function rivalRecords(instance: string, options: RivalOptions = {}): Answer[] {
  const { port = 1, target = "rival.local", txt = ["info=rival"], flush = true } = options;
  return [
    { type: "SRV", name: instance, ttl: 120, flush, data: { port, target } },
    { type: "TXT", name: instance, ttl: 4_500, flush, data: [...txt] },
  ];
}

/** Response of a host that owns the name already. */
export function denial(instance: string, options: RivalOptions = {}): Buffer {
  return response({ answers: rivalRecords(instance, options) });
}

/** Probe of a host that claims the name at the same moment. */
export function rivalProbe(instance: string, authorities: readonly Answer[]): Buffer {
  return query({ questions: [{ name: instance, type: "ANY" }], authorities });
}

/** Received record, to be sent again unchanged but for the flush bit. */
export function asSent({ name, type, ttlS, target = "", port = 0, strings = [] }: Received): Answer {
  if (type === "SRV") return { type, name, ttl: ttlS, data: { port, target } };
  if (type === "TXT") return { type, name, ttl: ttlS, data: [...strings] };
  throw new RangeError(`${type} is none of the types that are claimed`);
}
