import { describe, expect, test } from "vitest";
import { readPackages } from "../workspace.mjs";
import { wrongArrows } from "./layers.mjs";

test("the packages keep to the arrows", () => {
  expect(wrongArrows(readPackages())).toEqual([]);
});

describe("arrows", () => {
  const packageOf = (folder, ...used) => ({
    name: folder,
    folder,
    manifest: { dependencies: Object.fromEntries(used.map((name) => [name, "workspace:^"])) },
  });
  const core = packageOf("packages/discovery-core");
  const fingerprint = packageOf("packages/discovery-fingerprint", core.name);
  const mdns = packageOf("packages/discovery-mdns", core.name, "multicast-dns");
  const config = packageOf("packages/discovery-config", core.name, mdns.name);
  const testkit = packageOf("packages/discovery-testkit", core.name);
  const cli = packageOf("apps/cli", config.name, mdns.name, core.name);
  const store = packageOf("packages/discovery-store", core.name, fingerprint.name);
  const etcd = packageOf("packages/discovery-etcd", core.name, store.name);
  const good = [core, fingerprint, mdns, store, etcd, config, testkit, cli];

  test("downwards is allowed", () => {
    expect(wrongArrows(good)).toEqual([]);
  });

  test.each([
    ["a core that uses anything", packageOf("packages/discovery-core", "ws")],
    ["a transport that uses another", packageOf("packages/discovery-mesh", mdns.name)],
    ["a transport that uses the configuration", packageOf("packages/discovery-mesh", config.name)],
    ["a package that ships the test kit", packageOf("packages/discovery-mesh", testkit.name)],
    ["what engines share that uses one of them", packageOf("packages/discovery-store", etcd.name)],
    ["a test kit that uses a transport", packageOf("packages/discovery-testkit", mdns.name)],
    ["identification that uses a transport", packageOf("packages/discovery-fingerprint", mdns.name)],
    ["a package that uses an app", packageOf("packages/discovery-config", cli.name)],
  ])("%s is found", (_, wrong) => {
    const others = good.filter(({ name }) => name !== wrong.name);
    expect(wrongArrows([...others, wrong])).toHaveLength(1);
  });

  test("what is optional, or has to be there already, counts as well", () => {
    const wrong = (kind) => ({
      ...packageOf("packages/discovery-arp"),
      manifest: { [kind]: { [mdns.name]: "*" } },
    });
    const found = ["optionalDependencies", "peerDependencies"].map((kind) =>
      wrongArrows([...good, wrong(kind)]),
    );
    expect(found.map((lines) => lines.length)).toEqual([1, 1]);
  });
});
