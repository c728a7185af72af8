import type { SeenNode } from "../contract/node.ts";
import type {
  Cancellable,
  Registration,
  ResolvedAnnouncement,
  Transport,
  TransportContext,
  TransportSession,
} from "../contract/transport.ts";
import {
  assertOptions,
  assertShape,
  functionShape,
  type OptionShapes,
  transportShape,
} from "../options/options-check.ts";
import { observationStream } from "../streams/observation-stream.ts";
import {
  absenceOf,
  assertDistinctNames,
  attributesOf,
  diagnoseAll,
  type Member,
  openAll,
} from "./compose.ts";
import { disposeAll } from "./joint-registration.ts";
import { StandbyBrowse, type Turns } from "./standby-browse.ts";

export interface StandbyOptions {
  /**
   * Time without another host on the first before the second is browsed, in ms, 0..86_400_000. @default 1_200
   */
  readonly afterMs?: number;
  /**
   * Returns true for a node on this machine, which proves nothing. @default none; own ones never prove
   * anything
   */
  readonly isLocal?: (node: SeenNode) => boolean;
}

const shapes: OptionShapes<StandbyOptions> = {
  afterMs: { type: "number", minimum: 0, maximum: 86_400_000 },
  isLocal: functionShape,
};

/**
 * Browses the second transport only while the first hears nothing from other hosts.
 *
 * Meant for a second transport that costs more and only browses: the first one announces. Both are opened at
 * once. If the first fails, the second is browsed without delay. The reason to wait is logged; the reason to
 * run is reported (`STANDBY_RUNS`), once until the first hears another host. Give it supervised members, or one that died stays dead until both have.
 *
 * @throws {TypeError | RangeError} for two of one name, or a time out of range.
 */
export function standby(primary: Transport, secondary: Transport, options: StandbyOptions = {}): Transport {
  for (const member of [primary, secondary]) assertShape("standby", "transport", member, transportShape);
  assertOptions("standby", options, shapes);
  const { afterMs = 1_200, isLocal = () => false } = options;
  assertDistinctNames([primary, secondary]);
  return {
    name: `${primary.name}+${secondary.name}`,
    diagnose: (context, options) => diagnoseAll([primary, secondary], context, options),
    async open(context, { signal }) {
      const members = await openAll([primary, secondary], context, signal);
      const first = members.find(({ name }) => name === primary.name);
      const second = members.find(({ name }) => name === secondary.name);
      if (first && second) return sessionOf(first, second, { afterMs, isLocal }, context);
      return oneOf(members);
    },
  };
}

/** The failure of the other was reported already. */
function oneOf(members: readonly Member[]): TransportSession {
  const [only] = members;
  if (!only) throw new TypeError("a standby without a member");
  return only.session;
}

function sessionOf(
  first: Member,
  second: Member,
  { afterMs, isLocal }: Required<StandbyOptions>,
  context: TransportContext,
): TransportSession {
  const closing = new AbortController();
  const ownIds = new Set<string>();
  const turns: Turns = { isReported: false };
  const isOwn = (node: SeenNode): boolean => (node.id !== null && ownIds.has(node.id)) || isLocal(node);
  const announce = first.session.announce?.bind(first.session);
  const askable = [first.session, second.session].filter((session) => session.reconfirm);
  return {
    browse: (query, { signal }) =>
      observationStream({
        signal,
        closed: closing.signal,
        start(sink) {
          const browse = new StandbyBrowse({ first, second, afterMs, isOwn, turns, query, sink, context });
          browse.start();
          return () => browse.stop();
        },
      }),
    ...(announce && {
      announce: (node: ResolvedAnnouncement, options: Cancellable) =>
        announceOwn(node, options, announce, ownIds),
    }),
    ...(askable.length > 0 && {
      reconfirm: async (key: string, options: Cancellable) => {
        await Promise.all(askable.map((session) => session.reconfirm?.(key, options)));
      },
    }),
    get attributes() {
      return attributesOf([first, second]);
    },
    get absenceMs() {
      return absenceOf([first, second]);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await disposeAll([first.session, second.session]);
    },
  };
}

/** Announces a node and counts it as own until its disposal. */
async function announceOwn(
  node: ResolvedAnnouncement,
  options: Cancellable,
  announce: NonNullable<TransportSession["announce"]>,
  ownIds: Set<string>,
): Promise<Registration> {
  ownIds.add(node.id);
  try {
    const registration = await announce(node, options);
    return {
      update: (changed, options) => registration.update(changed, options),
      async [Symbol.asyncDispose]() {
        await registration[Symbol.asyncDispose]();
        ownIds.delete(node.id);
      },
    };
  } catch (error) {
    ownIds.delete(node.id);
    throw error;
  }
}
