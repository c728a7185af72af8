import type { Heard } from "@lmserv/test-net/raw-peer";
import type { RecordType } from "dns-packet";

/** Fits packets whose answers hold a record of that type and name. */
export function answersWith(type: RecordType, name: string): (heard: Heard) => boolean {
  return ({ message }) =>
    message.response && message.answers.some((record) => record.type === type && record.name === name);
}
