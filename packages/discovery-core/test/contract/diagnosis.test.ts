import { expect, test } from "vitest";
import { checker } from "../../src/authors.ts";

const say = checker("bus", { "line-cut": ["fail", "The line is cut."] }, "office");

test("a check has the code and the verdict that its plug-in declares for the word", () => {
  expect(say("line-cut", { message: "cut at eth0", interface: "eth0", fix: "fix it" })).toEqual({
    code: "bus/line-cut",
    verdict: "fail",
    transport: "office",
    interface: "eth0",
    message: "cut at eth0",
    fix: "fix it",
  });
});

test("a shared code has its own verdict, and is of no interface unless told so", () => {
  expect(say("NOTHING_TO_CHECK", { message: "nothing" })).toEqual({
    code: "NOTHING_TO_CHECK",
    verdict: "skip",
    transport: "office",
    interface: null,
    message: "nothing",
    fix: null,
  });
});
