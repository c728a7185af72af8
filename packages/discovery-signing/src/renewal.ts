import type { NodeKey } from "@lmserv/discovery-core/transport";
import { readCluster, readCount, readId, type Version } from "./record.ts";
import { readObject, ShapeError } from "./shape.ts";

/** Sign of life of a member: its record of this version still holds. */
export interface Renewal extends Version {
  readonly cluster: string;
  readonly id: string;
  /** Grows with each renewal of this record. */
  readonly beat: number;
}

/** Signed renewal: small, and valid from any sender. */
export interface SignedRenewal {
  /** Signed JSON text. */
  readonly text: string;
  readonly signature: string;
}

const maxRenewalBytes = 300;

/** Makes a sign of life that other members can pass on. */
export function signRenewal({ cluster, id, epoch, seq, beat }: Renewal, key: NodeKey): SignedRenewal {
  const text = JSON.stringify({ kind: "renewal", cluster, id, epoch, seq, beat });
  return { text, signature: key.sign(text) };
}

/** Parses a renewal without checking its signature; null if it is invalid or of another cluster. */
export function readRenewal({ text }: SignedRenewal, inCluster: string): Renewal | null {
  try {
    const value = readObject(text, maxRenewalBytes);
    const cluster = readCluster(value.cluster, "cluster");
    if (value.kind !== "renewal" || cluster !== inCluster) return null;
    return {
      cluster,
      id: readId(value.id, "id"),
      epoch: readCount(value.epoch, "epoch"),
      seq: readCount(value.seq, "seq"),
      beat: readCount(value.beat, "beat"),
    };
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}
