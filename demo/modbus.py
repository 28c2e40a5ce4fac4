#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small Modbus/TCP controller and its client, for the demo captures.

usage: modbus.py serve ADDRESS | poll SOURCE ADDRESS COUNT | write SOURCE ADDRESS REGISTER VALUE
Frames per "MODBUS Messaging on TCP/IP" 1.0b; functions 3 (read) and 6 (write one register).
"""
import socket, struct, sys, threading, time


def exact(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            return None
        data += part
    return data


def frame(s):
    head = exact(s, 7)
    if not head:
        return None
    number, protocol, length, unit = struct.unpack(">HHHB", head)
    return number, unit, exact(s, length - 1)


def send(s, number, unit, pdu):
    s.sendall(struct.pack(">HHHB", number, 0, len(pdu) + 1, unit) + pdu)


def answer(s, registers):
    while (got := frame(s)):
        number, unit, pdu = got
        code, at, value = struct.unpack(">BHH", pdu[:5])
        if code == 3 and 1 <= value <= 125 and at + value <= len(registers):
            words = registers[at:at + value]
            send(s, number, unit, struct.pack(f">BB{value}H", 3, 2 * value, *words))
        elif code == 6 and at < len(registers):
            registers[at] = value
            send(s, number, unit, pdu)
        else:
            send(s, number, unit, bytes([code | 0x80, 1]))


def main():
    if sys.argv[1] == "serve":
        listener = socket.create_server((sys.argv[2], 502))
        registers = [220 + i % 7 for i in range(100)]
        while True:
            s, _ = listener.accept()
            threading.Thread(target=answer, args=(s, registers), daemon=True).start()
    s = socket.create_connection((sys.argv[3], 502), 5, (sys.argv[2], 0))
    if sys.argv[1] == "poll":
        for number in range(int(sys.argv[4])):
            send(s, number + 1, 1, struct.pack(">BHH", 3, 0, 10))
            frame(s)
            time.sleep(0.05)
    else:
        send(s, 1, 1, struct.pack(">BHH", 6, int(sys.argv[4]), int(sys.argv[5])))
        frame(s)
    s.close()


main()
