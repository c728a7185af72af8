import {
  isRenewalAuthentic,
  type MemberRecord,
  type Renewal,
  readRenewal,
  ShapeError,
  type SignedRecord,
  type SignedRenewal,
  type Verdict,
  verifyRecord,
} from "@lmserv/discovery-identity";

/** Reads what members signed, and finds out whether they did. */
export interface Verifier {
  /** Looks at the signature only if the record is newer. */
  record(signed: SignedRecord, isNewer: (record: MemberRecord) => boolean): Verdict;
  /** Null for what cannot be a renewal in this cluster; its signature is not looked at. */
  readRenewal(signed: SignedRenewal): Renewal | null;
  isAuthentic(renewal: SignedRenewal, publicKey: string): boolean;
}

/** The verifier of one cluster: what was signed for another counts for nothing. */
export function clusterVerifier(cluster: string): Verifier {
  return {
    record: (signed, isNewer) => verifyRecord(signed, { cluster, isNewer }),
    isAuthentic: isRenewalAuthentic,
    readRenewal({ text }) {
      try {
        const renewal = readRenewal(text);
        return renewal.cluster === cluster ? renewal : null;
      } catch (error) {
        if (error instanceof ShapeError) return null;
        throw error;
      }
    },
  };
}
