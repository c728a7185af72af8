import { drive } from "../program.ts";

/** Node itself, with the part that every peer program has. */
drive({ open: () => undefined });
