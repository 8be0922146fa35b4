//! HTTP/1.1 as bytes: pure, no I/O, no clock.
