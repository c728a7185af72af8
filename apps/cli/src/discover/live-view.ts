import type { DiscoveryError, NodeInfo, RegistryChange, TransportStatus } from "@lmserv/discovery-core";
import type { Io } from "../io/io.ts";
import type { SearchRequest } from "../options/request.ts";
import { cutMiddle } from "../output/cells.ts";
import { eventText } from "../output/change-line.ts";
import { describeFailure } from "../output/failure.ts";
import type { Reporter } from "../output/reporter.ts";
import { tableLines } from "../output/table.ts";
import { hasColor, lineWidth } from "../output/terminal.ts";
import { describeStatus, type WatchView } from "./watch-view.ts";

/** Interval of frames in ms: one frame shows a burst of changes, as at the start. */
const frameMs = 50;
/** Ages are shown in seconds. */
const tickMs = 1_000;
const maxEvents = 5;
const usualRows = 24;

/** The list as a table that is repainted in its place, with the latest events below it. */
export class LiveView implements WatchView {
  readonly #request: SearchRequest;
  readonly #io: Io;
  readonly #reporter: Reporter;
  /** Bounded by the registry. */
  readonly #nodes = new Map<string, NodeInfo>();
  #events: readonly string[] = [];
  /** Lines of the frame that is on the screen. */
  #painted = 0;
  #cancel = (): void => {};
  #isSoon = false;

  constructor(request: SearchRequest, io: Io, reporter: Reporter) {
    this.#request = request;
    this.#io = io;
    this.#reporter = reporter;
  }

  readonly begin = (): void => {
    this.#io.stdout.on("resize", this.#onResize);
    this.#paint();
  };

  readonly change = (change: RegistryChange): boolean => {
    if (change.kind === "down") this.#nodes.delete(change.node.id);
    else this.#nodes.set(change.node.id, change.node);
    this.#tell(eventText(change, this.#request.check));
    return !this.#io.stdout.writableNeedDrain;
  };

  readonly warn = (warning: DiscoveryError): void => {
    this.#io.stdout.write(this.#erasure());
    this.#reporter.warn(describeFailure(warning));
    this.#paint();
  };

  readonly transport = (status: TransportStatus): void => this.#tell(describeStatus(status));

  /** Leaves the last frame on the screen. */
  readonly end = (): void => {
    this.#io.stdout.off("resize", this.#onResize);
    this.#paint();
    this.#cancel();
  };

  #tell(event: string): void {
    this.#events = [...this.#events, `${this.#time()}  ${event}`].slice(-maxEvents);
    if (this.#isSoon) return;
    this.#isSoon = true;
    this.#paintIn(frameMs);
  }

  #paintIn(ms: number): void {
    this.#cancel();
    this.#cancel = this.#io.clock.schedule(ms, () => this.#paint());
  }

  #paint(): void {
    this.#isSoon = false;
    const { stdout } = this.#io;
    // A terminal that does not keep up misses frames, and no state.
    if (!stdout.writableNeedDrain) {
      const lines = this.#frame();
      stdout.write(`${this.#erasure()}${lines.join("\n")}\n`);
      this.#painted = lines.length;
    }
    this.#paintIn(tickMs);
  }

  /** Sequence that erases the frame. */
  #erasure(): string {
    const lines = this.#painted;
    this.#painted = 0;
    return lines === 0 ? "" : `\r\u001b[${lines}A\u001b[J`;
  }

  /** The terminal has rewrapped the lines, so that the start of the frame is unknown. */
  readonly #onResize = (): void => {
    this.#painted = 0;
    this.#io.stdout.write("\u001b[H\u001b[2J");
    this.#paint();
  };

  /** As many lines as the screen holds above the cursor. */
  #frame(): readonly string[] {
    const { stdout, env, clock } = this.#io;
    const { check: states, verbose } = this.#request;
    const width = lineWidth(stdout) ?? 0;
    const count = this.#nodes.size;
    const servers = count === 1 ? "1 LLM server" : `${count} LLM servers`;
    const title = cutMiddle(`${servers} at ${this.#time()}; stop with Ctrl-C`, width);
    const events = this.#events.map((event) => cutMiddle(event, width));
    const below = events.length > 0 ? ["", ...events] : [];
    const room = Math.max(2, (stdout.rows || usualRows) - 2 - below.length);
    const options = { color: hasColor(stdout, env), states, verbose, width, wallMs: clock.wall() };
    const table = count === 0 ? [] : tableLines([...this.#nodes.values()], options);
    const shown = table.length <= room ? table : table.slice(0, room - 1);
    const hidden = table.length - shown.length;
    const more = hidden > 0 ? [cutMiddle(`and ${hidden} more; --json has them all`, width)] : [];
    return [title, ...shown, ...more, ...below];
  }

  /** Wall clock time such as `14:02:11`. */
  #time(): string {
    return new Date(this.#io.clock.wall()).toTimeString().slice(0, 8);
  }
}
