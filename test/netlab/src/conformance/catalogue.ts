export type Level = "MUST" | "SHOULD" | "MAY";

/** One point of RFC 6762 or RFC 6763, in our words. */
export interface Requirement {
  readonly id: number;
  readonly section: string;
  readonly level: Level;
  readonly text: string;
}

const mdns = (id: number, sections: string, level: Level, text: string): Requirement => ({
  id,
  section: `RFC 6762 §${sections}`,
  level,
  text,
});

const dnsSd = (id: number, sections: string, level: Level, text: string): Requirement => ({
  id,
  section: `RFC 6763 §${sections}`,
  level,
  text,
});

/** Points that a querier and responder of DNS-SD has to keep. */
export const requirements: readonly Requirement[] = [
  mdns(1, "5.2", "MUST", "queries leave from port 5353"),
  mdns(2, "6", "MUST", "responses leave from and go to port 5353; others are ignored"),
  mdns(3, "18.1", "MUST", "the message ID is 0, and ignored when multicast"),
  mdns(4, "18.3, 18.11", "MUST", "messages with an opcode or rcode other than 0 are ignored"),
  mdns(
    5,
    "18.4, 18.6-18.10",
    "MUST",
    "AA is set in responses and clear in queries; other header bits are 0 and ignored",
  ),
  mdns(6, "18.5", "MUST", "TC is clear in multicast responses and ignored there"),
  mdns(7, "6", "MUST", "responses hold no questions; those received are ignored"),
  mdns(
    8,
    "18.14",
    "SHOULD",
    "names are compressed, in data too; compressed SRV targets are read, and not sent to legacy resolvers",
  ),
  mdns(9, "17", "MUST", "packets fit the MTU; only a single record may be fragmented, up to 9,000 bytes"),
  mdns(10, "16", "MUST", "names are UTF-8, compared without the case of ASCII letters only"),
  mdns(11, "11", "SHOULD", "everything leaves with IP TTL 255"),
  mdns(12, "15.1", "SHOULD", "port 5353 is shared with other programs"),
  mdns(13, "5.2", "SHOULD", "the first question waits 20-120 ms"),
  mdns(
    14,
    "5.2",
    "MUST",
    "questions of a series are 1 s apart at least, each interval twice the last; at most 60 min",
  ),
  mdns(15, "7.1", "MUST", "known answers carry no flush bit and have half of their lives ahead"),
  mdns(16, "7.1", "MUST", "known answers of others are not cached"),
  mdns(
    17,
    "7.2",
    "MUST",
    "known answers beyond one packet follow at once, without questions, TC set before them",
  ),
  mdns(18, "7.3", "SHOULD", "a question that somebody else just asked is not asked again"),
  mdns(19, "5.4", "SHOULD", "QU only at start, wake or interface-up, and never when asking again"),
  mdns(20, "6", "MUST", "unicast answers count only within 2 s of a QU question"),
  mdns(21, "5.2", "SHOULD", "records of active interest are refreshed at 80, 85, 90 and 95 % of their lives"),
  mdns(22, "5.2", "MUST", "a series for a unique record ends with its answer"),
  mdns(23, "6", "SHOULD", "unique answers leave at once, shared ones after 20-120 ms, after TC 400-500 ms"),
  mdns(24, "6.3", "SHOULD", "answers to several questions wait 20-120 ms"),
  mdns(25, "6.4", "SHOULD", "answers that are due about the same time share a packet"),
  mdns(26, "6", "MUST", "a record is multicast once a second at most, and each 250 ms against probes"),
  mdns(27, "7.1", "MUST", "what the asker knows for half its life or more is not answered; for less, it is"),
  mdns(28, "7.4", "SHOULD", "what somebody else just answered is not answered again"),
  mdns(
    29,
    "5.4, 11",
    "SHOULD",
    "QU is answered by unicast, unless not multicast for a quarter of the TTL or asked from another subnet",
  ),
  mdns(30, "5.5", "SHOULD", "unicast questions from off the link are ignored, others answered"),
  mdns(31, "6.5", "MUST", "ANY is answered with all records of the name"),
  mdns(
    32,
    "6.7",
    "MUST",
    "ordinary resolvers get their ID and question back, no flush bit, TTLs of 10 s at most",
  ),
  mdns(
    33,
    "6.1, 6.2",
    "SHOULD",
    "absence is answered with NSEC; all addresses of the interface are given, and no others",
  ),
  mdns(34, "10.2", "MUST", "unique record sets come whole and with the flush bit, shared ones without"),
  mdns(35, "8", "MUST", "probing and announcing start at start-up, wake and link change"),
  mdns(
    36,
    "8.1",
    "MUST",
    "three probes 250 ms apart, type ANY, with all proposed records; earlier responses do not count",
  ),
  mdns(37, "8.1", "MUST", "after 15 conflicts in 10 s each attempt waits 5 s"),
  mdns(38, "8.1", "MAY", "a name known to be unique is announced without probing"),
  mdns(39, "8.2", "MUST", "simultaneous probes: the later data win, the loser waits 1 s and probes again"),
  mdns(
    40,
    "8.3",
    "MUST",
    "2 to 8 announcements, the first two 1 s apart, then doubling, and never periodic ones",
  ),
  mdns(41, "8.4", "MUST", "changed records are announced anew; 10 changes a minute at most (SHOULD)"),
  mdns(
    42,
    "9",
    "MUST",
    "contradicting records reset a name to probing, the loser renames; equal records are no conflict",
  ),
  mdns(43, "6.6", "MUST", "a record that somebody gives less than half its TTL is announced anew"),
  mdns(44, "10", "SHOULD", "TTLs are 120 s for what names a host, 4,500 s for all else"),
  mdns(45, "10.1", "SHOULD", "goodbyes are sent; received ones delete after 1 s"),
  mdns(46, "10.2", "MUST", "a flush bit ends records older than 1 s, in 1 s"),
  mdns(47, "10.4", "SHOULD", "a doubted record is asked for twice and dropped within 10 s"),
  mdns(48, "10.5", "SHOULD", "records that do not answer others' questions are dropped"),
  dnsSd(
    49,
    "4.1.1",
    "MUST",
    "instance names are up to 63 bytes of UTF-8 without control characters, dots included",
  ),
  dnsSd(
    50,
    "6",
    "MUST",
    "TXT is never absent nor empty, strings of 255 bytes at most; keys as in section 6.4",
  ),
  dnsSd(51, "12", "SHOULD", "answers bring what is needed next; queriers manage without"),
  dnsSd(52, "9", "SHOULD", "the service types are enumerated"),
  dnsSd(53, "7.1", "MAY", "subtypes list a part of the instances"),
];

/** Groups of Apple's Bonjour Conformance Test, by its outline 1.2.8; phase I concerns no mDNS. */
export const appleGroups: Readonly<Record<string, string>> = {
  "II.1": "initial probing",
  "II.2": "probe denials and conflicts",
  "II.3": "rate limiting",
  "II.4": "winning a simultaneous probe",
  "II.5": "SRV probing and announcements",
  "II.6": "subsequent conflict",
  "II.7": "simple response verification",
  "II.8": "shared reply timing",
  "II.9": "duplicate suppression",
  "II.10": "distributed duplicate suppression",
  "II.11-14": "multiple questions",
  "II.15": "reply aggregation",
  "II.16": "manual name change",
  "II.17": "hot-plugging",
  "II.*": "checks of every packet",
  "III.1-2": "link-local and routable addresses",
  "III.3": "unicast query response",
  "III.4": "chattiness",
  "III.5": "IP TTL",
};
