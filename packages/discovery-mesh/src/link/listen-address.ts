/** Where to listen. */
export interface ListenAddress {
  /** IPv4 or IPv6; `0.0.0.0` and `::` are all of a family. */
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
}

/** Where members listen unless told otherwise. */
export const defaultMeshPort = 7_946;
