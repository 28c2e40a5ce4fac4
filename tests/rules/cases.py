"""What rules must do. TABLES: a capture and rows (head, body, alerts) that run together. ALONE: a
capture, rules, options and a judge of all events, for what must not share a run."""
import hashlib, json, struct
import traffic
from traffic import CLIENT, SERVER, icmp, ipv4, session, tcp, udp

REQUEST = (b"GET /shop/item?id=7&name=a%20b HTTP/1.1\r\nHost: www.plant.example.co.uk\r\nUser-Agent: probe/1.0\r\n"
           b"X-Token: c2VjcmV0IHdvcmQ=\r\nAccept: */*\r\n\r\n")
BODY = b"<html>hello   from the\tplant</html>"
ANSWER = (b"HTTP/1.1 200 OK\r\nServer: nginx/1.2\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(BODY)) + BODY
HTTP = session([(True, REQUEST), (False, ANSWER)])

ANY = "alert ip any any -> any any"
T = "alert tcp any any -> any any"
U = "alert udp any any -> any any"
H = "alert http any any -> any any"
I = "alert icmp any any -> any any"

ROUTERS = icmp(9, 0, bytes([2, 2]) + b"\0\x1e" + bytes([10, 14, 80, 84]) + bytes(4) + bytes([10, 9, 8, 7]) + bytes(4) + b"tail")
ICMP = [icmp(8, 0, struct.pack(">HH", 7, 21) + b"abcdefgh"), icmp(13, 0, struct.pack(">HHIII", 1, 2, 3, 4, 0x11223344)),
        icmp(3, 1, bytes(4) + b"\x45" + bytes(27)), ROUTERS]

# a record: magic, big-endian length of the text, text, little-endian number, base64 text
RECORD = b"MAGI\x00\x05HELLO\x34\x12\x00\x00" + b"aGVsbG8gd29ybGQ=" + b"|end"
UDP = [udp(RECORD, ttl=3, tos=0x10, ident=77), udp(b"x" * 100)]

TABLES = {
    "icmp": (ICMP, [
        (I, 'itype:8; icode:0;', 1),
        (I, 'itype:>8;', 2),
        (I, 'itype:8<>13; icode:0;', 1),
        (I, 'icode:1;', 1),
        (I, 'icmp_id:7;', 1),
        (I, 'icmp_id:8;', 0),
        (I, 'icmp_seq:21;', 1),
        (I, 'icmpv4.hdr; content:"|07|"; offset:5; depth:1;', 1),
        (I, 'icmpv4.hdr; content:"|11 22 33 44|"; endswith;', 1),
        (I, 'icmpv4.hdr; content:"|0a 0e 50 54|"; offset:8;', 1),
        (I, 'icmpv4.hdr; content:"tail";', 0),
        (I, 'icmpv4.hdr; content:"abcd";', 0),
    ]),
    "headers": (UDP, [
        (U, 'ttl:3;', 1),
        (U, 'ttl:>3;', 1),
        (U, 'tos:16;', 1),
        (U, 'tos:!16;', 1),
        (U, 'id:77;', 1),
        (U, 'ip_proto:17;', 1),
        (ANY, 'ip_proto:udp;', 1),
        (ANY, 'ip_proto:!17;', 0),
        (U, 'dsize:100;', 1),
        (U, 'dsize:<90;', 1),
        (U, 'dsize:10<>90;', 1),
        (U, 'fragbits:D;', 0),
        (U, 'fragoffset:0;', 2),
        (U, 'sameip;', 0),
        (U, 'flow.pkts_toserver:2;', 1),
        (U, 'flow.bytes_toserver:>100;', 1),
        (U, 'flow.age:<5;', 2),
        (U, 'udp.hdr; content:"|9c 40 27 0f|"; startswith;', 2),
        (U, 'ipv4.hdr; content:"|45 10|"; startswith;', 1),
    ]),
    "bytes": (UDP, [
        (U, 'content:"MAGI"; byte_test:2,=,5,4;', 1),
        (U, 'content:"MAGI"; byte_test:2,>,5,4;', 0),
        (U, 'content:"MAGI"; byte_test:2,=,5,0,relative;', 1),
        (U, 'content:"MAGI"; byte_jump:2,0,relative; content:"|34 12|"; within:2;', 1),
        (U, 'content:"MAGI"; byte_jump:2,4,post_offset 1; content:"|12|"; within:1;', 1),
        (U, 'content:"MAGI"; byte_jump:2,4,from_beginning; content:"HELLO"; within:6; distance:1;', 1),
        (U, 'content:"MAGI"; byte_jump:2,4,multiplier 2,from_end;', 0),
        (U, 'byte_extract:2,4,len; content:"HELLO"; offset:6; depth:len;', 1),
        (U, 'byte_extract:2,4,len; content:"|34 12|"; offset:6; depth:len;', 0),
        (U, 'content:"MAGI"; byte_extract:4,11,num,little; byte_test:4,=,num,11,little;', 1),
        (U, 'byte_math:bytes 2,offset 4,oper +,rvalue 6,result at; content:"|34 12|"; offset:at; depth:2;', 1),
        (U, 'content:"MAGI"; byte_math:bytes 2,offset 4,oper *,rvalue 2,result twice; byte_test:2,<,twice,4;', 1),
        (U, 'byte_math:bytes 2,offset 4,oper <<,rvalue 1,result twice; byte_test:2,=,twice,4;', 0),
        (U, 'content:"HELLO"; isdataat:4,relative;', 1),
        (U, 'content:"|7c|end"; isdataat:!1,relative;', 1),
        (U, 'isdataat:99; isdataat:!100;', 1),
        (U, 'base64_decode:bytes 16,offset 15; base64_data; content:"hello world";', 1),
        (U, 'content:"|34 12 00 00|"; base64_decode:relative; base64_data; content:"world"; endswith;', 1),
        (U, 'content:"|34 12 00 00|"; base64_decode:bytes 16,relative; base64_data; content:"world"; endswith;', 1),
        (U, 'content:"HELLO"; content:!"MAGI"; distance:0;', 1),
        (U, 'content:"HELLO"; content:!"|7c|end"; distance:0;', 0),
        (U, 'content:"hello"; nocase; offset:6; depth:5;', 1),
        (U, 'content:"HELLO"; fast_pattern:1,3;', 1),
        (U, 'content:"HELLO"; fast_pattern:only;', 1),
        (U, 'pcre:"/MAGI.{2}(HELLO)/s";', 1),
        (U, 'content:"MAGI"; pcre:"/^..HELLO/sR";', 1),
        (U, 'pcre:!"/MAGI/";', 1),
        (U, 'entropy: bytes 0, value < 1;', 1),
    ]),
    "http": (HTTP, [
        (H, 'http.uri; content:"/shop/item?id=7&name=a b";', 1),
        (H, 'http.uri.raw; content:"a%20b";', 1),
        (H, 'urilen:>20;', 1),
        (H, 'urilen:24;', 1),
        (H, 'urilen:26,raw;', 1),
        (H, 'urilen:26,norm;', 0),
        (H, 'http.method; content:"GET"; bsize:3;', 1),
        (H, 'http.method; bsize:2<>4; content:"GET";', 1),
        (H, 'http.method; bsize:!3; content:"GET";', 0),
        (H, 'http.user_agent; content:"probe"; startswith; content:!"curl";', 1),
        (H, 'http.user_agent; to_md5; content:"|fd 61 9d ab bd e1 1a 4d 4d 4b 5c 59 0b 5c 1b 70|"; bsize:16;', 0),
        (H, 'http.user_agent; to_md5; bsize:16;', 1),
        (H, 'http.user_agent; to_sha1; bsize:20;', 1),
        (H, 'http.user_agent; to_sha256; bsize:32;', 1),
        (H, 'http.user_agent; to_uppercase; content:"PROBE";', 1),
        (H, 'http.uri; to_lowercase; content:"shop";', 1),
        (H, 'http.uri.raw; url_decode; content:"a b";', 1),
        (H, 'http.host; dotprefix; content:".www.plant";', 1),
        (H, 'http.host; domain; content:"example.co.uk"; bsize:13;', 1),
        (H, 'http.host; tld; content:"co.uk"; bsize:5;', 1),
        (H, 'http.response_body; compress_whitespace; content:"hello from the";', 1),
        (H, 'http.response_body; strip_whitespace; content:"hellofromtheplant";', 1),
        (H, 'http.method; xor:"20"; content:"get";', 1),
        (H, r'http.header; pcrexform:"X-Token: (\S+)"; from_base64; content:"secret word"; bsize:11;', 1),
        (H, 'http.header; header_lowercase; content:"x-token|3a|";', 1),
        (H, 'http.referer; absent;', 1),
        (H, 'http.referer; absent:or_else; content:"nowhere";', 1),
        (H, 'http.user_agent; absent;', 0),
        (H, 'http.user_agent; absent:or_else; content:"probe";', 1),
        (H, 'http.header; content:"Host|3a|"; content:"probe"; distance:0; within:60;', 1),
        (H, 'file.data; content:"from"; pcre:"/hello\\s+from/";', 1),
        (H, 'flow:to_client; http.stat_code; content:"200"; http.server; content:"nginx";', 1),
        ("alert http any any => any any", 'http.method; content:"GET"; http.stat_code; content:"200";', 1),
        ("alert http any any => any any", 'http.method; content:"POST"; http.stat_code; content:"200";', 0),
        ("alert http 10.8.0.5 any => 10.8.0.80 80", 'http.uri; content:"shop"; fast_pattern; http.server; content:"nginx";', 1),
        ("alert http 10.8.0.80 any => 10.8.0.5 any", 'http.uri; content:"shop"; fast_pattern; http.server; content:"nginx";', 0),
        (T, 'app-layer-protocol:http; flow:to_server;', 1),
        (T, 'app-layer-protocol:http; flow:to_client;', 1),
        (T, 'app-layer-protocol:!http;', 0),
        ("alert tcp 10.8.0.80 80 <> 10.8.0.5 any", 'flags:S+;', 2),
        ("alert tcp any 80 <> any any", 'flags:S+;', 2),
        ("alert tcp any any <> any 81", 'flags:S+;', 0),
        ("alert tcp !10.8.0.0/16 any <> any any", 'flags:S+;', 0),
        ("alert http any any <> 10.8.0.80 80", 'http.stat_code; content:"200";', 1),
        ("alert ip 10.8.0.80 any <> any any", '', 2),
        ("alert ip 10.8.0.80 any -> any any", '', 1),
        (T, 'flags:S;', 1),
        (T, 'flags:SA;', 1),
        (T, 'flags:S+; flow:to_client;', 1),
        (T, 'tcp.mss:1460;', 2),
        (T, 'tcp.mss:<1000;', 0),
        (T, 'seq:1000;', 1),
        (T, 'ack:1001; flags:SA;', 1),
        (T, 'window:!8192;', 0),
        (T, 'stream_size:client,>,50; flags:F+; flow:to_server;', 1),
        (T, 'flow:established,to_server; content:"GET "; startswith; replace:"PUT ";', 1),
        ("alert http any any -> any any", 'http.uri; content:"shop"; flowbits:set,seen; noalert;', 0),
        ("alert http any any -> any any", 'flow:to_client; flowbits:isset,seen; http.stat_code; content:"200";', 1),
        ("alert http any any -> any any", 'flow:to_client; flowbits:isset,never; http.stat_code; content:"200";', 0),
        ("alert http any any -> any any", 'http.uri; content:"shop"; flowint:hits,+,1; xbits:set,mark,track ip_pair; hostbits:set,h,src;', 1),
        ("alert http any any -> any any", 'flow:to_client; flowint:hits,isset; http.stat_code; content:"200";', 1),
        ("alert http any any -> any any", 'flow:to_client; xbits:isset,mark,track ip_pair; http.stat_code; content:"200";', 1),
        ("alert http any any -> any any", 'flow:to_client; xbits:isset,mark,track ip_src; http.stat_code; content:"200";', 0),
        ("alert http any any -> any any", 'flow:to_client; hostbits:isset,h,dst; http.stat_code; content:"200";', 1),
        (H, 'requires: feature no_such_thing; http.uri; content:"shop";', 0),
        (H, 'requires: keyword http.uri, version >= 7; http.uri; content:"shop";', 1),
    ]),
}

MANY = [(i * 1.0, udp(b"knock" if i % 4 == 0 else b"other", sport=5000 + i)) for i in range(40)]


def tagged(n):
    def judge(events, tmp):
        got = [e for e in events if e["event_type"] == "packet"]
        if len(got) != n:
            return f"{len(got)} packets logged, expected {n}"
        if any("packet" not in e or "packet_info" not in e for e in got):
            return "a packet without its bytes"
    return judge


def alerts(n):
    def judge(events, tmp):
        got = sum(e["event_type"] == "alert" for e in events)
        if got != n:
            return f"{got} alerts, expected {n}"
    return judge


# the fourth packet of an HTTP session is the request; 10 packets follow the alert's
KNOCK = udp(b"knock", sport=6000)
SAME = [(i * 1.0, KNOCK) for i in range(20)]
FILES = {
    "categories.txt": "# of addresses\n1,BadHosts,known bad\n3,Scanners,they scan\n",
    "one.list": "10.8.0.5,1,90\n10.8.0.0/24,3,20\n10.8.0.80,3,5\n",
    "agents.lst": "cHJvYmUvMS4w\n",
    "hosts.md5": hashlib.md5(b"www.plant.example.co.uk").hexdigest() + "\n",
    "hosts.sha256": hashlib.sha256(b"www.plant.example.co.uk").hexdigest() + "\n",
    "addresses.lst": "# servers\n10.8.0.80\n2001:db8::1\n",
    "agents.rep": "cHJvYmUvMS4w,70\n",
    "intel.json": json.dumps({"list": [{"host": {"name": "www.plant.example.co.uk", "zone": "ot"}, "year": 2005},
                                       {"host": {"zone": "it"}}]}, indent=1),
    "intel.ndjson": '{"ip": "10.8.0.5", "who": "client"}\n{"ip": "10.8.0.6", "who": "other"}\n',
    "limits.config": "suppress gen_id 1, sig_id 2\n"
                     "event_filter gen_id 1, sig_id 3, type limit, track by_src, count 1, seconds 600\n",
}
ALONE = {
    "tag-session": (SAME, [U + ' (content:"knock"; threshold:type limit,track by_src,count 1,seconds 600; tag:session,5,packets; sid:1;)'],
                    [], tagged(4)),
    "tag-seconds": (SAME, [U + ' (content:"knock"; threshold:type limit,track by_src,count 1,seconds 600; tag:session,7,seconds; sid:1;)'],
                    [], tagged(7)),
    "tag-bytes": (SAME, [U + ' (content:"knock"; threshold:type limit,track by_src,count 1,seconds 600; tag:session,%d,bytes; sid:1;)'
                         % (len(KNOCK) * 3)], [], tagged(2)),
    "tag-host": (MANY, [U + ' (content:"knock"; threshold:type limit,track by_src,count 1,seconds 600; tag:host,10,packets,src; sid:1;)'],
                 [], tagged(9)),
    "tag-host-off": (MANY, [U + ' (content:"knock"; threshold:type limit,track by_src,count 1,seconds 600; tag:host,10,packets,src; sid:1;)'],
                     ["--set", "outputs.0.eve-log.types.0.alert.tagged-packets=no"], None),
    "threshold": (SAME, [U + ' (content:"knock"; threshold:type threshold,track by_dst,count 5,seconds 60; sid:1;)'], [], alerts(4)),
    "detection-filter": (SAME, [U + ' (content:"knock"; detection_filter:track by_src,count 15,seconds 60; sid:1;)'], [], alerts(5)),
    "threshold-file": (SAME, [U + f' (content:"knock"; sid:{i};)' for i in (1, 2, 3)],
                       ["--set", "threshold-file=limits.config"], alerts(21)),
    "pass": (SAME, [U + ' (content:"knock"; sid:1;)', 'pass udp any any -> any any (content:"knock"; sid:2;)'], [], alerts(0)),
    "drop": (HTTP, ['drop http any any -> any any (http.uri; content:"shop"; sid:1;)', H + ' (http.stat_code; content:"200"; sid:2;)'],
             ["--simulate-ips"], alerts(1)),
}
del ALONE["tag-host-off"]


def context(events, tmp):
    got = [e["alert"].get("context") for e in events if e["event_type"] == "alert"]
    want = [{"intel": {"host": {"zone": "ot"}, "year": 2005}, "who": {"ip": "10.8.0.5", "who": "client"}}]
    if got != want:
        return f"context {got}, expected {want}"


def captured(events, tmp):
    got = {e["alert"]["signature_id"]: e.get("metadata", {}) for e in events if e["event_type"] == "alert"}
    flow = [{"ident": "7"}, {"who": "a"}]
    if sorted(got) != [1, 2, 3, 5]:
        return f"rules {sorted(got)}"
    if got[3].get("flowvars") != flow or got[5].get("pktvars") != [{"agent": "probe"}]:
        return f"variables {got}"
    if "pktvars" in got[3]:
        return "a packet's variables outlive it"


ALONE["captures"] = (HTTP, [
    H + r' (http.uri; pcre:"/id=(?P<flow_ident>\d+)/"; sid:1;)',
    H + r' (http.uri; pcre:"/name=(\w+)/,flow:who"; sid:2;)',
    H + ' (flow:to_client; http.stat_code; content:"200"; flowvar:ident,"7"; sid:3;)',
    H + ' (flow:to_client; http.stat_code; content:"200"; flowvar:ident,"8"; sid:4;)',
    H + r' (http.user_agent; pcre:"/(?P<pkt_agent>\w+)\//"; sid:5;)'], [], captured)


def reputation(events, tmp):
    got = sorted({e["alert"]["signature_id"] for e in events if e["event_type"] == "alert"})
    if got != [1, 3, 5, 6, 7, 9]:
        return f"rules {got}"


ALONE["iprep"] = (HTTP, [U.replace("udp", "tcp") + f" (flow:to_server; iprep:{x}; sid:{i};)" for i, x in enumerate((
    "src,BadHosts,>,80", "src,BadHosts,>,90", "any,BadHosts,==,90", "both,BadHosts,isset", "dst,BadHosts,isnotset",
    "src,Scanners,==,20", "dst,Scanners,<,10", "dst,Scanners,>,5", "both,Scanners,isset"), 1)],
    ["--set", "reputation-categories-file=categories.txt", "--set", "reputation-files.0=one.list"], reputation)

ALONE["dataset-context"] = (HTTP, [
    H + ' (http.host; dataset:isset,intel,type string,load intel.json,format json,array_key list,value_key host.name,'
        'context_key intel,remove_key; ip.src; dataset:isset,who,type ip,load intel.ndjson,format ndjson,value_key ip,'
        'context_key who; sid:1;)'], [], context)

def dns_message(ident, flags, name, answer=False):
    labels = b"".join(bytes([len(x)]) + x for x in name.split(b".")) + b"\0"
    body = struct.pack(">HHHHHH", ident, flags, 1, int(answer), 0, 0) + labels + struct.pack(">HH", 1, 1)
    return body + (b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 60, 4, bytes([10, 8, 0, 9])) if answer else b"")


