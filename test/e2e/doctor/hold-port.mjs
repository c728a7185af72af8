// Takes UDP port 5353 for itself, as a program does that has not heard of sharing it.
import { createSocket } from "node:dgram";

createSocket({ type: "udp4", reuseAddr: false }).bind(5353, "0.0.0.0", () => console.log("held"));
