import fc from "fast-check";

// Every run of the tests plays a hundred examples of each property; `npm run fuzz` has more time.
fc.configureGlobal({ numRuns: Number(process.env.FUZZ_RUNS ?? 2_000) });
