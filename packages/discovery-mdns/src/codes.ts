/** Codes of the checks that an examination of mDNS reports. */
export const checks = {
  "interface-hampered": ["warn", "One address family of an interface cannot be used."],
  "port-free": ["ok", "No other program uses UDP port 5353."],
  "port-shared": ["ok", "Another mDNS program shares UDP port 5353, and both receive multicast packets."],
  "port-taken": ["fail", "A program has UDP port 5353 and does not share it."],
  "port-denied": ["fail", "The system refuses the socket."],
  "multicast-returned": ["ok", "A packet to the group left this machine, and its copy came back to it."],
  "multicast-not-sent": ["fail", "The system refuses to send to the group."],
  "multicast-not-returned": ["fail", "The packet left, and this machine did not get its own copy."],
  "multicast-heard": ["ok", "mDNS of other hosts is heard.", "others-reached"],
  "multicast-silent": ["warn", "No other host is heard, and nothing proves that one should be."],
  "multicast-dropped": [
    "fail",
    "Neighbours answer mDNS questions by unicast, but none of them by multicast.",
  ],
} as const;
