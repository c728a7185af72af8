import type { DiscoveryError, DiscoveryErrorCode, Sink } from "@lmserv/discovery-core";
import type { EngineContext, EngineEvent } from "@lmserv/discovery-fleet";
import type { Link } from "./link.ts";
import { type Past, View } from "./view.ts";

/** One watch, over any number of links. */
export class Watcher {
  readonly #context: EngineContext;
  readonly #sink: Sink<EngineEvent>;
  readonly #holds: (key: string) => boolean;
  #view: View | null = null;
  #past: Past | null = null;
  /** What the last loss was told as; null while there is none. */
  #lost: DiscoveryErrorCode | null = null;
  #latest: DiscoveryError | null = null;
  #cancelPatience: (() => void) | null = null;

  /** @param holds - Whether we keep a value under that key ourselves. */
  constructor(context: EngineContext, sink: Sink<EngineEvent>, holds: (key: string) => boolean) {
    this.#context = context;
    this.#sink = sink;
    this.#holds = holds;
  }

  onLink(link: Link): void {
    this.#view?.stop();
    const view = new View(link, this.#context, this.#holds, this.#past, (event) => {
      if (view === this.#view) this.#tell(event);
    });
    this.#view = view;
    view.start();
  }

  /** The link has ended; another one may be there before anybody has to know, `noticeMs` after the last sign of life. */
  onLoss(error: DiscoveryError, noticeMs: number): void {
    this.#past = this.#view?.stop() ?? this.#past;
    this.#view = null;
    this.#latest = error;
    if (error.code === "PERMISSION_DENIED") return this.#lose(error);
    // One that comes and goes does not begin anew each time.
    if (this.#lost !== null || this.#cancelPatience) return;
    const { clock } = this.#context;
    const passedMs = clock.now() - (this.#past?.heardMs ?? clock.now());
    const tell = (): void => this.#lose(this.#latest ?? error);
    this.#cancelPatience = clock.schedule(Math.max(0, noticeMs - passedMs), tell);
  }

  /** There is no other link yet. @param isCertain - Whether it is known already that there will be none soon. */
  onFailure(error: DiscoveryError, isCertain: boolean): void {
    this.#latest = error;
    if (isCertain) this.#lose(error);
  }

  stop(): void {
    this.#endPatience();
    this.#view?.stop();
    this.#view = null;
  }

  /** Once for each loss, and once more when a server that came back refuses us. */
  #lose(error: DiscoveryError): void {
    this.#endPatience();
    if (this.#lost !== null && (this.#lost === error.code || error.code !== "PERMISSION_DENIED")) return;
    this.#lost = error.code;
    this.#sink.push({ kind: "lost", error });
  }

  #endPatience(): void {
    this.#cancelPatience?.();
    this.#cancelPatience = null;
  }

  #tell(event: EngineEvent): void {
    if (event.kind === "lost") return this.#lose(event.error);
    if (event.kind === "snapshot") {
      this.#endPatience();
      this.#lost = null;
      this.#past = null;
    }
    this.#sink.push(event);
  }
}
