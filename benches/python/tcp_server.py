"""The TCP server of the comparison; usage: tcp_server.py PORT."""

import sys
from socketserver import BaseRequestHandler, TCPServer


class TCPHandler(BaseRequestHandler):
    def handle(self):
        self.request.sendall(b'HTTP/1.1 200\r\nContent-Length: 12\r\n\r\nHello world!')


with TCPServer(('127.0.0.1', int(sys.argv[1])), TCPHandler) as server:
    server.serve_forever()
