"""The HTTP server of the comparison; usage: http_server.py PORT."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class HTTPHandler(BaseHTTPRequestHandler):
    def log_message(self, format, *args):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '12')
        self.end_headers()
        self.wfile.write(b'Hello World!')


with HTTPServer(('127.0.0.1', int(sys.argv[1])), HTTPHandler) as server:
    server.serve_forever()
