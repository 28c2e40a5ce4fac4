# SPDX-License-Identifier: Apache-2.0
"""Bytes as they are on the wire, built here: packets and sessions, DNS, TLS and TLCP with their
certificates, SSH. For golden tests and fuzz seeds; nothing is random, nothing is recorded."""
import struct


# --- packets ---------------------------------------------------------------------------------
def checksum(data):
    data += b"\0" * (len(data) & 1)
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def address(text):
    """IPv4 or (without ::) IPv6 text as bytes."""
    if ":" in text:
        return b"".join(struct.pack(">H", int(p, 16)) for p in text.split(":"))
    return bytes(int(p) for p in text.split("."))


def ethernet(payload, kind=0x0800, src=b"\x02\0\0\0\0\1", dst=b"\x02\0\0\0\0\2"):
    return dst + src + struct.pack(">H", kind) + payload


def vlan(payload, number, kind=0x0800):
    return ethernet(struct.pack(">HH", number, kind) + payload, 0x8100)


def ip(src, dst, proto, payload, ident=1, ttl=64, offset=0, more=False):
    """An IPv4 or IPv6 packet, by the addresses' form. `offset` in bytes."""
    s, d = address(src), address(dst)
    if len(s) == 16:
        return struct.pack(">IHBB", 6 << 28, len(payload), proto, ttl) + s + d + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, offset >> 3 | (0x2000 if more else 0),
                       ttl, proto, 0, s, d)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def _l4(src, dst, proto, segment, at):
    """Fills in the checksum at byte `at` of a TCP or UDP segment."""
    pseudo = address(src) + address(dst) + struct.pack(">IBBBB", len(segment), 0, 0, 0, proto)
    return segment[:at] + struct.pack(">H", checksum(pseudo + segment)) + segment[at + 2:]


def udp(src, dst, sport, dport, payload, **more):
    segment = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ip(src, dst, 17, _l4(src, dst, 17, segment, 6), **more)


def tcp(src, dst, sport, dport, seq, ack, flags, payload=b"", options=b"", window=8192, **more):
    size = 5 + (len(options) + 3) // 4
    options += b"\0" * (size * 4 - 20 - len(options))
    segment = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, size << 4, flags, window, 0,
                          0) + options + payload
    return ip(src, dst, 6, _l4(src, dst, 6, segment, 16), **more)


def icmp(src, dst, kind, code, rest):
    data = struct.pack(">BBH", kind, code, 0) + rest
    return ip(src, dst, 1, data[:2] + struct.pack(">H", checksum(data)) + data[4:])


def arp(op, src_mac, src, dst_mac, dst):
    return ethernet(struct.pack(">HHBBH", 1, 0x0800, 6, 4, op) + src_mac + address(src) + dst_mac + address(dst), 0x0806)


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Session:
    """A TCP session of which the packets are in `packets` (IP packets, client first)."""

    def __init__(self, client="10.8.0.5", server="10.8.0.80", sport=40000, dport=80, seq=1000, ack=5000):
        self.ends = [(client, sport), (server, dport)]
        self.seq = [seq, ack]
        self.packets = []
        self.add(0, SYN, advance=1, acknowledges=False)
        self.add(1, SYN | ACK, advance=1)
        self.add(0, ACK)

    def add(self, side, flags, payload=b"", advance=0, acknowledges=True, at=None):
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        seq = self.seq[side] if at is None else at
        self.packets.append(tcp(src, dst, sport, dport, seq, self.seq[1 - side] if acknowledges else 0, flags, payload))
        if at is None:
            self.seq[side] += len(payload) + advance
        return self

    def say(self, side, data, piece=1400):
        for i in range(0, len(data), piece):
            self.add(side, PSH | ACK, data[i:i + piece])
        return self.add(1 - side, ACK)

    def close(self):
        self.add(0, FIN | ACK, advance=1)
        self.add(1, FIN | ACK, advance=1)
        return self.add(0, ACK)

    def reset(self, side=1):
        return self.add(side, RST | ACK)


