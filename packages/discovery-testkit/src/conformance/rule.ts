import type { Capabilities, Fixture } from "./fixture.ts";
import { Stage } from "./stage.ts";

/** Requirement of every transport, which a broken transport visibly violates. */
export interface TransportRule {
  /** Short and stable name for `skip`. */
  readonly id: string;
  readonly title: string;
  /** Returns true if the rule concerns transports with these capabilities. */
  readonly applies: (capabilities: Capabilities) => boolean;
  /** Rejects when the transport breaks the rule; uses up the fixture, but does not dispose it. */
  run(fixture: Fixture, capabilities: Capabilities): Promise<void>;
}

/** Makes a rule of actions on a stage. */
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
