import { onAbort } from "@lmserv/discovery-core/transport";
import type { RawData, WebSocket } from "ws";
import type { Admission, Handshake } from "./handshake.ts";
import type { LinkLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** Says "policy violation" (RFC 6455 section 7.4.1), whatever it was: who may not come in learns nothing else. */
const neutralCode = 1_008;

export interface AdmissionOptions {
  readonly limits: Pick<LinkLimits, "maxHandshakeChars">;
  /** Its reason is what the handshake is refused with. */
  readonly signal: AbortSignal;
  /** Called in the turn of the last message: the next may follow at once. */
  admitted(admission: Admission): void;
  refused(reason: unknown): void;
}

/** Carries a handshake out over a WebSocket; one of the two outcomes is called, once. */
export function admit(socket: WebSocket, handshake: Handshake, options: AdmissionOptions): void {
  const { limits, signal, admitted, refused } = options;
  const ignore = onAbort(signal, cut);
  socket.on("message", onMessage).on("close", onClose).on("error", onError);
  if (signal.aborted) cut();
  else step(() => handshake.next());

  function onMessage(data: RawData, isBinary: boolean): void {
    const text = isBinary ? null : data.toString();
    if (text === null || text.length > limits.maxHandshakeChars) {
      refuse(new Refusal("malformed", "its handshake is malformed: binary, or too long"));
    } else {
      step(() => handshake.next(text));
    }
  }

  function onClose(code: number): void {
    refuse(
      code === neutralCode
        ? new Refusal("rejected", "it does not accept our key and cluster, or cannot tell that we have them")
        : new Refusal("gone", "it went away in the middle of the handshake"),
    );
  }

  function onError(error: Error): void {
    const isProtocol = "code" in error && String(error.code).startsWith("WS_ERR");
    refuse(new Refusal(isProtocol ? "malformed" : "gone", error.message, error));
  }

  /** Time or room is out: the other side is not told that it was not wanted. */
  function cut(): void {
    end(signal.reason);
    socket.terminate();
  }

  function step(next: () => IteratorResult<string | null, Admission>): void {
    try {
      const { done, value } = next();
      if (done) finish(value);
      else if (value !== null) socket.send(value);
    } catch (error) {
      refuse(error);
    }
  }

  function finish(admission: Admission): void {
    if (admission.lastWord !== null) socket.send(admission.lastWord);
    release();
    admitted(admission);
  }

  function refuse(reason: unknown): void {
    socket.close(neutralCode);
    end(reason);
  }

  function end(reason: unknown): void {
    release();
    // A socket that fails has nobody else to tell it to.
    socket.on("error", () => {});
    refused(reason);
  }

  function release(): void {
    ignore();
    socket.off("message", onMessage).off("close", onClose).off("error", onError);
  }
}
