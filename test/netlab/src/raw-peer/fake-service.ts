import type { Answer } from "dns-packet";
import { type Draft, response } from "./message.ts";

export interface FakeServiceOptions {
  /** A dot inside it is written `\.`. */
  readonly label: string;
  readonly address: string;
  /** @default "<label>-host.local" */
  readonly hostName?: string;
  /** @default 8000 */
  readonly port?: number;
  /** @default `info=<label>` alone */
  readonly txt?: readonly (string | Buffer)[];
  /** Lifetime of the records that name the host, in s. @default 120 */
  readonly hostTtlS?: number;
  /** Lifetime of the others, in s. @default 4_500 */
  readonly otherTtlS?: number;
}

/** Records of a service that no host runs. */
export interface FakeService {
  readonly instance: string;
  readonly ptr: Answer;
  readonly srv: Answer;
  readonly txt: Answer;
  readonly a: Answer;
  /** Response with all of them, in the form of an answer for the service type. */
  readonly announcement: (changes?: Draft) => Buffer;
}

/** Service of `type` that a raw peer may claim to run. */
export function fakeService(type: string, options: FakeServiceOptions): FakeService {
  const { label, address, port = 8000, hostTtlS = 120, otherTtlS = 4_500 } = options;
  const { hostName = `${label.replace(/[^a-z0-9]/gi, "-")}-host.local`, txt = [`info=${label}`] } = options;
  const instance = `${label}.${type}`;
  const records = {
    ptr: { type: "PTR", name: type, ttl: otherTtlS, data: instance },
    srv: { type: "SRV", name: instance, ttl: hostTtlS, flush: true, data: { port, target: hostName } },
    txt: { type: "TXT", name: instance, ttl: otherTtlS, flush: true, data: [...txt] },
    a: { type: "A", name: hostName, ttl: hostTtlS, flush: true, data: address },
  } as const satisfies Record<string, Answer>;
  const additionals = [records.srv, records.txt, records.a];
  return {
    instance,
    ...records,
    announcement: (changes) => response({ answers: [records.ptr], additionals, ...changes }),
  };
}

/** The records with other lifetimes; 0 says goodbye. */
export function withTtl<T extends Answer>(record: T, ttlS: number): T {
  return { ...record, ttl: ttlS };
}