def pcap(packets, link=1, start=1_700_000_000, step_us=1000):
    """A capture of link-layer frames."""
    data = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)
    for i, p in enumerate(packets):
        us = i * step_us
        data += struct.pack("<IIII", start + us // 1_000_000, us % 1_000_000, len(p), len(p)) + p
    return data


# --- DNS ---------------------------------------------------------------------------------------
def name(text):
    return b"".join(bytes([len(l)]) + l.encode() for l in text.split(".") if l) + b"\0"


def question(text, kind, cls=1):
    return name(text) + struct.pack(">HH", kind, cls)


def record(owner, kind, data, ttl=300, cls=1):
    owner = owner if isinstance(owner, bytes) else name(owner)
    return owner + struct.pack(">HHIH", kind, cls, ttl, len(data)) + data


def dns(ident, flags, questions=(), answers=(), authorities=(), additionals=()):
    parts = (questions, answers, authorities, additionals)
    return struct.pack(">HHHHHH", ident, flags, *map(len, parts)) + b"".join(b"".join(p) for p in parts)


POINTER = b"\xc0\x0c"  # to the first question's name


def dns_records():
    """An answer with a record of every kind that is read in detail, and of one that is not."""
    soa = name("ns.example") + name("admin.example") + struct.pack(">IIIII", 1, 2, 3, 4, 5)
    return [record(POINTER, 1, address("192.0.2.1")), record(POINTER, 28, address("2001:db8:0:0:0:0:0:1")),
            record(POINTER, 5, name("other.example")), record(POINTER, 2, name("ns.example")),
            record(POINTER, 15, b"\0\x0a" + name("mx.example")), record(POINTER, 16, b"\x04text\x05more!"),
            record(POINTER, 12, b"\x01p" + POINTER), record(POINTER, 6, soa),
            record(POINTER, 33, struct.pack(">HHH", 1, 2, 443) + name("srv.example")),
            record(POINTER, 44, b"\x01\x02" + b"\xab" * 32), record(POINTER, 10, b"\0\1\2"),
            record(POINTER, 65, b"\0\1\0\0\1\0\3\2h2"), record(POINTER, 99, b"\2v1"),
            record(POINTER, 255, b""), record(POINTER, 65280, b"\xff" * 9)]


# --- DER and certificates ----------------------------------------------------------------------
def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytearray([first * 40 + second])
    for n in rest:
        groups = [n & 127]
        while n := n >> 7:
            groups.append(n & 127 | 128)
        out += bytes(reversed(groups))
    return der(6, bytes(out))


def distinguished(**names):
    kinds = {"CN": "2.5.4.3", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8"}
    return der(0x30, *(der(0x31, der(0x30, oid(kinds[k]), der(0x0c, v.encode()))) for k, v in names.items()))


SM2, SM2_SM3 = "1.2.156.10197.1.301", "1.2.156.10197.1.501"
RSA, RSA_SHA256 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"


def certificate(subject, issuer, serial=0x1234, sans=(), usage=None, sm=False, before=b"240101000000Z",
                after=b"20540101000000Z"):
    """A certificate whose key and signature are made of fixed bytes: nobody here verifies it."""
    algorithm = der(0x30, oid(SM2_SM3)) if sm else der(0x30, oid(RSA_SHA256), der(5))
    key = der(0x30, oid("1.2.840.10045.2.1"), oid(SM2)) if sm else der(0x30, oid(RSA), der(5))
    extensions = []
    if sans:
        extensions.append(der(0x30, oid("2.5.29.17"), der(4, der(0x30, *(der(0x82, s.encode()) for s in sans)))))
    if usage is not None:
        extensions.append(der(0x30, oid("2.5.29.15"), der(1, b"\xff"), der(4, der(3, b"\3" + bytes([usage])))))
    body = der(0x30, der(0xa0, der(2, b"\2")), der(2, serial.to_bytes(8, "big")), algorithm, issuer,
               der(0x30, der(0x17, before), der(0x18, after)), subject,
               der(0x30, key, der(3, b"\0\4" + b"\x11" * 64)),
               der(0xa3, der(0x30, *extensions)) if extensions else b"")
    return der(0x30, body, algorithm, der(3, b"\0" + b"\x22" * 70))


# --- TLS and TLCP ------------------------------------------------------------------------------
def vec(size, data):
    return len(data).to_bytes(size, "big") + data


def tls_record(kind, version, data):
    return struct.pack(">BH", kind, version) + vec(2, data)


def handshake(kind, data):
    return bytes([kind]) + vec(3, data)


def extension(kind, data):
    return struct.pack(">H", kind) + vec(2, data)


def client_hello(version=0x0303, suites=(0x1301, 0xc02f, 0x009c), host="plant.example", alpn=("h2", "http/1.1"),
                 versions=(0x0304, 0x0303), session=b"", grease=True, extra=b""):
    ext = b""
    if grease:
        suites = (0x1a1a, *suites)
        ext += extension(0x2a2a, b"")
    if host:
        ext += extension(0, vec(2, b"\0" + vec(2, host.encode())))
    if alpn:
        ext += extension(16, vec(2, b"".join(vec(1, a.encode()) for a in alpn)))
    ext += extension(10, vec(2, struct.pack(">HH", 29, 23))) + extension(11, b"\1\0")
    ext += extension(13, vec(2, struct.pack(">HHH", 0x0403, 0x0804, 0x0707)))
    if versions:
        ext += extension(43, vec(1, b"".join(struct.pack(">H", v) for v in versions)))
    body = struct.pack(">H", version) + bytes(range(32)) + vec(1, session)
    body += vec(2, b"".join(struct.pack(">H", s) for s in suites)) + b"\1\0"
    return handshake(1, body + (vec(2, ext + extra) if version >= 0x0301 else b""))


def server_hello(version=0x0303, suite=0xc02f, session=b"", extensions=b"", alpn=None):
    if alpn:
        extensions += extension(16, vec(2, vec(1, alpn.encode())))
    body = struct.pack(">H", version) + bytes(range(32, 64)) + vec(1, session) + struct.pack(">HB", suite, 0)
    return handshake(2, body + (vec(2, extensions) if extensions else b""))


def certificates(*certs):
    return handshake(11, vec(3, b"".join(vec(3, c) for c in certs)))


def tls12(session=b"", resumed=False):
    """[(side, bytes)] of a TLS 1.2 handshake and some application data."""
    ca = distinguished(C="CN", O="Example Trust", CN="Example CA")
    cert = certificate(distinguished(C="CN", O="Plant", CN="plant.example"), ca, 0x0102030405,
                       ("plant.example", "www.plant.example"))
    hello = tls_record(22, 0x0301, client_hello(versions=(), session=session))
    server = tls_record(22, 0x0303, server_hello(alpn="http/1.1", session=session))
    if not resumed:
        server += tls_record(22, 0x0303, certificates(cert, certificate(ca, ca, 1)))
        server += tls_record(22, 0x0303, handshake(12, b"\3\0\x17" + vec(1, b"\4" + b"\x33" * 64) + b"\4\3" + vec(2, b"s" * 70)) +
                             handshake(14, b""))
    keys = b"" if resumed else tls_record(22, 0x0303, handshake(16, vec(1, b"\4" + b"\x44" * 64)))
    end = tls_record(20, 0x0303, b"\1") + tls_record(22, 0x0303, b"\x55" * 40)
    return [(0, hello), (1, server), (0, keys + end), (1, end), (0, tls_record(23, 0x0303, b"\x66" * 60)),
            (1, tls_record(23, 0x0303, b"\x77" * 300)), (0, tls_record(21, 0x0303, b"\1\0"))]


def tls13():
    server = tls_record(22, 0x0303, server_hello(suite=0x1301, session=b"i" * 32, extensions=extension(43, b"\3\4") +
                                                 extension(51, struct.pack(">H", 29) + vec(2, b"\x42" * 32))))
    return [(0, tls_record(22, 0x0301, client_hello(session=b"i" * 32, extra=extension(51, vec(2, struct.pack(">H", 29) + vec(2, b"\x41" * 32)))))),
            (1, server + tls_record(20, 0x0303, b"\1") + tls_record(23, 0x0303, b"\x88" * 900)),
            (0, tls_record(20, 0x0303, b"\1") + tls_record(23, 0x0303, b"\x99" * 60)), (1, tls_record(23, 0x0303, b"\xaa" * 200))]


def tlcp(suite=0xe013):
    """A TLCP handshake (GB/T 38636): version 0x0101, the signing certificate before the encryption one."""
    ca = distinguished(C="CN", O="Example Trust", CN="SM2 CA")
    sign = certificate(distinguished(C="CN", O="Plant", CN="sign.example"), ca, 0x51, ("plant.example",), 0xc0, sm=True)
    enc = certificate(distinguished(C="CN", O="Plant", CN="enc.example"), ca, 0x52, (), 0x38, sm=True)
    hello = client_hello(0x0101, (0xe013, 0xe053, 0xe011, 0xe051), "plant.example", (), (), grease=False)
    end = tls_record(20, 0x0101, b"\1") + tls_record(22, 0x0101, b"\x55" * 80)
    return [(0, tls_record(22, 0x0101, hello)),
            (1, tls_record(22, 0x0101, server_hello(0x0101, suite, b"s" * 32)) +
             tls_record(22, 0x0101, certificates(sign, enc, certificate(ca, ca, 1, sm=True))) +
             tls_record(22, 0x0101, handshake(12, vec(2, b"\x30" * 70))) + tls_record(22, 0x0101, handshake(14, b""))),
            (0, tls_record(22, 0x0101, handshake(16, vec(2, b"\x31" * 156))) + end), (1, end),
            (0, tls_record(23, 0x0101, b"\x66" * 64))]


# --- SSH ---------------------------------------------------------------------------------------
def ssh_packet(payload):
    pad = 8 - (len(payload) + 5) % 8
    pad += 8 if pad < 4 else 0
    return struct.pack(">IB", len(payload) + pad + 1, pad) + payload + b"\0" * pad


def kexinit(*lists):
    lists = list(lists) + [""] * (10 - len(lists))
    return ssh_packet(b"\x14" + bytes(16) + b"".join(vec(4, l.encode()) for l in lists) + b"\0" + bytes(4))


def ssh():
    kex = ("curve25519-sha256,diffie-hellman-group14-sha256", "ssh-ed25519,rsa-sha2-512", "aes128-ctr,aes256-gcm@openssh.com",
           "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256", "none,zlib@openssh.com", "none")
    return [(0, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), (1, b"SSH-2.0-dropbear_2022.83\r\n"), (0, kexinit(*kex)),
            (1, kexinit(*reversed(kex))), (0, ssh_packet(b"\x1e" + vec(4, b"\x21" * 32))),
            (1, ssh_packet(b"\x1f" + vec(4, b"\x22" * 90)) + ssh_packet(b"\x15")), (0, ssh_packet(b"\x15") + b"\x99" * 64)]
