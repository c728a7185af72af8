import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PeerFile } from "../src/peer-file.ts";

const dayMs = 86_400_000;
const wallMs = 1_767_225_600_000;
let directory: string;
let file: PeerFile;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lmserv-peers-"));
  file = new PeerFile(directory, "lab", "0.0.0.0:7946");
});

afterEach(() => rm(directory, { recursive: true }));

const peer = (index: number, ageMs: number) => ({
  id: index.toString(16).padStart(32, "0"),
  urls: [`ws://192.0.2.${index % 256}:7946`],
  seenMs: wallMs - ageMs,
});

test("remembers whom it was told of, the latest first, and nobody else", async () => {
  expect(await file.read(wallMs)).toEqual([]);
  await file.write([peer(1, 2_000), peer(2, 1_000)], wallMs);
  expect(await file.read(wallMs)).toEqual([peer(2, 1_000), peer(1, 2_000)]);
  expect(await new PeerFile(directory, "other", "0.0.0.0:7946").read(wallMs)).toEqual([]);
});

test("forgets after seven days, and keeps 256", async () => {
  await file.write(
    Array.from({ length: 300 }, (_, index) => peer(index, index)),
    wallMs,
  );
  expect(await file.read(wallMs)).toHaveLength(256);
  await file.write([peer(1, 6 * dayMs), peer(2, 8 * dayMs)], wallMs);
  expect(await file.read(wallMs)).toEqual([peer(1, 6 * dayMs)]);
  expect(await file.read(wallMs + 2 * dayMs)).toEqual([]);
});

test.each(["", "{", "7", '[{"id":1}]', '[{"id":"x","urls":[],"seenMs":0}]', '[{"urls":["http://a"]}]'])(
  "takes %j for an empty file",
  async (text) => {
    await file.write([], wallMs);
    const [name = ""] = await readdir(directory);
    await writeFile(join(directory, name), text);
    expect(await file.read(wallMs)).toEqual([]);
  },
);
