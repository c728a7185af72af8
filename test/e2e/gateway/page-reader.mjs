import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

// Reads the page of an endpoint in Chromium, at a width of so many pixels. Says, one JSON document a line, the models of
// each server that the page shows whenever that changes, and after `judge FILE` on its input, once FILE has a picture, what axe has against it.

const [url, width] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const say = (event) => console.log(JSON.stringify(event));

const executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: 0 });
// Axe is no part of the page.
const context = await browser.newContext({
  viewport: { width: Number(width), height: 900 },
  bypassCSP: true,
});
context.setDefaultTimeout(0);
const page = await context.newPage();
page.on("console", (message) => say({ event: "complaint", text: message.text() }));
page.on("pageerror", (error) => say({ event: "complaint", text: String(error) }));
await page.exposeFunction("tell", (servers) => say({ event: "shown", servers }));
await page.addInitScript(() => {
  let told = "";
  const tell = () => {
    const models = document.querySelectorAll("#nodes summary > div:nth-of-type(2)");
    const servers = [...models].map(({ textContent }) => textContent).sort();
    if (servers.join() !== told) window.tell(servers);
    told = servers.join();
  };
  new MutationObserver(tell).observe(document, { subtree: true, childList: true, characterData: true });
});
await page.goto(url);
await page.getByText("Live", { exact: true }).waitFor();
say({ event: "open" });

for await (const line of createInterface({ input: process.stdin })) {
  const [, path] = line.split(" ");
  await page.locator("summary").first().click();
  await page.screenshot({ path, fullPage: true });
  await page.evaluate(axe);
  const violations = await page.evaluate(() =>
    window.axe.run().then(({ violations }) => violations.map(({ id }) => id)),
  );
  const needed = await page.evaluate(() => document.documentElement.scrollWidth);
  say({ event: "judged", violations, width: needed });
}
await browser.close();
