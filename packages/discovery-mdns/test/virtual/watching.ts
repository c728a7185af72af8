import type { RegistryChange } from "@lmserv/discovery-core";
import { discoveryOn } from "./service.ts";
import type { Stage } from "./stage.ts";

export interface Watching {
  /** Changes so far. */
  readonly changes: () => readonly RegistryChange[];
  /** Resolves with the first past or future change that fits. */
  readonly change: (fits: (change: RegistryChange) => boolean) => Promise<RegistryChange>;
}

export async function watching(stage: Stage): Promise<Watching> {
  const discovery = await discoveryOn(stage, stage.host);
  const changes: RegistryChange[] = [];
  collect(discovery.watch(), changes);
  return {
    changes: () => changes,
    async change(fits) {
      await stage.playback.wait(() => changes.some(fits));
      const found = changes.find(fits);
      if (!found) throw new Error(`nothing that fits changed: ${JSON.stringify(changes)}`);
      return found;
    },
  };
}

async function collect(watch: AsyncIterable<RegistryChange>, changes: RegistryChange[]): Promise<void> {
  for await (const change of watch) changes.push(change);
}
