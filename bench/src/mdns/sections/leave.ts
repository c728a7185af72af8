import type { Section } from "../../harness/section.ts";
import type { Options } from "../options.ts";
import { measureCrashes } from "./crash.ts";
import { measureGoodbyes } from "./goodbye.ts";

/** A goodbye takes a few seconds to arrange; a quarter as many do. */
const share = 4;

export const leave: Section<Options> = {
  name: "leave",
  measures: "goodbye -> down and, with --full, SIGKILL -> down",
  quick: true,
  async run({ repeat, full }) {
    const goodbyes = await measureGoodbyes(Math.max(Math.ceil(repeat / share), 1));
    return full ? [goodbyes, await measureCrashes()] : [goodbyes];
  },
};
