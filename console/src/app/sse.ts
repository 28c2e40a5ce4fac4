// SPDX-License-Identifier: Apache-2.0
// One connection to /api/v1/stream, owned by whoever runs this code (the shared worker, or the leading tab).
// Gives every message on as {type, data}; comes back by itself with a growing pause.
export interface Message {
  type: string;
  data: unknown;
}

const TYPES = ['hello', 'event', 'stats', 'alert_group', 'job'];

export class Source {
  private es: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = 1000;
  private wanted = false;

  constructor(
    private readonly url: string,
    private readonly out: (m: Message) => void,
  ) {}

  start(): void {
    this.wanted = true;
    if (!this.es) this.open();
  }

  stop(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.es?.close();
    this.es = null;
  }

  private open(): void {
    clearTimeout(this.timer);
    const es = new EventSource(this.url);
    this.es = es;
    es.onopen = () => {
      this.pause = 1000;
      this.out({ type: 'state', data: 'open' });
    };
    es.onerror = () => {
      this.out({ type: 'state', data: 'down' });
      if (es.readyState !== EventSource.CLOSED || this.es !== es) return;
      this.es = null;
      if (!this.wanted) return;
      this.timer = setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(this.pause * 2, 30000);
    };
    for (const type of TYPES) {
      es.addEventListener(type, (e) => {
        try {
          this.out({ type, data: JSON.parse((e as MessageEvent).data) });
        } catch {
          /* a broken line is not worth the stream */
        }
      });
    }
  }
}
