import {
  formatVersion,
  nodeDocument,
  toJsonLine,
  type WatchLine,
  warningDocument,
} from "@lmserv/discovery-gateway/document";
import type { Io } from "../io/io.ts";
import type { SearchRequest } from "../options/request.ts";
import { formatChange } from "../output/change-line.ts";
import { describeFailure } from "../output/failure.ts";
import type { Reporter } from "../output/reporter.ts";
import { hasColor } from "../output/terminal.ts";
import { describeStatus, type WatchView } from "./watch-view.ts";

/** A line of JSON for each change. */
export function jsonView({ stdout }: Io): WatchView {
  const write = (line: WatchLine): void => {
    // A slow reader loses warnings, so that they cannot pile up; it loses no change.
    if (!stdout.writableNeedDrain) stdout.write(toJsonLine(line));
  };
  return {
    begin: () => write({ type: "version", formatVersion }),
    warn: (warning) => write({ type: "warning", ...warningDocument(warning) }),
    transport: ({ name: transport, lost }) => {
      if (lost) write({ type: "lost", ...warningDocument(lost), transport });
      else write({ type: "recovered", transport });
    },
    change: (change) => {
      const node = nodeDocument(change.node);
      if (change.kind === "down")
        return stdout.write(toJsonLine({ type: "down", reason: change.reason, node }));
      return stdout.write(toJsonLine({ type: change.kind, node }));
    },
    end: () => {},
  };
}

/** A line of text for each change, with the time and the count of listed servers. */
export function textView({ stdout, env, clock }: Io, request: SearchRequest, reporter: Reporter): WatchView {
  const { verbose, check: states } = request;
  const color = hasColor(stdout, env);
  const listed = new Set<string>();
  return {
    begin: () => reporter.note("watching for LLM servers; stop with Ctrl-C"),
    change: (change) => {
      if (change.kind === "down") listed.delete(change.node.id);
      else listed.add(change.node.id);
      const time = new Date(clock.wall()).toISOString();
      return stdout.write(`${time}  ${formatChange(change, { color, states, verbose })}  (${listed.size})\n`);
    },
    transport: (status) => reporter.note(describeStatus(status)),
    warn: (warning) => {
      // The log holds it already.
      if (!verbose) reporter.warn(describeFailure(warning));
    },
    end: () => {},
  };
}
