import { createServer } from "node:http";

// A server of a kind that is unknown.
createServer((_, response) => response.writeHead(404).end()).listen(Number(process.argv[2]), () =>
  console.log("listening"),
);
