/** Command for a peer program, one JSON document per line of its standard input. */
export type PeerCommand =
  | {
      readonly command: "announce";
      /** Value of the TXT key `info`, by which browsers tell the services apart; 1..40 letters and digits. */
      readonly info: string;
      readonly port: number;
      /** True to name the instance `info`; peers without another way always do so. */
      readonly chosen: boolean;
    }
  | { readonly command: "browse" }
  | { readonly command: "goodbye" }
  | { readonly command: "reconfirm"; readonly info: string };

/**
 * Event of a peer program, one JSON document per line of its standard output, `ready` first.
 *
 * Times are monotonic ms of this machine, the same scale in every process.
 */
export type PeerEvent =
  | { readonly event: "ready" }
  | Call<"announcing">
  | Call<"browsing">
  | Call<"leaving">
  /** Event that the library calls announced. */
  | { readonly event: "announced"; readonly tMs: number }
  | NodeEvent<"up">
  | NodeEvent<"down">
  | (NodeEvent<"checked"> & {
      /** State of the node, by a check that came to a result. */
      readonly state: string;
    });

/** The library is open, which took `openMs`, and its function to announce, browse or withdraw is being called. */
interface Call<Kind> {
  readonly event: Kind;
  readonly tMs: number;
  readonly openMs: number;
}

/** A service is resolved (host, port and TXT are known), or gone. */
interface NodeEvent<Kind> {
  readonly event: Kind;
  readonly tMs: number;
  readonly info: string;
}

export const serviceName = "lmserv";
/** Domain name of the service type, without the dot at its end. */
export const serviceType: string = `_${serviceName}._tcp.local`;
