import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setupOrExit } from "./setup.mjs";
import { buildVariant, startMs, variantNames } from "./variants.mjs";

// Builds variants of the command, each one file without other packages, and prints their sizes and start
// times.

const usage = `Usage: npm run variant -- [${variantNames.join("|")}]... [--out DIR]
  Builds lmserv-<variant>.mjs, or all variants, in DIR (dist/variants).`;

const { names, folder } = readArguments();
await setupOrExit();
const built = [];
for (const name of names) built.push(await buildVariant(name, folder));
// An empty program shows what Node itself takes.
const rows = [["node alone", "", "", ms(await startMs("--eval", ""))]];
for (const { file, transports, bytes } of built) {
  const start = ms(await startMs(file, "config", "print"));
  rows.push([relative(process.cwd(), file), transports.join(", "), `${Math.round(bytes / 1024)} KiB`, start]);
}
print([["VARIANT", "TRANSPORTS", "SIZE", "START"], ...rows]);

function readArguments() {
  try {
    const options = { out: { type: "string", default: "dist/variants" }, help: { type: "boolean" } };
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (values.help) return leave(0, usage);
    const unknown = positionals.find((name) => !variantNames.includes(name));
    if (unknown !== undefined) throw new TypeError(`there is no variant ${JSON.stringify(unknown)}`);
    const names = positionals.length > 0 ? [...new Set(positionals)] : variantNames;
    return { names, folder: resolve(values.out) };
  } catch (error) {
    return leave(2, `${error.message}\n${usage}`);
  }
}

function leave(code, text) {
  process[code === 0 ? "stdout" : "stderr"].write(`${text}\n`);
  process.exit(code);
}

function ms(duration) {
  return `${Math.round(duration)} ms`;
}

function print(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
  }
}
