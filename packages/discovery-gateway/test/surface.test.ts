import { createHash } from "node:crypto";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, test } from "vitest";
import type { DoctorDocument } from "../src/document.ts";
import type { Endpoint } from "./endpoint.ts";
import { ask, chat, site } from "./site.ts";

const lan = site();
const hourMs = 3_600_000;
const sound: DoctorDocument = { formatVersion: "1.1", verdict: "ok", durationMs: 7, checks: [] };

/** Announcement of a hostile host. */
const hostile = `<img src=x onerror=alert(1)>"\\\n\u001b[31m\u202e${"x".repeat(10_000)}`;

async function get({ send }: Endpoint, path: string): Promise<string> {
  const { status, body } = await send({ path });
  expect(status).toBe(200);
  return body;
}

async function metrics(endpoint: Endpoint): Promise<readonly string[]> {
  return (await get(endpoint, "/metrics")).split("\n");
}

describe("/lmserv/nodes", () => {
  test("is the document of the list", async () => {
    await lan.near.list({ id: "box", port: 1, info: "upstairs" });
    const { send } = await lan.open();
    const { headers, body } = await send({ path: "/lmserv/nodes" });
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
    });
    const document = JSON.parse(body);
    expect(document).toMatchObject({ formatVersion: "1.1", complete: false, warnings: [] });
    expect(document.nodes).toMatchObject([
      { id: "box", info: "upstairs", sources: [{ transport: "list", expiresAt: expect.any(String) }] },
    ]);
    const again = await send({ path: "/lmserv/nodes", headers: { "if-none-match": String(headers.etag) } });
    expect(again).toMatchObject({ status: 304, body: "" });
  });

  test("takes no POST", async () => {
    const { send } = await lan.open();
    const { status, headers } = await send({ method: "POST", path: "/lmserv/nodes", body: "{}" });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });
});

describe("an endpoint", () => {
  test("is ready once every transport has looked round, until it ends", async () => {
    const { send, gateway } = await lan.open();
    expect(await send({ path: "/readyz" })).toMatchObject({
      status: 503,
      body: "the first look is not over: list",
    });
    lan.near.settle();
    await lan.near.list({ id: "box", port: 1 });
    expect(await send({ path: "/readyz" })).toMatchObject({ status: 200, body: "ready" });
    gateway.drain();
    expect(await send({ path: "/readyz" })).toMatchObject({ status: 503, body: "it is ending" });
    expect(await send({ path: "/livez" })).toMatchObject({ status: 200 });
  });

  test("shows nothing without its key but that it lives", async () => {
    const { send } = await lan.open({ key: "secret" });
    const headers = { authorization: `Basic ${Buffer.from("any:secret").toString("base64")}` };
    const paths = [
      "/",
      "/readyz",
      "/metrics",
      "/lmserv/nodes",
      "/lmserv/events",
      "/lmserv/targets",
      "/lmserv/traffic",
      "/lmserv/doctor",
    ];
    for (const path of paths) expect(await send({ path }), path).toMatchObject({ status: 401 });
    expect(await send({ path: "/livez" })).toMatchObject({ status: 200 });
    expect(await send({ path: "/lmserv/nodes", headers })).toMatchObject({ status: 200 });
  });
});

describe("/lmserv/doctor", () => {
  test("has what was found, and how old that is", async () => {
    const clock = new VirtualClock();
    let times = 0;
    const examine = async (): Promise<DoctorDocument> => ({ ...sound, durationMs: ++times });
    const { send } = await lan.open({ clock, examine });
    const first = await send({ path: "/lmserv/doctor" });
    expect(JSON.parse(first.body)).toEqual({ ...sound, durationMs: 1 });
    expect(first.headers).toMatchObject({ age: "0", "cache-control": "no-store" });
    await clock.advance(59_999);
    const second = await send({ path: "/lmserv/doctor" });
    expect([second.body, second.headers.age]).toEqual([first.body, "59"]);
    await clock.advance(1);
    expect(JSON.parse((await send({ path: "/lmserv/doctor" })).body).durationMs).toBe(2);
  });

  test("says why there is none", async () => {
    const examine = (): Promise<never> => Promise.reject(new Error("no plug-in"));
    const { send } = await lan.open({ examine });
    const failed = await send({ path: "/lmserv/doctor" });
    expect([failed.status, JSON.parse(failed.body).error.message]).toEqual([503, "no plug-in"]);
    expect(await (await lan.open()).send({ path: "/lmserv/doctor" })).toMatchObject({ status: 404 });
  });

  test.each([{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }])(
    "examines nothing for a page of another site, with %j",
    async (headers) => {
      let times = 0;
      const examine = async (): Promise<DoctorDocument> => ({ ...sound, durationMs: ++times });
      const { send } = await lan.open({ examine });
      expect(await send({ path: "/lmserv/doctor", headers })).toMatchObject({ status: 403 });
      expect(times).toBe(0);
    },
  );
});

