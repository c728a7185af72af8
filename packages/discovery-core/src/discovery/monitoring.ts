import type { HealthContext, HealthMonitor } from "../contract/health-monitor.ts";
import type { Registry } from "../registry/registry.ts";
import { onAbort } from "../streams/abort-listener.ts";
import type { Feed } from "./feed.ts";

export interface MonitoringOptions extends Pick<HealthContext, "clock" | "random" | "log"> {
  readonly registry: Registry;
  readonly feed: Feed;
  readonly closed: AbortSignal;
}

/** Runs a health monitor from the first use of the registry until the discovery is closed. */
export function monitor(checks: HealthMonitor, options: MonitoringOptions): void {
  const { registry, feed, closed, ...context } = options;
  feed.onStart(() => {
    const stop = checks.start({
      ...context,
      follow(onChange) {
        for (const node of registry.listAlive()) onChange({ kind: "up", node });
        return feed.subscribe(onChange);
      },
      report: (id, report) => feed.assess(id, report),
      reconfirm: (id) => feed.ask(registry.get(id)?.sources.map(({ key }) => key) ?? [], closed),
    });
    onAbort(closed, stop);
  });
}
