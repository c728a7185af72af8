import { visibleText } from "@lmserv/discovery-core";
import type { Io } from "../io/io.ts";
import { cutMiddle } from "./cells.ts";
import type { Reporter } from "./reporter.ts";
import { canRepaint, lineWidth } from "./terminal.ts";

const frames = ["|", "/", "-", "\\"];
const frameMs = 120;
/** A frame, and the space after it. */
const frameCells = 2;
const erased = "\r\u001b[K";

/**
 * Shows on stderr, if that is a terminal, that work is under way; returns the function that erases it.
 *
 * Messages of the reporter go above it. With `-q` and `-v` it shows nothing.
 *
 * @param text - Description, called for at each frame; it may only grow longer.
 */
export function startSpinner({ stderr, env, clock }: Io, reporter: Reporter, text: () => string): () => void {
  if (!reporter.showsProgress || !canRepaint(stderr, env)) return () => {};
  let frame = 0;
  let isPainted = false;
  const erase = (): void => {
    if (isPainted) stderr.write(erased);
    isPainted = false;
  };
  const paint = (): void => {
    const width = Math.max(0, (lineWidth(stderr) ?? 0) - frameCells - 1);
    stderr.write(`\r${frames[frame++ % frames.length]} ${cutMiddle(visibleText(text()), width)}`);
    isPainted = true;
    cancel = clock.schedule(frameMs, paint);
  };
  let cancel = clock.schedule(frameMs, paint);
  const forget = reporter.beforeMessages(erase);
  return () => {
    cancel();
    forget();
    erase();
  };
}

/** Does something, and shows that meanwhile. */
export async function showing<Result>(
  io: Io,
  reporter: Reporter,
  text: string,
  work: Promise<Result>,
): Promise<Result> {
  return work.finally(startSpinner(io, reporter, () => text));
}
