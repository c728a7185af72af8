import type { Check, DiagnosisContext } from "../contract/diagnosis.ts";
import { type DiscoveryError, toDiscoveryError } from "../contract/errors.ts";
import type {
  BrowseQuery,
  Cancellable,
  ResolvedAnnouncement,
  Transport,
  TransportContext,
  TransportSession,
} from "../contract/transport.ts";
import { assertShape, transportShape } from "../options/options-check.ts";
import { forward, type ObservationSink, observationStream } from "../streams/observation-stream.ts";
import { announceJointly, disposeAll } from "./joint-registration.ts";

/**
 * Merges transports into one; a composition of one is that one.
 *
 * A failed member is reported and the others go on. An error is thrown only when all have failed: an
 * `AggregateError` of `DiscoveryError`s.
 *
 * @throws {TypeError | RangeError} for no member, a member that is no transport, or two of one name.
 */
export function compose(members: readonly Transport[]): Transport {
  assertShape("compose", "transports", members, { type: "array", items: transportShape, minItems: 1 });
  assertDistinctNames(members);
  const [first] = members;
  if (first && members.length === 1) return first;
  return {
    name: members.map((member) => member.name).join("+"),
    open: async (context, { signal }) => sessionOf(await openAll(members, context, signal), context),
    ...(members.some((member) => member.diagnose) && {
      diagnose: (context: DiagnosisContext, options: Cancellable) => diagnoseAll(members, context, options),
    }),
  };
}

/** Checks of every member. */
export async function* diagnoseAll(
  members: readonly Transport[],
  context: DiagnosisContext,
  options: Cancellable,
): AsyncGenerator<Check, void> {
  for (const member of members) yield* member.diagnose?.(context, options) ?? [];
}

/** Possible values of a transport's `via`: its name, or those of its members. */
export function viasOf({ name }: { readonly name: string }): readonly string[] {
  return name.split("+");
}

/** @throws {TypeError} when two of them share a name. */
export function assertDistinctNames(members: readonly Transport[]): void {
  const names = members.flatMap(viasOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new TypeError(`two transports are named "${twice}"; each needs a name of its own`);
}

export interface Member {
  readonly name: string;
  readonly session: TransportSession;
}

/** Opens all members at once, and reports those that fail; rejects when all do. */
export async function openAll(
  members: readonly Transport[],
  context: TransportContext,
  signal: AbortSignal,
): Promise<readonly Member[]> {
  const opened: Member[] = [];
  const errors: DiscoveryError[] = [];
  const open = async (member: Transport): Promise<void> => {
    const { name } = member;
    try {
      opened.push({ name, session: await member.open(context, { signal }) });
    } catch (error) {
      errors.push(toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", name));
    }
  };
  await Promise.all(members.map(open));
  if (signal.aborted) {
    await Promise.allSettled(opened.map(({ session }) => session[Symbol.asyncDispose]()));
    throw signal.reason;
  }
  if (opened.length === 0) throw new AggregateError(errors, "no transport could be opened");
  for (const error of errors) context.report(error);
  return opened;
}

function sessionOf(members: readonly Member[], context: TransportContext): TransportSession {
  const closing = new AbortController();
  const announcers = members.flatMap(({ name, session }) =>
    session.announce ? [{ name, announce: session.announce.bind(session) }] : [],
  );
  const askable = members.filter(({ session }) => session.reconfirm);
  return {
    browse: (query, { signal }) =>
      observationStream({
        signal,
        closed: closing.signal,
        start: (sink) => browseAll(members, query, sink, context),
      }),
    ...(announcers.length > 0 && {
      announce: (node: ResolvedAnnouncement, { signal }: Cancellable) =>
        announceJointly(announcers, node, signal, context.report),
    }),
    ...(askable.length > 0 && {
      reconfirm: async (key: string, options: Cancellable) => {
        await Promise.all(askable.map(({ session }) => session.reconfirm?.(key, options)));
      },
    }),
    get attributes() {
      return attributesOf(members);
    },
    get absenceMs() {
      return absenceOf(members);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await disposeAll(members.map((member) => member.session));
    },
  };
}

/** Attributes of all members' announcements; the first member's value counts. */
export function attributesOf(members: readonly Member[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...members.map(({ session }) => session.attributes).reverse());
}

/** Longest of the members' values. */
export function absenceOf(members: readonly Member[]): number {
  return Math.max(...members.map(({ session }) => session.absenceMs ?? 0));
}

/** Browses every member into one sink, which ends when all have ended and fails when all have failed. */
function browseAll(
  members: readonly Member[],
  query: BrowseQuery,
  sink: ObservationSink,
  context: TransportContext,
): () => void {
  const stopping = new AbortController();
  const failures: DiscoveryError[] = [];
  const browse = async ({ name, session }: Member): Promise<void> => {
    try {
      await forward(session.browse(query, stopping), sink.push);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const failure = toDiscoveryError(error, "TRANSPORT_FAILED", name);
      failures.push(failure);
      context.report(failure);
    }
  };
  Promise.all(members.map(browse)).then(() => {
    if (failures.length < members.length) sink.end();
    else sink.fail(new AggregateError(failures, "every transport failed"));
  });
  return () => stopping.abort();
}