def dns_pair(ident, name, port):
    return [udp(dns_message(ident, 0x0100, name), sport=port, dport=53),
            udp(dns_message(ident, 0x8180, name, True), sport=53, dport=port, src=SERVER, dst=CLIENT)]


DNS = dns_pair(7, b"quiet.example", 5301) + dns_pair(8, b"loud.example", 5302)
D = "alert dns any any -> any any"
TABLES["dns"] = (DNS, [
    (D, 'dns.query; content:"quiet.example"; bsize:13;', 1),
    (D, 'dns.query; content:"example"; endswith;', 2),
    (D, 'dns.query; dotprefix; content:".example"; endswith;', 2),
    (D, 'dns.rcode:0; flow:to_client;', 2),
    (D, 'dns.opcode:0; flow:to_server;', 2),
    (D, 'dns.rrtype:AAAA;', 0),
    (D, 'dns.answers.rrname; content:"loud"; startswith;', 1),
])


def unlogged(events, tmp):
    names = [e["dns"]["queries"][0]["rrname"] for e in events if e["event_type"] == "dns"]
    if names != ["loud.example"] * 2:
        return f"logged {names}"


ALONE["config"] = (DNS, ['config dns any any -> any any (dns.query; content:"quiet"; '
                         'config:logging disable,type tx,scope tx; sid:1;)'], [], unlogged)

