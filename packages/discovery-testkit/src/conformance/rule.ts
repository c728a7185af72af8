import type { Capabilities, Fixture } from "./fixture.ts";
import { Stage } from "./stage.ts";

/** Something that every transport must do, and that a broken one can be caught at not doing. */
export interface TransportRule {
  /** Short and stable: what `skip` names. */
  readonly id: string;
  readonly title: string;
  /** Whether it is about transports that can do this; it says nothing of others. */
  readonly applies: (capabilities: Capabilities) => boolean;
  /** Rejects when the transport breaks the rule; uses up the fixture, but does not dispose it. */
  run(fixture: Fixture, capabilities: Capabilities): Promise<void>;
}

/** Makes a rule of what happens on its stage. */
export function rule(
  id: string,
  title: string,
  play: (stage: Stage) => Promise<void>,
  applies: TransportRule["applies"] = () => true,
): TransportRule {
  return {
    id,
    title,
    applies,
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
