import type { Capabilities, Fixture } from "./fixture.ts";
import { Stage } from "./stage.ts";

/** Something that every transport must do, and that a broken one can be caught at not doing. */
export interface TransportRule {
  /** Short and stable: what `skip` names. */
  readonly id: string;
  readonly title: string;
  /** Which capability it is about; it says nothing of transports that declare not to have it. */
  readonly needs: keyof Capabilities | null;
  /** Rejects when the transport breaks the rule; uses up the fixture, but does not dispose it. */
  run(fixture: Fixture, capabilities: Capabilities): Promise<void>;
}

/** Makes a rule of what happens on its stage. */
export function rule(
  id: string,
  title: string,
  play: (stage: Stage) => Promise<void>,
  needs: keyof Capabilities | null = null,
): TransportRule {
  return {
    id,
    title,
    needs,
    async run(fixture, capabilities) {
      const stage = new Stage(fixture, capabilities);
      try {
        await play(stage);
      } finally {
        await stage.clear();
      }
    },
  };
}
