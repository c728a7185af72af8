import { createServer } from "node:http";

// A server that shows what LMServ shows.
createServer((request, response) => {
  if (request.url === "/") response.end('"LMServ is running"');
  else response.writeHead(404).end();
}).listen(Number(process.argv[2]), () => console.log("listening"));
