# SPDX-License-Identifier: Apache-2.0
"""The golden cases: name -> (frames, rules, configuration of the event log, further options). The
frames are built here, byte by byte, so that the same bytes come out everywhere."""
import gzip, os, struct, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
from wire import *

ALL = """
      types:
        - alert: {payload: yes, payload-printable: yes, packet: yes, http-body-printable: yes,
                  metadata: {rule: {metadata: yes, raw: yes, reference: yes}}}
        - anomaly: {packethdr: yes, types: {decode: yes, stream: yes, applayer: yes}}
        - arp: {enabled: yes}
        - dns
        - drop: {alerts: yes}
        - files: {force-hash: [md5, sha1, sha256, sm3]}
        - flow
        - http: {extended: yes}
        - ssh
        - tls: {extended: yes, session-resumption: yes, ja4: yes}
"""
ALERT = 'alert {} any any -> any any (msg:"{}"; {} classtype:misc-attack; metadata:kind golden; reference:cve,2024-1; rev:2; sid:{};)\n'


def frames(packets):
    return [ethernet(p, 0x86dd if p[0] >> 4 == 6 else 0x0800) for p in packets]


def tcp_case(said, close=True, **ends):
    s = Session(**ends)
    for side, data in said:
        s.say(side, data)
    return frames((s.close() if close else s).packets)


def request(line, *headers, body=b""):
    return (line + b" HTTP/1.1\r\nHost: plant.example:8080\r\nUser-Agent: golden/1.0\r\n" +
            b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body)


def response(status, *headers, body=b""):
    return b"HTTP/1.1 " + status + b"\r\nServer: made\r\n" + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


TEXT = b"The quick brown fox jumps over the lazy dog. " * 8
FORM = (b'--XX\r\nContent-Disposition: form-data; name="t"\r\n\r\nvalue\r\n--XX\r\nContent-Disposition: form-data; '
        b'name="f"; filename="one.txt"\r\nContent-Type: text/plain\r\n\r\nfile content\r\n--XX--\r\n')


def length(body):
    return b"Content-Length: %d" % len(body)


