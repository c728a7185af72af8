"""The Python LMServ as its clients see it: one thread, which answers nobody while it works on a prompt.

one-thread.py PORT: a POST is a prompt, which takes until a line comes on standard input.
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class OneThread(HTTPServer):
    # As uvicorn has it.
    request_queue_size = 2048


class Chat(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            self.answer(200, b'"LMServ is running"')
        else:
            self.answer(404, b'{"detail":"Not Found"}')

    def do_POST(self):
        print("generating", flush=True)
        sys.stdin.readline()
        self.answer(200, b'"Hello"')

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # Nobody waits for this answer any more.


server = OneThread(("", int(sys.argv[1])), Chat)
print("listening", flush=True)
server.serve_forever()
