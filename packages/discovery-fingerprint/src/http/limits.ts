/** Time limits of one port, in ms. */
export interface Patience {
  /** Limit from the first packet to an open connection. */
  readonly connectMs: number;
  /** Limit for all the questions together, connecting included. */
  readonly totalMs: number;
}

/** Limits of a first look: enough for a host on the same network that is awake. */
export const quick: Patience = { connectMs: 400, totalMs: 1_500 };
/** Limits of a second look after silence: Wi-Fi that saves power, or a busy server. */
export const patient: Patience = { connectMs: 1_500, totalMs: 4_000 };

/** Bound on the GET requests of one look at a port. */
export const maxQuestions = 4;
/** Ports of one host asked at once: more would look like an attack. */
export const maxPortsAtOnce = 8;
/** Bound on a body, enough for a list of two hundred models; a longer one counts as far as it was read. */
export const maxBodyBytes = 65_536;
/** Bound on a body with the whole list of models; 128 concurrent checks leave no room for more. */
export const maxListBytes = 262_144;
/** Servers send less than 1 KiB. */
export const maxHeaderBytes = 16_384;
/** Bound on interim responses (RFC 9110 section 15.2) before the final one, of which two are usual. */
export const maxInterim = 4;
/** Bound on the names of a list that is passed on. */
export const maxModels = 256;
/** Bound on the models of a server that was asked for all: more than a machine serves by itself. */
export const maxListedModels = 1_024;
/** Length in UTF-16 units; names with the path of a file come near it. */
export const maxModelLength = 256;