def http():
    # stored, not compressed: compressors differ from one library to the next
    packed = gzip.compress(TEXT, compresslevel=0, mtime=0)
    return tcp_case([
        (0, request(b"GET /a/../b%20c?x=%41", b"Referer: http://from.example/", b"Accept: */*")),
        (1, response(b"200 OK", b"Content-Type: text/html; charset=utf-8", b"Content-Encoding: gzip", length(packed), body=packed)),
        (0, request(b"POST /upload", b"Content-Type: multipart/form-data; boundary=XX", length(FORM), body=FORM)),
        (1, response(b"302 Found", b"Location: /done", length(b""))),
        (0, request(b"GET /chunks") + request(b"HEAD /pipelined")),
        (1, response(b"200 OK", b"Content-Type: text/plain", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") +
         response(b"404 Not Found", b"Content-Length: 99"))], dport=8080)


def http_odd():
    """Anomalies of the parser, a session without an end, a gap."""
    s = Session()
    s.say(0, b"GET  /x HTTP/1.1\r\nHost: a\r\nHost: b\r\nNo colon\r\nContent-Length: x\r\n\r\n")
    s.say(1, b"HTTP/1.1 200\r\nContent-Length: 400\r\n\r\n" + b"z" * 100)
    s.seq[1] += 200
    s.say(1, b"z" * 100)
    return frames(s.reset().packets)


def dns_udp():
    q = [question("www.plant.example", 1)]
    ends = ("10.8.0.5", "10.8.0.53", 40053, 53)
    back = ("10.8.0.53", "10.8.0.5", 53, 40053)
    return frames([udp(*ends, dns(1, 0x0100, q)), udp(*back, dns(1, 0x8580, q, dns_records())),
                   udp(*ends, dns(2, 0x0120, [question("nothere.example", 28)])),
                   udp(*back, dns(2, 0x8183, [question("nothere.example", 28)], (), dns_records()[7:8])),
                   udp(*ends, dns(3, 0x7840, q)), udp(*ends, dns(4, 0x0100, q)[:20])])


def dns_tcp():
    q = [question("big.plant.example", 16)]
    return tcp_case([(0, vec(2, dns(7, 0x0100, q))), (1, vec(2, dns(7, 0x8400, q, [record(POINTER, 16, vec(1, b"t" * 200))] * 3)))],
                    dport=53, server="10.8.0.53")


def arps():
    a, b = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"
    return [arp(1, a, "10.8.0.5", bytes(6), "10.8.0.80"), arp(2, b, "10.8.0.80", a, "10.8.0.5")]


def network():
    """VLAN, IPv6, ICMP with its answer, fragments that arrive out of order, packets that are broken."""
    v6 = ("2001:db8:0:0:0:0:0:5", "2001:db8:0:0:0:0:0:80")
    whole = udp("10.8.0.5", "10.8.0.9", 1111, 2222, b"fragmented payload, long enough for three" * 3)[20:]
    cut = [ip("10.8.0.5", "10.8.0.9", 17, whole[i:i + 48], ident=9, offset=i, more=i + 48 < len(whole)) for i in range(0, len(whole), 48)]
    return ([vlan(udp("10.8.0.5", "10.8.0.9", 4000, 5000, b"tagged"), 42)] +
            frames([udp(*v6, 4000, 5000, b"six"), icmp("10.8.0.5", "10.8.0.80", 8, 0, b"\0\7\0\1ping"),
                    icmp("10.8.0.80", "10.8.0.5", 0, 0, b"\0\7\0\1ping")] + cut[::-1] +
                   [ip("10.8.0.5", "10.8.0.80", 6, b"\0\1\0\2short"), udp("10.8.0.5", "10.8.0.80", 1, 2, b"x" * 40)[:30],
                    ip("10.8.0.5", "10.8.0.80", 50, struct.pack(">II", 0x1000, 1) + b"esp" * 8),
                    ip("10.8.0.5", "10.8.0.80", 132, struct.pack(">HHII", 7, 8, 9, 0) + b"\1\0\0\4"), b"\x45\0\0"]))


def tunnels():
    inner = udp("192.168.1.5", "192.168.1.9", 4000, 5000, b"inside a tunnel")
    return frames([ip("10.8.0.5", "10.8.0.9", 47, struct.pack(">HH", 0, 0x0800) + inner),
                   ip("10.8.0.5", "10.8.0.9", 4, inner),
                   udp("10.8.0.5", "10.8.0.9", 5555, 4789, b"\x08\0\0\0\0\0\x2a\0" + ethernet(inner)),
                   ip("10.8.0.5", "10.8.0.9", 41, udp("2001:db8:0:0:0:0:0:5", "2001:db8:0:0:0:0:0:9", 4000, 5000, b"inside a tunnel"))])


def streams():
    """Overlap, resend, data outside the window, a session first seen in its middle."""
    s = Session(dport=7000)
    start = s.seq[0]
    s.say(0, b"first ").add(0, PSH | ACK, b"third", at=start + 13).add(0, PSH | ACK, b"FIRST second ", at=start)
    s.seq[0] = start + 18
    s.add(1, ACK).add(1, PSH | ACK, b"far away", at=s.seq[1] + 9_000_000).say(1, b"answer")
    middle = Session(sport=40001, dport=7001)
    middle.packets = []
    middle.say(0, b"midstream").say(1, b"data")
    return frames(s.close().packets + middle.packets)


HTTP_RULES = (ALERT.format("http", "uri", 'http.uri; content:"/b c";', 1) +
              ALERT.format("http", "file", 'file.data; content:"lazy dog"; fast_pattern; flow:to_client;', 2) +
              ALERT.format("http", "upload", 'http.request_body; content:"file content";', 3) +
              ALERT.format("tcp", "stream", 'content:"hello"; content:"world"; distance:0; target:dest_ip;', 4))
DROP_RULES = ('drop tcp any any -> any 8080 (msg:"no uploads"; content:"POST /upload"; sid:1;)\n'
              'alert http any any -> any any (msg:"seen"; http.method; content:"GET"; sid:2;)\n'
              'reject udp any any -> any 5000 (msg:"rejected"; sid:3;)\n')

# name: frames, rules, event log, more of the configuration, options
CASES = {
    "http": (http(), HTTP_RULES, ALL, "", []),
    "http-odd": (http_odd(), "", ALL, "", []),
    "drop": (http() + network()[:2], DROP_RULES, ALL, "", ["--simulate-ips"]),
    "dns": (dns_udp() + dns_tcp(), ALERT.format("dns", "query", 'dns.query; content:"plant.example"; endswith;', 1), ALL, "", []),
    "dns-version-2": (dns_udp(), "", "\n      types: [{dns: {version: 2, formats: [detailed, grouped]}}]\n", "", []),
    "tls12": (tcp_case(tls12(), dport=443) + tcp_case(tls12(b"r" * 32, True), sport=40001, dport=8443),
              ALERT.format("tls", "certificate", 'tls.cert_subject; content:"CN=plant";', 1) +
              ALERT.format("tls", "name", 'tls.sni; content:"plant.example"; bsize:13;', 2), ALL,
              "app-layer: {protocols: {tls: {ja3-fingerprints: yes}}}\n", []),
    "tls13": (tcp_case(tls13(), dport=443), "", ALL, "", []),
    "tlcp": (tcp_case(tlcp(), dport=443) + tcp_case(tlcp(0xe053), sport=40001, dport=444),
             ALERT.format("tls", "tlcp", 'tls.cert_subject; content:"sign.example";', 1), ALL, "", []),
    "ssh": (tcp_case(ssh(), dport=22), ALERT.format("ssh", "software", 'ssh.software; content:"dropbear";', 1), ALL,
            "app-layer: {protocols: {ssh: {hassh: yes}}}\n", []),
    "arp": (arps(), "", ALL, "", []),
    "network": (network(), ALERT.format("udp", "payload", 'content:"fragmented"; content:"three"; distance:0;', 1) +
                ALERT.format("icmp", "ping", 'itype:8; content:"ping";', 2), ALL, "", []),
    "tunnels": (tunnels(), ALERT.format("udp", "inner", 'content:"inside a tunnel";', 1), ALL, "", []),
    "streams": (streams(), ALERT.format("tcp", "in order", 'content:"first second third";', 1), ALL, "", []),
    "midstream": (streams(), ALERT.format("tcp", "midstream", 'flow:established; content:"midstream";', 1), ALL,
                  "stream: {midstream: yes}\n", []),
    "stats": (http() + dns_udp() + arps() + network() + tcp_case(tlcp(), sport=40002, dport=443), HTTP_RULES,
              "\n      types: [{stats: {totals: yes}}]\n", "", []),
}