S = "alert ssh any any -> any any"
TABLES["ssh"] = (session([(True, b"SSH-2.0-probe_1 test\r\n"), (False, b"SSH-1.99-old_2\r\n")], port=22), [
    (S, 'ssh.protoversion:2_compat;', 2),
    (S, 'ssh.protoversion:2.0;', 1),
    (S, 'ssh.protoversion:"1.5";', 0),
    (S, 'ssh.softwareversion:"probe_1";', 1),
    (S, 'ssh.softwareversion:probe;', 0),
    (S, 'flow:to_client; ssh.software; content:"old"; startswith;', 1),
])

TABLES["datasets"] = (HTTP, [
    (H, 'http.user_agent; dataset:isset,agents,type string,load agents.lst;', 1),
    (H, 'http.user_agent; dataset:isnotset,agents;', 0),
    (H, 'http.host; dataset:isset,agents;', 0),
    (H, 'http.host; dataset:isnotset,agents;', 1),
    (H, 'http.host; to_md5; dataset:isset,md5s,type md5,load hosts.md5;', 1),
    (H, 'http.host; to_sha256; dataset:isset,sha256s,type sha256,load hosts.sha256;', 1),
    (H, 'http.host; dataset:isset,md5s;', 0),
    (H, 'flow:to_server; http.method; content:"GET"; ip.dst; dataset:isset,servers,type ip,load addresses.lst;', 1),
    (H, 'flow:to_server; http.method; content:"GET"; ip.src; dataset:isset,servers;', 0),
    (H, 'http.method; dataset:set,seen,type string;', 1),
    (H, 'http.method; dataset:set,seen;', 0),
    (H, 'http.method; dataset:isset,seen;', 1),
    (H, 'http.method; dataset:unset,seen;', 1),
    (H, 'http.method; dataset:isset,seen;', 0),
    (H, 'http.user_agent; datarep:reps,>,60,load agents.rep,type string;', 1),
    (H, 'http.user_agent; datarep:reps,>,70;', 0),
    (H, 'http.user_agent; datarep:reps,==,70;', 1),
    (H, 'http.host; datarep:reps,<,99;', 0),
])
