#!/usr/bin/env python3
"""cut.py FOLDER NAME LOG: serves the folder on loopback and prints the port. NAME breaks off in the middle whenever it is asked for whole;
who asks for the rest gets it. LOG has a line each time: "cut" or "rest FROM"."""
import os, re, sys, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder, weak, log = sys.argv[1:4]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = os.path.normpath(os.path.join(folder, urllib.parse.unquote(self.path).lstrip("/")))
        if not path.startswith(folder) or not os.path.isfile(path):
            return self.send_error(404)
        data = open(path, "rb").read()
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start, end = int(asked[1]) if asked else 0, len(data)
        if os.path.basename(path) == weak:
            if not asked:
                end //= 2
            with open(log, "a") as f:
                f.write(f"rest {start}\n" if asked else "cut\n")
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[start:end])
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):  # who asked has gone
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
