import { lmserv } from "../lmserv.ts";
import { drive } from "../program.ts";

drive(lmserv());
