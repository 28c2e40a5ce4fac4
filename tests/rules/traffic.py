"""Traffic made packet by packet, for tests of rules: a capture is a list of (seconds, frame)."""
import struct

CLIENT, SERVER = bytes([10, 8, 0, 5]), bytes([10, 8, 0, 80])


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def ethernet(payload, kind=0x0800):
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + struct.pack(">H", kind) + payload


def ipv4(proto, payload, src=CLIENT, dst=SERVER, ttl=64, tos=0, ident=1, frag=0, options=b""):
    n = 20 + len(options)
    head = struct.pack(">BBHHHBBH4s4s", 0x40 | n // 4, tos, n + len(payload), ident, frag, ttl, proto, 0,
                       src, dst) + options
    return ethernet(head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload)


def icmp(kind, code, rest):
    body = struct.pack(">BBH", kind, code, 0) + rest
    return ipv4(1, body[:2] + struct.pack(">H", checksum(body)) + body[4:])


def udp(data, sport=40000, dport=9999, src=CLIENT, dst=SERVER, **ip):
    body = struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data
    pseudo = src + dst + struct.pack(">BBH", 0, 17, len(body))
    body = body[:6] + struct.pack(">H", checksum(pseudo + body) or 0xffff) + body[8:]
    return ipv4(17, body, src, dst, **ip)


def tcp(to_server, seq, ack, flags, data=b"", port=80, options=b"", window=8192):
    ports = (40000, port) if to_server else (port, 40000)
    src, dst = (CLIENT, SERVER) if to_server else (SERVER, CLIENT)
    n = 20 + len(options)
    body = struct.pack(">HHIIBBHHH", *ports, seq, ack, n // 4 << 4, flags, window, 0, 0) + options + data
    pseudo = src + dst + struct.pack(">BBH", 0, 6, len(body))
    return ipv4(6, body[:16] + struct.pack(">H", checksum(pseudo + body)) + body[18:], src, dst)


def session(exchange, port=80):
    """A whole TCP session: exchange is a list of (to_server, bytes)."""
    seq = {True: 1000, False: 5000}
    mss = b"\x02\x04\x05\xb4"
    out = [tcp(True, 1000, 0, 2, port=port, options=mss), tcp(False, 5000, 1001, 0x12, port=port, options=mss),
           tcp(True, 1001, 5001, 0x10, port=port)]
    seq = {True: 1001, False: 5001}
    for way, data in exchange:
        out.append(tcp(way, seq[way], seq[not way], 0x18, data, port=port))
        seq[way] += len(data)
        out.append(tcp(not way, seq[not way], seq[way], 0x10, port=port))
    out.append(tcp(True, seq[True], seq[False], 0x11, port=port))
    out.append(tcp(False, seq[False], seq[True] + 1, 0x11, port=port))
    out.append(tcp(True, seq[True] + 1, seq[False] + 1, 0x10, port=port))
    return out


def write(path, frames, step=0.001):
    data = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for i, f in enumerate(frames):
        at = i * step
        if isinstance(f, tuple):
            at, f = f
        data += struct.pack("<IIII", 1_700_000_000 + int(at), int(at % 1 * 1e6), len(f), len(f)) + f
    open(path, "wb").write(data)
