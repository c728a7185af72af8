import type { Tapped as Heard } from "../../src/raw-peer/index.ts";
import { type Stage, type Subject, subject } from "./stage.ts";

/** What the transport reports of an instance. */
export interface Sighting {
  readonly kind: "alive" | "gone";
  /** The instance, `@` and the interface. */
  readonly key: string;
  readonly reason?: "goodbye" | "unreachable";
  readonly node?: {
    readonly info: string;
    readonly port: number;
    readonly addresses: readonly { readonly address: string }[];
    readonly attributes: Readonly<Record<string, string>>;
  };
}

/** A browse of the transport itself, whose reports no registry merges. */
export interface Browsing extends Subject {
  /** Its first question. */
  readonly first: Heard;
  /** Resolves with the first report that fits, past or future. */
  readonly sighting: (fits: (sighting: Sighting) => boolean, search?: Since) => Promise<Sighting>;
  /** Resolves when an instance with that `info` is alive. */
  readonly alive: (info: string) => Promise<NonNullable<Sighting["node"]>>;
  /** Those that came so far. */
  readonly sightings: () => readonly Sighting[];
}

export interface Since {
  /** How many of the reports so far do not count. @default none */
  readonly from?: number;
  readonly timeoutMs?: number;
}

/** Browses on the host under test. */
export async function browsing(stage: Stage, ttlMs = 60_000): Promise<Browsing> {
  const running = await subject(stage.host);
  await running.order({ do: "browse", ttlMs });
  const first = await stage.peer.find(stage.host.address, ({ message }) => !message.response);
  const sightings = (): readonly Sighting[] => running.process.lines.flatMap((line) => read(line) ?? []);
  const sighting: Browsing["sighting"] = async (fits, { from = 0, timeoutMs = 10_000 } = {}) => {
    let count = 0;
    const matches = (line: string): boolean => {
      const found = read(line);
      if (found) count += 1;
      return found !== null && count > from && fits(found);
    };
    return read(await running.process.line(matches, { timeoutMs })) ?? never();
  };
  return {
    ...running,
    first,
    sightings,
    sighting,
    async alive(info) {
      const { node } = await sighting(({ kind, node }) => kind === "alive" && node?.info === info);
      return node ?? never();
    },
  };
}

function read(line: string): Sighting | null {
  const said = JSON.parse(line);
  return said.kind === "alive" || said.kind === "gone" ? said : null;
}

function never(): never {
  throw new TypeError("a report that fitted is none");
}
