#!/usr/bin/env node
import "../dist/command/lmserv.mjs";
