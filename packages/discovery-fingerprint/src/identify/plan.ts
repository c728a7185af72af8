import { documentPath } from "../document/document.ts";
import { maxQuestions } from "../http/limits.ts";
import type { Reply } from "../http/reply.ts";
import { isShown, readSign, type ServerKind, type Signs } from "./server-kind.ts";
import { modelsPath, openaiList, serverKinds } from "./server-kinds.ts";

/** Questions for every server until it is recognised. */
const common: readonly string[] = [documentPath, "/", modelsPath];

/** Next question by the knowledge of the port; null if enough is known, or there are `most` replies. */
export function nextQuestion(
  replies: readonly Reply[],
  port: number,
  most: number = maxQuestions,
): string | null {
  if (replies.length >= most) return null;
  const isOpen = (path: string): boolean => !replies.some((reply) => reply.path === path);
  const proven = recognise(replies);
  if (proven?.server) return proven.asks.find(isOpen) ?? null;
  return common.find(isOpen) ?? decisiveQuestion(replies, port);
}

/** Server kind that the replies prove, or null. */
export function recognise(replies: readonly Reply[]): ServerKind | null {
  return serverKinds.find(({ proofs }) => isShown(proofs, replies)) ?? null;
}

/** Question that settles the likeliest kind. */
function decisiveQuestion(replies: readonly Reply[], port: number): string | null {
  const leads = serverKinds.flatMap(({ proofs, ports }) => {
    const home = ports.includes(port) ? weights.home : 0;
    return proofs.flatMap((signs) => {
      const path = questionLeft(signs, replies);
      return path === null ? [] : { path, weight: home + support(signs, replies) };
    });
  });
  const [best] = leads.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
  return best?.path ?? null;
}

/** A sign of one kind counts more than common ones, and those more than the port. */
const weights = { own: 4, common: 2, home: 1 } as const;

function support(signs: Signs, replies: readonly Reply[]): number {
  const shown = signs.filter((sign) => readSign(sign, replies) !== null);
  if (shown.length === 0) return 0;
  return shown.every((sign) => sign === openaiList) ? weights.common : weights.own;
}

/** Only question left before all the signs can be there; null if there is none or another. */
function questionLeft(signs: Signs, replies: readonly Reply[]): string | null {
  const missing = signs.filter((sign) => readSign(sign, replies) === null);
  const [path, ...more] = new Set(missing.map((sign) => sign.path));
  if (path === undefined || more.length > 0) return null;
  return replies.some((reply) => reply.path === path) ? null : path;
}
