import { fileURLToPath } from "node:url";

/** Page that the results are compared with. */
export const tablePath: string = fileURLToPath(
  new URL("../../../../docs/mdns-conformance.md", import.meta.url),
);

/** Folders of the tests, from the root of the workspace. */
export const testFolders: readonly string[] = [
  "test/e2e/conformance",
  "packages/discovery-mdns/test/conformance",
];

/** True while the page is being written, and nothing is compared. */
export const isWriting: boolean = process.env.LMSERV_CONFORMANCE_TABLE === "write";
