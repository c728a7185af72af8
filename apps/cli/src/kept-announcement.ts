import type { Announced, Discovery, StandingAnnouncement } from "@lmserv/discovery-core";
import type { DocumentServer } from "./document-server.ts";
import { describeFailure, failuresOf } from "./failure.ts";
import { close } from "./opening.ts";
import type { Reporter } from "./reporter.ts";
import type { AnsweringAddresses } from "./server-watch.ts";

/** What is announced of a server that answers there: nothing is announced without a word on where. */
export type AnnouncedAt = (at: AnsweringAddresses) => Announced;

export interface KeptAnnouncementOptions {
  readonly discovery: Discovery;
  readonly documents: DocumentServer | null;
  readonly announcedAt: AnnouncedAt;
  /** What is announced and where, for people, as of now. */
  readonly where: () => string;
  readonly reporter: Reporter;
}

/** The announcement of one server: made, changed and withdrawn as the server comes, moves and goes. */
export class KeptAnnouncement implements AsyncDisposable {
  readonly #options: KeptAnnouncementOptions;
  #standing: StandingAnnouncement | null = null;

  constructor(options: KeptAnnouncementOptions) {
    this.#options = options;
  }

  /** Announces the server at these addresses, or changes the announcement that stands. */
  async announce(at: AnsweringAddresses, signal: AbortSignal): Promise<void> {
    const { discovery, documents, announcedAt, where, reporter } = this.#options;
    if (this.#standing) return this.#move(this.#standing, at, signal);
    await documents?.start();
    this.#standing = await discovery.announce(announcedAt(at), { signal });
    reporter.note(`announced ${where()}`);
  }

  /** A transport that cannot say it now says it when it is open again. */
  async #move(standing: StandingAnnouncement, at: AnsweringAddresses, signal: AbortSignal): Promise<void> {
    const { announcedAt, where, reporter } = this.#options;
    const { addresses } = announcedAt(at);
    try {
      await standing.update({ ...(addresses && { addresses }) }, { signal });
      reporter.note(`announced ${where()}, at ${addresses?.join(", ")} from now on`);
    } catch (error) {
      signal.throwIfAborted();
      for (const failure of failuresOf(error)) reporter.warn(describeFailure(failure));
    }
  }

  /**
   * Says goodbye, or that there is nothing to announce.
   *
   * @param shown - What the port shows in place of a server.
   */
  async withdraw(shown: string): Promise<void> {
    const { documents, announcedAt, reporter } = this.#options;
    const { port } = announcedAt("unknown");
    if (!this.#standing) reporter.note(`waiting until a server answers on port ${port}: ${shown}`);
    await documents?.stop();
    await this.#sayGoodbye(`: on port ${port} ${shown}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.documents?.stop();
    await this.#sayGoodbye("");
  }

  async #sayGoodbye(why: string): Promise<void> {
    const standing = this.#standing;
    if (!standing) return;
    const isClosed = await close(standing, this.#options.reporter);
    this.#standing = null;
    if (isClosed) this.#options.reporter.note(`said goodbye${why}`);
  }
}
