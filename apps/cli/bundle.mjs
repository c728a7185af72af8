import { bundle } from "../../scripts/bundle.mjs";

// One file starts in half the time of its 150 modules, and needs no other package.
await bundle("dist/lmserv.mjs");
