// SPDX-License-Identifier: Apache-2.0
// The shared worker: one EventSource for all tabs of this browser. HTTP/1.1 gives a browser six connections to
// a node; one stream per tab would use them up and block every request after the sixth tab.
import { Source, type Message } from './sse';

const ports = new Set<MessagePort>();
let last: Message | null = null;
let state: Message = { type: 'state', data: 'connecting' };
let source: Source | null = null;

function give(m: Message): void {
  if (m.type === 'state') state = m;
  if (m.type === 'stats') last = m;
  for (const p of ports) p.postMessage(m);
}

(self as unknown as { onconnect: (e: MessageEvent) => void }).onconnect = (e) => {
  const port = e.ports[0];
  port.onmessage = (msg: MessageEvent) => {
    if (msg.data.cmd === 'start') {
      ports.add(port);
      source ??= new Source(msg.data.url, give);
      source.start();
      port.postMessage(state);
      if (last) port.postMessage(last);
    } else if (msg.data.cmd === 'bye') {
      ports.delete(port);
      if (ports.size === 0) source?.stop();
    } else if (msg.data.cmd === 'stop') {
      source?.stop();
    }
  };
  port.start();
};
