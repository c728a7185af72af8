import { fileURLToPath } from "node:url";

/** The page that the results are held against. */
export const tablePath: string = fileURLToPath(
  new URL("../../../../docs/mdns-conformance.md", import.meta.url),
);

/** Where the tests are, from the root of the workspace. */
export const testFolders: readonly string[] = [
  "test/e2e/conformance",
  "packages/discovery-mdns/test/conformance",
];

/** Whether the page is being written anew, so that nothing is held against it. */
export const isWriting: boolean = process.env.LMSERV_CONFORMANCE_TABLE === "write";
