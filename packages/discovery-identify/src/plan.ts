import { documentPath } from "./document.ts";
import { type Engine, isShown } from "./engine.ts";
import { engines, modelsPath } from "./engines.ts";
import { maxQuestions } from "./limits.ts";
import type { Reply } from "./reply.ts";

/** What every server is asked until it is recognised. */
const common: readonly string[] = [documentPath, "/", modelsPath];

/** What to ask next, after what is known of the port; null when enough is known or asked. */
export function nextQuestion(replies: readonly Reply[], port: number): string | null {
  if (replies.length >= maxQuestions) return null;
  const proven = recognise(replies);
  const isOpen = (path: string): boolean => !replies.some((reply) => reply.path === path);
  if (proven?.server) return proven.asks.find(isOpen) ?? null;
  return common.find(isOpen) ?? suspect(replies, port)?.asks.find(isOpen) ?? null;
}

/** The engine that the replies prove, or null. */
export function recognise(replies: readonly Reply[]): Engine | null {
  return engines.find(({ proofs }) => isShown(proofs, replies)) ?? null;
}

/** The engine that is most worth a question: hinted at and at home on the port, else hinted at, else at home. */
function suspect(replies: readonly Reply[], port: number): Engine | null {
  const hinted = engines.filter(({ hints }) => isShown(hints, replies));
  const isAtHome = ({ ports }: Engine): boolean => ports.includes(port);
  return hinted.find(isAtHome) ?? hinted[0] ?? engines.find(isAtHome) ?? null;
}