describe("/lmserv/targets", () => {
  test("names servers with metrics once the first look is over", async () => {
    const { send } = await lan.open();
    await lan.near.list({ id: "box", port: 8_000 });
    expect(await send({ path: "/lmserv/targets" })).toMatchObject({ status: 503 });
    lan.near.settle();
    await lan.near.list({ id: "other", port: 8_001, server: "ollama" });
    const { status, body } = await send({ path: "/lmserv/targets" });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual([
      {
        targets: ["127.0.0.1:8000"],
        labels: {
          __scheme__: "http",
          __metrics_path__: "/metrics",
          __meta_lmserv_id: "box",
          __meta_lmserv_server: "vllm",
          __meta_lmserv_info: "",
          __meta_lmserv_hostname: "",
        },
      },
    ]);
  });
});

describe("/metrics", () => {
  test("count nodes by state, changes and requests", async () => {
    const endpoint = await lan.before(await lan.serve(), { version: "1.2.3" });
    await lan.near.check("box", "busy");
    await ask(endpoint);
    await endpoint.send({ method: "POST", path: chat, body: '{"model":"nope"}' });
    const lines = await metrics(endpoint);
    for (const line of [
      'lmserv_build_info{version="1.2.3"} 1',
      'lmserv_transport_up{transport="list"} 1',
      'lmserv_nodes{state="busy"} 1',
      'lmserv_nodes{state="silent"} 0',
      'lmserv_node_up{id="box",server="vllm"} 1',
      'lmserv_changes_total{kind="up",reason=""} 1',
      'lmserv_gateway_requests_total{node="box",code="200"} 1',
      'lmserv_gateway_requests_total{node="",code="404"} 1',
      'lmserv_gateway_time_to_first_byte_seconds_bucket{le="600"} 1',
      "lmserv_gateway_time_to_first_byte_seconds_count 1",
      'lmserv_gateway_in_flight{node="box"} 0',
    ]) {
      expect(lines).toContain(line);
    }
    const { nodes, refused } = JSON.parse(await get(endpoint, "/lmserv/traffic"));
    expect(refused).toBe(1);
    expect(nodes).toEqual([{ id: "box", requests: 1, inFlight: 0, firstByteMs: expect.any(Number) }]);
  });

  test("say for an hour that a node went, and then nothing", async () => {
    const clock = new VirtualClock();
    const endpoint = await lan.before(await lan.serve(), { clock });
    await lan.near.lose("box", "goodbye");
    const down = 'lmserv_node_up{id="box",server="vllm"} 0';
    expect(await metrics(endpoint)).toContain(down);
    await clock.advance(hourMs - 1);
    expect(await metrics(endpoint)).toContain(down);
    await clock.advance(1);
    expect((await metrics(endpoint)).join()).not.toContain("box");
  });

  test("keep a thousand nodes that went, those that went last", async () => {
    const clock = new VirtualClock();
    const endpoint = await lan.open({ clock });
    for (let index = 0; index < 1_001; index += 1) {
      await lan.near.list({ id: `n${index}.`, port: 1 + index });
      await lan.near.lose(`n${index}.`, "goodbye");
    }
    const gone = (await metrics(endpoint)).filter((line) => line.startsWith("lmserv_node_up{"));
    expect(gone).toHaveLength(1_000);
    expect(gone.join()).not.toContain("n0.");
    expect(gone.join()).toContain("n1000.");
  });

  test("escape and cut what strangers announce", async () => {
    const endpoint = await lan.open();
    await lan.near.list({ id: "box", port: 1, info: hostile });
    const lines = await metrics(endpoint);
    const line = lines.find((text) => text.startsWith("lmserv_node_info{")) ?? "";
    expect(line).toMatch(
      /^lmserv_node_info\{id="box",server="vllm",info="<img src=x onerror=alert\(1\)>\\"\\\\\ufffd/,
    );
    expect(line).toMatch(/url="http:\/\/127\.0\.0\.1:1"\} 1$/);
    expect(line.length).toBeLessThan(600);
    expect(line).not.toContain("\u001b");
    expect(line).not.toContain("\u202e");
  });
});

describe("the root", () => {
  const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

  test("greets clients of Ollama, and shows browsers the page", async () => {
    const { send } = await lan.open();
    expect(await send({ path: "/" })).toMatchObject({ status: 200, body: "Ollama is running" });
    const { headers, body } = await send({ path: "/", headers: html });
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(body).toMatch(/^<!doctype html>/);
  });

  test("is a page whose policy allows its own script and style only", async () => {
    const { send } = await lan.open();
    const { headers, body } = await send({ path: "/", headers: html });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    for (const element of ["script", "style"]) {
      const [, content = ""] = body.split(new RegExp(`<${element}[^>]*>|</${element}>`));
      const hash = createHash("sha256").update(content).digest("base64");
      expect(policy).toContain(`${element}-src 'sha256-${hash}'`);
    }
    expect(body).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bon[a-z]+="|https?:\/\/(?!127|localhost)/,
    );
  });
});
