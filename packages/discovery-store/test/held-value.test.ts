import { expect, test } from "vitest";
import { HeldValue } from "../src/index.ts";

const { signal } = new AbortController();

test("a value is waited for until the store has it, or one that was wanted later", async () => {
  const value = new HeldValue("a");
  const first = value.whenKept({ signal });
  value.change("b");
  const second = value.whenKept({ signal });
  expect({ text: value.text, isKept: value.isKept, wasKept: value.wasKept }).toEqual({
    text: "b",
    isKept: false,
    wasKept: false,
  });
  value.keep(1);
  await first;
  expect({ isKept: value.isKept, wasKept: value.wasKept }).toEqual({ isKept: false, wasKept: true });
  value.keep(value.version);
  await second;
  expect(value.isKept).toBe(true);
});

test("an abort ends one wait alone", async () => {
  const value = new HeldValue("a");
  const ending = new AbortController();
  const [ended, going] = [value.whenKept(ending), value.whenKept({ signal })];
  ending.abort("enough");
  await expect(ended).rejects.toBe("enough");
  value.keep(1);
  await going;
});

test("a value that failed is waited for by nobody, also afterwards", async () => {
  const value = new HeldValue("a");
  const waiting = value.whenKept({ signal });
  value.fail("lost");
  value.fail("closed");
  await expect(waiting).rejects.toBe("lost");
  value.change("b");
  await expect(value.whenKept({ signal })).rejects.toBe("lost");
});
