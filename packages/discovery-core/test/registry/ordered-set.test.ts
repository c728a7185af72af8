import fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedSet } from "../../src/registry/ordered-set.ts";

const act = fc.record({
  does: fc.constantFrom("add", "delete", "latest"),
  member: fc.integer({ min: 0, max: 6 }).map(String),
});

test("is a set whose latest member is the last that came", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const members = new OrderedSet();
      const set = new Set<string>();
      for (const { does, member } of acts) {
        if (does === "add") {
          members.add(member);
          set.add(member);
        } else if (does === "delete") expect(members.delete(member)).toBe(set.delete(member));
        else expect(members.latest()).toBe([...set].at(-1) ?? null);
        expect(members.size).toBe(set.size);
      }
      expect(members.latest()).toBe([...set].at(-1) ?? null);
    }),
  );
});
