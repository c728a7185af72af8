import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { DiscoveryError } from "@lmserv/discovery-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DoctorDocument } from "../src/document.ts";
import { site } from "./site.ts";

const lan = site();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Pictures of the page, for people to look at. */
const pictures = fileURLToPath(new URL("../node_modules/.cache/page/", import.meta.url));

/** Announcement of a hostile host. */
const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>\u202e\u001b[31m${"x".repeat(10_000)}`;

function browserPath(): string | null {
  try {
    return execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
}

const path = browserPath();
/** Set in CI, where a skipped test would be an unseen hole. */
const isRequired = process.env.LMSERV_REQUIRE_PEERS === "1";

describe.runIf(path !== null || isRequired)("the page in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    browser = await chromium.launch({
      executablePath: path ?? "chromium",
      args: ["--no-sandbox"],
      timeout: 0,
    });
  });

  afterAll(() => browser?.close());

  /** Opens the page; notes its complaints, and requests to other hosts. */
  async function open(url: string, complaints: string[], options: object = {}): Promise<Page> {
    const context = await browser.newContext(options);
    lan.keep({ [Symbol.asyncDispose]: () => context.close() });
    // A busy machine is slow; the limit of the test is the only one.
    context.setDefaultTimeout(0);
    const page = await context.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:"))
        complaints.push(request.url());
    });
    await page.goto(url);
    return page;
  }

  test("shows why a node is listed, and follows one that leaves and returns", async () => {
    const { url } = await lan.open();
    await lan.near.list({ id: "box", port: 8_000, info: "gpu-box-01", models: ["llama3", "phi3"] });
    await lan.near.check("box", "healthy", ["phi3"]);
    const complaints: string[] = [];
    const page = await open(url, complaints);
    const name = page.getByRole("heading", { name: "gpu-box-01" });
    await name.waitFor();
    // Uses the keyboard alone.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const card = page.locator("details[open]");
    await card.getByText("list (announced)").waitFor();
    expect(await card.textContent()).toMatch(
      /ready.*llama3, phi3 \(loaded\).*127\.0\.0\.1:8000.*nothing yet/s,
    );
    await page.getByText("1 server: 1 ready").waitFor();
    await lan.near.lose("box", "goodbye");
    await name.waitFor({ state: "detached" });
    await page.getByText("No server yet").waitFor();
    await lan.near.list({ id: "box", port: 8_000, info: "gpu-box-01" });
    await name.waitFor();
    expect(complaints).toEqual([]);
  });

  test("keeps nothing of nodes that came and went", async () => {
    const { url, gateway } = await lan.open();
    await lan.near.list({ id: "box", port: 1, info: "gpu-box-01" });
    const page = await open(url, []);
    /** Elements, once it shows that. */
    const elements = async (text: string): Promise<unknown> => {
      await page.getByText(text).first().waitFor();
      return page.evaluate("document.querySelectorAll('*').length");
    };
    const before = await elements("1 server: 1 not asked yet");
    const lost = new DiscoveryError("TRANSPORT_FAILED", "the cable is out", { via: "mdns" });
    for (let number = 0; number < 100; number += 1) {
      await lan.near.list({ id: `n${number}`, port: 2 + number, info: "guest" });
      const status = { name: "mdns", settled: true, error: null };
      gateway.transportChanged({ ...status, lost });
      gateway.transportChanged({ ...status, lost: null });
      await lan.near.lose(`n${number}`, "goodbye");
    }
    // All before is done once that shows.
    await lan.near.list({ id: "last", port: 2, info: "last" });
    expect(await elements("2 servers: 2 not asked yet")).toBeGreaterThan(Number(before));
    await lan.near.lose("last", "goodbye");
    expect(await elements("1 server: 1 not asked yet")).toBe(before);
  });

  test("does nothing that a stranger writes", async () => {
    const { url } = await lan.open();
    await lan.near.list({ id: "evil", port: 8_000, info: hostile, models: [hostile], server: hostile });
    const complaints: string[] = [];
    const page = await open(url, complaints);
    await page.getByText("<img src=x").first().waitFor();
    await page.locator("summary").click();
    expect(await page.title()).toBe("LLM servers nearby");
    expect(await page.locator("img, main script").count()).toBe(0);
    expect(((await page.locator("main").textContent()) ?? "").length).toBeLessThan(2_000);
    expect(complaints).toEqual([]);
  });

  test("examines this machine at a button, and shows what was found as text", async () => {
    let times = 0;
    const check = { transport: "mdns", interface: null, fix: null } as const;
    const examine = async (): Promise<DoctorDocument> => {
      times += 1;
      return {
        formatVersion: "1.1",
        verdict: "fail",
        durationMs: 7,
        checks: [
          { ...check, code: "mdns/sound", verdict: "ok", message: "multicast passes" },
          { ...check, code: "mdns/port-taken", verdict: "fail", message: hostile, fix: `fix ${hostile}` },
        ],
      };
    };
    const { url } = await lan.open({ examine });
    const complaints: string[] = [];
    const page = await open(url, complaints);
    const button = page.getByRole("button", { name: "Examine this machine" });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByText("1 fail, 1 ok, looked just now").waitFor();
    const findings = await page.locator("#findings > li").allTextContents();
    expect(findings[0]).toMatch(/^fail mdns: <img src=x .*fix <img src=x .*mdns\/port-taken$/s);
    expect(findings[0]?.length).toBeLessThan(1_000);
    expect(findings[1]).toBe("ok mdns: multicast passes");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("LLM servers nearby");
    // Another reader has the same one.
    const other = await open(url, complaints);
    await other.getByRole("button", { name: "Examine this machine" }).click();
    await other.getByText("1 fail, 1 ok, looked").waitFor();
    expect([times, complaints]).toEqual([1, []]);
  });

  test("has no such button where nothing examines, and says why an examination failed", async () => {
    const { url } = await lan.open();
    const page = await open(url, []);
    await page.getByText("No server yet").waitFor();
    expect(await page.getByRole("button", { name: "Examine this machine" }).count()).toBe(0);
    const failing = await lan.open({ examine: () => Promise.reject(new Error("no plug-in")) });
    const second = await open(failing.url, []);
    await second.getByRole("button", { name: "Examine this machine" }).click();
    await second.getByText("It could not be done: no plug-in").waitFor();
  });

  test.each([
    [360, "light"],
    [1_280, "dark"],
  ] as const)("%i px wide and %s has room, and nothing against it from axe", async (width, colorScheme) => {
    const checks = [
      { code: "mdns/port-taken", verdict: "fail", message: "m".repeat(200), fix: "stop it" },
      { code: "host/no-default-route", verdict: "warn", message: "there is no default route", fix: null },
      { code: "host/firewall-present", verdict: "skip", message: "nftables guards this machine", fix: null },
      { code: "mdns/sound", verdict: "ok", message: "multicast passes", fix: null },
    ] as const;
    const examine = async (): Promise<DoctorDocument> => ({
      formatVersion: "1.1",
      verdict: "fail",
      durationMs: 7,
      checks: checks.map((check) => ({ ...check, transport: null, interface: null })),
    });
    const { url, gateway } = await lan.open({ examine });
    await lan.near.list(
      { id: "box", port: 8_000, info: "gpu-box-01", models: ["llama3", "m".repeat(200)] },
      { id: "pc", port: 8_001, info: "gaming-pc", server: "ollama" },
    );
    await lan.near.check("box", "healthy", ["llama3"]);
    await lan.near.check("pc", "silent");
    gateway.transportChanged({
      name: "mdns",
      settled: true,
      error: null,
      lost: new DiscoveryError("TRANSPORT_FAILED", "the cable is out", { via: "mdns" }),
    });
    // Axe's own script is not part of the page.
    const page = await open(url, [], { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
    await page.getByText("gpu-box-01").click();
    await page.getByText("mdns is lost").waitFor();
    await page.getByRole("button", { name: "Examine this machine" }).click();
    await page.getByText("1 fail, 1 warn, 1 skip, 1 ok").waitFor();
    await page.evaluate(axe);
    const found = await page.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))");
    expect(found).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    await page.screenshot({ path: `${pictures}${width}-${colorScheme}.png`, fullPage: true });
  });
});
