import type { Io } from "../io/io.ts";
import { canRepaint } from "./terminal.ts";

const frames = ["|", "/", "-", "\\"];
const frameMs = 120;

/**
 * Shows on stderr, if that is a terminal, that work is under way; returns the function that erases it.
 *
 * @param text - Description, called for at each frame; it may only grow longer.
 */
export function startSpinner({ stderr, env, clock }: Io, text: () => string): () => void {
  if (!canRepaint(stderr, env)) return () => {};
  let frame = 0;
  const paint = (): void => {
    stderr.write(`\r${frames[frame++ % frames.length]} ${text()}`);
    cancel = clock.schedule(frameMs, paint);
  };
  let cancel = clock.schedule(frameMs, paint);
  return () => {
    cancel();
    if (frame > 0) stderr.write("\r\u001b[K");
  };
}
