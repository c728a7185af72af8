import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Host } from "@lmserv/test-netlab";

const program = fileURLToPath(new URL("./page-reader.mjs", import.meta.url));
/** Pictures of the page, for people to look at. */
const pictures = fileURLToPath(new URL("../node_modules/.cache/page/", import.meta.url));

/** The page of an endpoint, in Chromium on the same host. */
export interface ShownPage {
  /** Resolves when it has gone on to show these models, one text a server. */
  readonly shows: (...servers: readonly string[]) => Promise<void>;
  readonly judge: () => Promise<PageJudgement>;
}

/** Faults of a page, of which a picture was taken. */
export interface PageJudgement {
  /** Rules of axe. */
  readonly violations: readonly string[];
  /** Output of the browser. */
  readonly complaints: readonly string[];
  /** Pixels that it needs in width. */
  readonly width: number;
}

/** Opens a page that is so many pixels wide. */
export async function openPage(host: Host, url: string, width: number): Promise<ShownPage> {
  await mkdir(pictures, { recursive: true });
  const reader = await host.spawn([process.execPath, program, url, `${width}`]);
  let from = 0;
  return {
    async shows(...servers) {
      const wanted = JSON.stringify({ event: "shown", servers });
      await reader.line(
        (line, index) => {
          from = index + 1;
          return line === wanted;
        },
        { from },
      );
    },
    async judge() {
      reader.stdin.write(`judge ${pictures}up-${width}.png\n`);
      const line = await reader.line((text) => JSON.parse(text).event === "judged");
      const { violations, width: needed } = JSON.parse(line);
      const complaints = reader.lines.filter((text) => JSON.parse(text).event === "complaint");
      return { violations, complaints, width: needed };
    },
  };
}
