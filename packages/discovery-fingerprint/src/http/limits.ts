/** How long one port may take, in ms. */
export interface Patience {
  /** From the first packet to an open connection. */
  readonly connectMs: number;
  /** For all the questions together, connecting included. */
  readonly totalMs: number;
}

/** A first look: enough for a host on the same network that is not asleep. */
export const quick: Patience = { connectMs: 400, totalMs: 1_500 };
/** A second look at what stayed silent: Wi-Fi that saves power, a server that is busy. */
export const patient: Patience = { connectMs: 1_500, totalMs: 4_000 };

/** GET requests that one look at a port sends at most. */
export const maxQuestions = 4;
/** Ports of one host that are asked at the same time: more looks like an attack. */
export const maxPortsAtOnce = 8;
/** A list of two hundred models fits; of a longer body, what was read until here counts. */
export const maxBodyBytes = 65_536;
/** The same where the whole list of models is wanted; 128 checks at a time leave no room for more. */
export const maxListBytes = 262_144;
/** Servers send less than 1 KiB. */
export const maxHeaderBytes = 16_384;
/** Interim responses (RFC 9110 section 15.2) before the final one; nobody needs more than two. */
export const maxInterim = 4;
/** Names in a list that is passed on. */
export const maxModels = 256;
/** Models that are kept of a server that was asked for all: more than any machine serves by itself. */
export const maxListedModels = 1_024;
/** In UTF-16 units; names with the path of a file in them come near it. */
export const maxModelLength = 256;
