import type { Check } from "@lmserv/discovery-core/transport";
import type { CheckDocument, formatVersion } from "@lmserv/discovery-gateway/document";

// Documents that `--json` prints of a configuration and an examination, checked against
// `schema/*.schema.json`.

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
  /** Text for people. */
  readonly origin: string;
}

export function checkDocument(check: Check): CheckDocument {
  const { code, verdict, transport, interface: on, message, fix } = check;
  return { code, verdict, transport, interface: on, message, fix };
}
