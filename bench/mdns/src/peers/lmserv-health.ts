import { httpHealth } from "@lmserv/discovery-identify";
import { lmserv } from "../lmserv.ts";
import { drive } from "../program.ts";

drive(lmserv(httpHealth()));
