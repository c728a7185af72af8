import fc from "fast-check";
import { expect, test } from "vitest";
import { Pile } from "../src/pile.ts";

const act = fc.record({
  does: fc.constantFrom("add", "delete", "latest"),
  member: fc.integer({ min: 0, max: 6 }).map(String),
});

test("is a set whose latest member is the last that came", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const pile = new Pile();
      const set = new Set<string>();
      for (const { does, member } of acts) {
        if (does === "add") {
          pile.add(member);
          set.add(member);
        } else if (does === "delete") expect(pile.delete(member)).toBe(set.delete(member));
        else expect(pile.latest()).toBe([...set].at(-1) ?? null);
        expect(pile.size).toBe(set.size);
      }
      expect(pile.latest()).toBe([...set].at(-1) ?? null);
    }),
  );
});
