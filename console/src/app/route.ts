// SPDX-License-Identifier: Apache-2.0
// The URL is the state of the page: path, query, time range, selection, columns. Pages read it through
// `param()` and change it through `setParams()`; `from` and `to` travel along when the page changes.
import { computed, signal } from '@preact/signals';

export const path = signal(location.pathname);
export const search = signal(location.search);
export const params = computed(() => new URLSearchParams(search.value));

type Patch = Record<string, string | null | undefined>;

export function param(name: string, fallback = ''): string {
  return params.value.get(name) ?? fallback;
}

function sync(): void {
  path.value = location.pathname;
  search.value = location.search;
}

function encode(p: URLSearchParams): string {
  const s = p.toString();
  return s ? '?' + s : '';
}

/** The address of a page with these parameters; the time range in force comes along. */
export function href(to: string, patch: Patch = {}): string {
  const p = new URLSearchParams();
  for (const k of ['from', 'to']) {
    const v = params.value.get(k);
    if (v !== null && !(k in patch)) p.set(k, v);
  }
  for (const [k, v] of Object.entries(patch)) if (v !== null && v !== undefined && v !== '') p.set(k, v);
  return to + encode(p);
}

/** One host's page. It ends in a slash: an address has dots, and a last part with a dot is taken for a file. */
export function hostHref(ip: string): string {
  return href(`/hosts/${encodeURIComponent(ip)}/`);
}

export function go(url: string, replace = false): void {
  if (url === location.pathname + location.search) return;
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  sync();
}

export function setParams(patch: Patch, replace = false): void {
  const p = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(patch)) {
    if (v === null || v === undefined || v === '') p.delete(k);
    else p.set(k, v);
  }
  go(location.pathname + encode(p), replace);
}

export function initRoute(): void {
  addEventListener('popstate', sync);
  addEventListener('click', (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = (e.target as Element | null)?.closest?.('a');
    if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin) return;
    if (a.pathname.startsWith('/api/') || a.pathname === '/metrics') return;
    e.preventDefault();
    go(a.pathname + a.search);
  });
}
