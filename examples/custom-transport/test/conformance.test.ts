import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ResolvedAnnouncement, silentLog } from "@lmserv/discovery-core/transport";
import {
  type Fixture,
  hostileFrames,
  seededRandom,
  transportConformance,
  VirtualClock,
} from "@lmserv/discovery-testkit";
import { describe, test } from "vitest";
import { staticHosts } from "../src/index.ts";

const rereadMs = 100;
const maxHosts = 40;
const lineOf = ({ port, info }: ResolvedAnnouncement) => `192.0.2.1 ${port} ${info}\n`;

/** A file, and a clock of its own; a node that appears is a line. */
async function fileFixture(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), "lmserv-static-"));
  const hostsFile = join(folder, "hosts");
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const lines = new Map<number, string>();
  const save = async (): Promise<void> => {
    await writeFile(hostsFile, [...lines.values()].join(""));
    await clock.advance(rereadMs);
  };
  await save();
  return {
    maxNodes: maxHosts,
    transport: () => staticHosts({ hostsFile, rereadMs, maxHosts }),
    context: () => ({ clock, random, log: silentLog, nodes: { listAlive: () => [] }, report: () => {} }),
    async appear(node) {
      lines.set(node.port, lineOf(node));
      await save();
    },
    async disappear({ port }) {
      lines.delete(port);
      await save();
    },
    sent: () => 0,
    advance: (ms) => clock.advance(ms),
    *hostile() {
      const valid = [new TextEncoder().encode(lineOf({ id: "x", port: 8000, info: "stranger" }))];
      const odd = [
        "192.0.2.1 0",
        "192.0.2.1 65536 x",
        "example.com 80",
        `192.0.2.1 80 ${"x".repeat(251)}`,
        "::1 80",
      ];
      const frames = [...odd.map((line) => new TextEncoder().encode(line)), ...hostileFrames(valid, random)];
      for (const frame of frames) {
        yield async () => {
          await writeFile(hostsFile, frame);
          await clock.advance(rereadMs);
        };
      }
    },
    fail: () => rm(hostsFile),
    restore: save,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe("the transport of a file of hosts", () => {
  transportConformance(test, {
    create: fileFixture,
    announces: false,
    reconfirms: false,
    skip: { cold: "it sends nothing at all" },
  });
});
