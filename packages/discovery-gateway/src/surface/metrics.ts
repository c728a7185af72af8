import type { Picker } from "@lmserv/discovery-client";
import type {
  Discovery,
  DownReason,
  HealthState,
  NodeInfo,
  RegistryChange,
  TransportStatus,
} from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";
import type { Metric, Sample } from "./exposition.ts";
import { GoneNodes } from "./gone-nodes.ts";
import { Traffic } from "./traffic.ts";

export interface MetricsOptions {
  readonly discovery: Pick<Discovery, "registry" | "transports">;
  readonly picker: Pick<Picker, "loadOf">;
  readonly clock: Clock;
  /** Version of the program. */
  readonly version: string;
}

const states: readonly (HealthState | "unknown")[] = [
  "healthy",
  "busy",
  "loading",
  "auth",
  "silent",
  "unknown",
];
type Change = Exclude<RegistryChange["kind"], "down"> | DownReason;

/** Names and meanings of all metrics are in the README. */
export class Metrics {
  readonly traffic: Traffic = new Traffic();
  readonly #options: MetricsOptions;
  readonly #gone: GoneNodes;
  readonly #changes = new Map<Change, number>();

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#gone = new GoneNodes(options.clock, (id) => this.traffic.forget(id));
  }

  /** Takes a change of the list. */
  take(change: RegistryChange): void {
    const { kind, node } = change;
    const name = kind === "down" ? change.reason : kind;
    this.#changes.set(name, (this.#changes.get(name) ?? 0) + 1);
    if (kind === "down") this.#gone.add(node);
    else this.#gone.delete(node.id);
  }

  collect(): readonly Metric[] {
    const { discovery, version } = this.#options;
    const nodes = discovery.registry.listAlive();
    return [
      gauge("lmserv_build_info", "Version of lmserv; always 1.", [{ labels: { version }, value: 1 }]),
      gauge(
        "lmserv_transport_up",
        "1 while the transport has a session.",
        discovery.transports.map(transportUp),
      ),
      gauge("lmserv_nodes", "Listed nodes by the state of their last check.", nodesByState(nodes)),
      gauge("lmserv_node_up", "1 while the node is listed and answers; 0 for an hour after it went.", [
        ...nodes.map((node) => ({ labels: labelsOf(node), value: stateOf(node) === "silent" ? 0 : 1 })),
        ...this.#gone.list().map((node) => ({ labels: labelsOf(node), value: 0 })),
      ]),
      gauge("lmserv_node_info", "Names of a listed node; always 1.", nodes.map(nodeInfo)),
      {
        name: "lmserv_changes_total",
        help: "Changes of the list since the start.",
        type: "counter",
        samples: [...this.#changes].map(([name, value]) => ({ labels: changeLabels(name), value })),
      },
      ...this.#forwarding(nodes),
    ];
  }

  #forwarding(nodes: readonly NodeInfo[]): readonly Metric[] {
    const { picker } = this.#options;
    const inFlight = nodes.map((node) => ({
      labels: { node: node.id },
      value: picker.loadOf(node).inFlight,
    }));
    const requests = [...this.traffic.counts()].map(([node, code, value]) => ({
      labels: { node, code: `${code}` },
      value,
    }));
    return [
      {
        name: "lmserv_gateway_requests_total",
        help: "Requests by the node that answered, empty for the endpoint itself, and by status.",
        type: "counter",
        samples: requests,
      },
      {
        name: "lmserv_gateway_time_to_first_byte_seconds",
        help: "Time from the end of a request to the first byte of a node's answer.",
        type: "histogram",
        samples: this.traffic.firstByte.samples(),
      },
      gauge("lmserv_gateway_in_flight", "Requests under way at a node.", inFlight),
    ];
  }
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples };
}

function transportUp({ name, lost }: TransportStatus): Sample {
  return { labels: { transport: name }, value: lost === null ? 1 : 0 };
}

function nodesByState(nodes: readonly NodeInfo[]): readonly Sample[] {
  return states.map((state) => ({
    labels: { state },
    value: nodes.filter((node) => stateOf(node) === state).length,
  }));
}

function stateOf({ health }: NodeInfo): HealthState | "unknown" {
  return health?.state ?? "unknown";
}

function labelsOf({ id, server }: Pick<NodeInfo, "id" | "server">): Readonly<Record<string, string>> {
  return { id, server: server ?? "" };
}

function nodeInfo(node: NodeInfo): Sample {
  const { info, hostname, baseUrl } = node;
  return { labels: { ...labelsOf(node), info, hostname: hostname ?? "", url: baseUrl ?? "" }, value: 1 };
}

function changeLabels(name: Change): Readonly<Record<string, string>> {
  return name === "up" || name === "updated" ? { kind: name, reason: "" } : { kind: "down", reason: name };
}
