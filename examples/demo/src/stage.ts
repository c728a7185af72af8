import type { Discovery, NodeInfo } from "@lmserv/discovery-core";
import type { ChatFleet } from "./chat-fleet.ts";

/** State that the stage shows. */
export interface Scene {
  /** Those of the fleet that are listed. */
  readonly nodes: readonly NodeInfo[];
  /** Answer of a server so far; empty before the question. */
  readonly answer: string;
  readonly status: string;
  /** Faults that did not stop discovery. */
  readonly warnings: readonly string[];
}

/** Shows what a discovery knows of a fleet, whenever that changes; others on the same link are left out. */
export class Stage {
  readonly #discovery: Discovery;
  readonly #fleet: ChatFleet;
  readonly #show: (scene: Scene) => void;
  #scene: Scene = { nodes: [], answer: "", status: "", warnings: [] };

  constructor(discovery: Discovery, fleet: ChatFleet, show: (scene: Scene) => void) {
    this.#discovery = discovery;
    this.#fleet = fleet;
    this.#show = show;
  }

  /** Shows something new, with the nodes that are listed now. */
  update(change: Partial<Scene> = {}): Scene {
    const { registry, warnings } = this.#discovery;
    const nodes = registry.listAlive().filter(({ id }) => this.#fleet.servers.has(id));
    this.#scene = { ...this.#scene, ...change, nodes, warnings: warnings.map(({ message }) => message) };
    this.#show(this.#scene);
    return this.#scene;
  }

  /** Shows every change; resolves with whether the scene came to be as wanted before `signal` aborted. */
  async until(isWanted: (scene: Scene) => boolean, signal: AbortSignal): Promise<boolean> {
    if (isWanted(this.update())) return true;
    try {
      for await (const _change of this.#discovery.watch({ signal })) {
        if (isWanted(this.update())) return true;
      }
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
    return false;
  }
}
