/** Codes of the checks that an examination of the neighbors reports. */
export const checks = {
  "neighbors-read": ["ok", "The table of neighbours can be read; the message names the reader."],
  "neighbors-unreadable": ["fail", "The table of neighbours cannot be read."],
  "neighbor-room": ["ok", "The kernel's table has room for more neighbours."],
  "neighbor-room-scarce": ["warn", "The kernel's table is so full that old entries give way to new ones."],
  "neighbor-table-full": [
    "fail",
    "The kernel's table of IPv4 neighbours is full and has refused new entries.",
  ],
  "neighbor-room-unknown": ["skip", "The system does not tell how full its table is."],
  "sweep-incomplete": ["warn", "A sweep would leave out addresses that you might expect it to ask."],
} as const;

export const warnings = {
  "sweep-limited":
    "A sweep of the subnet left addresses out that you might expect it to ask, or was called off.",
} as const;
