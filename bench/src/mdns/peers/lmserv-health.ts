import { httpHealth } from "@lmserv/discovery-fingerprint";
import { lmserv } from "../lmserv.ts";
import { drive } from "../program.ts";

drive(lmserv(httpHealth()));
