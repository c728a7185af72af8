import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { check, checkCodes, verdictOf } from "../src/index.ts";

test("`docs/doctor.md` has a heading for each code, in order and with its verdict, and no other", () => {
  const page = readFileSync(new URL("../../../docs/doctor.md", import.meta.url), "utf8");
  const sections = [...page.matchAll(/^## `(.+)`\n\nVerdict: (\w+)\. /gm)].map(([, code, verdict]) => [
    code,
    verdict,
  ]);
  expect(sections).toEqual(checkCodes.map((code) => [code, verdictOf(code)]));
  expect(page.match(/^## /gm)).toHaveLength(checkCodes.length);
});

test("a check has the verdict of its code, and is of nothing in particular unless told so", () => {
  expect(check("PORT_TAKEN", { message: "held" })).toEqual({
    code: "PORT_TAKEN",
    verdict: "fail",
    transport: null,
    interface: null,
    message: "held",
    mend: null,
  });
  const finding = { message: "heard", transport: "mdns", interface: "eth0", mend: "none" };
  expect(check("MULTICAST_HEARD", finding)).toEqual({ code: "MULTICAST_HEARD", verdict: "ok", ...finding });
});
