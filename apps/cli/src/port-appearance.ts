import type { ServerCheck } from "@lmserv/discovery-identify";

/** What a port shows behind which no server is. */
export const appearances: Readonly<Record<ServerCheck, string>> = {
  serving: "a server answers",
  "no-answer": "something listens that does not answer",
  "no-connection": "nothing accepts a connection",
  unasked: "nothing can be asked, since this machine has no room for a connection",
  refused: "nothing listens",
  "no-route": "nothing can be reached",
  closed: "connections are closed as soon as they are accepted, as by a proxy in front of nobody",
  foreign: "something answers that speaks no HTTP",
  failing: "every request is answered by an error (5xx)",
};
