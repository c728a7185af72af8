import { bundle } from "../../scripts/bundle.mjs";

// A few files start in half the time of 150 modules; those of unused transports are not even read.
await bundle("dist/command");
