import type { Check, CheckCode, Verdict } from "@lmserv/discovery-core/transport";
import type { formatVersion } from "@lmserv/discovery-gateway/document";

// What `--json` prints of a configuration and an examination, held against `schema/*.schema.json`.

export interface ConfigDocument {
  readonly formatVersion: typeof formatVersion;
  readonly file: string | null;
  readonly settings: readonly SettingDocument[];
}

interface SettingDocument {
  readonly path: string;
  /** Null for a secret. */
  readonly value: unknown;
  readonly secret: boolean;
  /** As people read it. */
  readonly origin: string;
}

export interface DoctorDocument {
  readonly formatVersion: typeof formatVersion;
  /** The worst of all checks, those that were not made aside. */
  readonly verdict: Exclude<Verdict, "skip">;
  readonly durationMs: number;
  readonly checks: readonly CheckDocument[];
}

export interface CheckDocument {
  readonly code: CheckCode;
  readonly verdict: Verdict;
  readonly transport: string | null;
  readonly interface: string | null;
  readonly message: string;
  readonly mend: string | null;
}

export function checkDocument(check: Check): CheckDocument {
  const { code, verdict, transport, interface: on, message, mend } = check;
  return { code, verdict, transport, interface: on, message, mend };
}
