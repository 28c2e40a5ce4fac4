// SPDX-License-Identifier: Apache-2.0
// What happens now, for any page: `stats`, the latest alerts, changed groups and jobs. The connection itself is
// held once per browser: by a shared worker, or, where there is none, by the tab that holds a Web Lock, which
// tells the others over a BroadcastChannel.
import { signal } from '@preact/signals';
import { BASE } from './api';
import { Source, type Message } from './sse';
import type { Event, Group, Job } from './types';

export interface Stats {
  events_per_s: number;
  alerts_new: number;
  packets_per_s: number;
  bits_per_s: number;
  sensors_online: number;
  as_of: string;
}

export const streamState = signal<'connecting' | 'open' | 'down'>('connecting');
export const stats = signal<Stats | null>(null);
/** Alert groups nobody decided yet; null until known. */
export const openGroups = signal<number | null>(null);
export const jobs = signal<Record<string, Job>>({});
/** Live: pages follow the stream. Paused: they stand still and count what they have not shown. */
export const live = signal(true);
/** How many alerts arrived since the pause, or that the list on screen does not show yet. */
export const unseen = signal(0);

const KEEP = 200;
/** The newest alert events, newest first; stands still while paused. */
export const feed = signal<Event[]>([]);
let waiting: Event[] = [];

type Listener<T> = (v: T) => void;
const groupListeners = new Set<Listener<Group>>();
export function onGroup(fn: Listener<Group>): () => void {
  groupListeners.add(fn);
  return () => groupListeners.delete(fn);
}

/** Told, at most every two seconds, that alerts came in. */
const alertListeners = new Set<() => void>();
let alertTimer: ReturnType<typeof setTimeout> | undefined;
export function onAlerts(fn: () => void): () => void {
  alertListeners.add(fn);
  return () => alertListeners.delete(fn);
}

export function setLive(on: boolean): void {
  live.value = on;
  if (on) showUnseen();
}

export function showUnseen(): void {
  unseen.value = 0;
  if (waiting.length) {
    feed.value = [...waiting, ...feed.value].slice(0, KEEP);
    waiting = [];
  }
}

let pending: Event[] = [];
let flushTimer: ReturnType<typeof setTimeout> | undefined;
function flush(): void {
  flushTimer = undefined;
  const batch = pending.reverse();
  pending = [];
  if (live.value) feed.value = [...batch, ...feed.value].slice(0, KEEP);
  else {
    waiting = [...batch, ...waiting].slice(0, KEEP);
    unseen.value += batch.length;
  }
}

function take(m: Message): void {
  if (m.type === 'state') streamState.value = m.data as 'open' | 'down';
  else if (m.type === 'stats') {
    stats.value = m.data as Stats;
  }
  else if (m.type === 'job') {
    const j = m.data as Job;
    jobs.value = { ...jobs.value, [j.id]: j };
  } else if (m.type === 'alert_group') {
    const g = (m.data as { group?: Group }).group ?? (m.data as Group);
    for (const fn of groupListeners) fn(g);
  } else if (m.type === 'event') {
    const ev = m.data as Event;
    if (ev.event_type !== 'alert') return;
    pending.push(ev);
    alertTimer ??= setTimeout(() => {
      alertTimer = undefined;
      for (const fn of alertListeners) fn();
    }, 2000);
    flushTimer ??= setTimeout(flush, 200);
  }
}

let stopper: (() => void) | null = null;

export function startStream(): void {
  if (stopper) return;
  const address = location.origin + BASE + '/stream?types=alert';
  stopper = typeof SharedWorker === 'function' ? viaWorker(address) : viaLock(address);
}

export function stopStream(): void {
  stopper?.();
  stopper = null;
}

function viaWorker(address: string): () => void {
  const w = new SharedWorker(new URL('./stream-worker.ts', import.meta.url), { type: 'module', name: 'daizong-stream' });
  w.port.onmessage = (e) => take(e.data as Message);
  w.port.start();
  w.port.postMessage({ cmd: 'start', url: address });
  const bye = () => w.port.postMessage({ cmd: 'bye' });
  const back = (e: PageTransitionEvent) => {
    if (e.persisted) w.port.postMessage({ cmd: 'start', url: address });
  };
  addEventListener('pagehide', bye);
  addEventListener('pageshow', back);
  return () => {
    removeEventListener('pagehide', bye);
    removeEventListener('pageshow', back);
    bye();
    w.port.postMessage({ cmd: 'stop' });
  };
}

function viaLock(address: string): () => void {
  const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('daizong-stream') : null;
  if (channel) channel.onmessage = (e) => take(e.data as Message);
  const give = (m: Message) => {
    take(m);
    channel?.postMessage(m);
  };
  const source = new Source(address, give);
  const ctl = new AbortController();
  let release: (() => void) | null = null;
  if (navigator.locks && channel) {
    navigator.locks
      .request('daizong-stream', { signal: ctl.signal }, () => {
        source.start();
        return new Promise<void>((r) => (release = r));
      })
      .catch(() => undefined);
  } else source.start();
  return () => {
    source.stop();
    ctl.abort();
    release?.();
    channel?.close();
  };
}
