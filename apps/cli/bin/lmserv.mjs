#!/usr/bin/env node
import "../dist/lmserv.mjs";
