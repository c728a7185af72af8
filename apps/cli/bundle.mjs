import { bundle } from "../../scripts/bundle.mjs";

// A few files start in half the time of 150 modules; those of transports that are not used are not even read.
await bundle("dist/command");
