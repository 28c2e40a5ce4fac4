// SPDX-License-Identifier: Apache-2.0
// The only door to the node: JSON over /api/v1 with the session's cookie and CSRF token. A failure is an
// ApiError that says what happened and what to do; `useApi` keeps the last good answer while a new one loads.
import { signal } from '@preact/signals';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Session } from './types';
import { t } from './i18n';
import { said } from './said';

export const BASE = '/api/v1';

/** undefined: not asked yet; null: nobody is logged in. */
export const session = signal<Session | null | undefined>(undefined);
/** The session that was there is no longer good: the login says so. */
export const ended = signal(false);

/** How far this computer's clock is ahead of the node's, in milliseconds, as the last answer told. */
export const clockAhead = signal(0);
const SKEW_TOLD = 90e3;

/** The Date header has whole seconds and the answer took its time: only what is beyond both counts. */
function readClock(date: string | null, asked: number): void {
  const node = Date.parse(date ?? '');
  if (!Number.isFinite(node) || Date.now() - asked > 10e3) return;
  const ahead = Date.now() - node;
  clockAhead.value = Math.abs(ahead) > SKEW_TOLD ? Math.round(ahead / 60e3) * 60e3 : 0;
}

/** What the role allows: a viewer looks, an analyst also decides and brings data, an administrator everything. */
export function may(what: 'decide' | 'administer'): boolean {
  const role = session.value?.user.role;
  return role === 'admin' || (role === 'analyst' && what === 'decide');
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint = '',
    readonly position: number | null = null,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | null | undefined>;

export function url(path: string, query: Query = {}): string {
  const p = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v !== null && v !== undefined && v !== '') p.set(k, String(v));
  const s = p.toString();
  return path + (s ? '?' + s : '');
}

interface Options {
  method?: string;
  body?: unknown;
  raw?: Blob;
  signal?: AbortSignal;
}

export async function api<T>(path: string, o: Options = {}): Promise<T> {
  const method = o.method ?? 'GET';
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET' && session.value) headers['X-CSRF-Token'] = session.value.csrf;
  if (o.raw) headers['Content-Type'] = 'application/octet-stream';
  else if (o.body !== undefined) headers['Content-Type'] = 'application/json';
  let res: Response;
  const asked = Date.now();
  try {
    res = await fetch(BASE + path, {
      method,
      headers,
      body: o.raw ?? (o.body === undefined ? undefined : JSON.stringify(o.body)),
      signal: o.signal,
      credentials: 'same-origin',
    });
  } catch (e) {
    if (o.signal?.aborted) throw e;
    throw new ApiError(0, 'unreachable', t('error.unreachable'), t('error.unreachable.hint'));
  }
  readClock(res.headers.get('date'), asked);
  if (res.status === 204) return undefined as T;
  const type = res.headers.get('content-type') ?? '';
  let data: unknown = null;
  try {
    data = type.includes('json') ? await res.json() : await res.text();
  } catch (e) {
    if (o.signal?.aborted) throw e;
  }
  if (res.ok) return data as T;
  const err = (data as { error?: Record<string, unknown> } | null)?.error ?? {};
  if (res.status === 401 && session.value) {
    ended.value = true;
    session.value = null;
  }
  throw new ApiError(
    res.status,
    String(err.code ?? res.status),
    said(res.status, String(err.message ?? t('error.status', { n: res.status }))),
    String(err.hint ?? ''),
    typeof err.position === 'number' ? err.position : null,
    Number(res.headers.get('retry-after')) || null,
  );
}

/** What failed and what to do, in one line. */
export function say(e: unknown): string {
  const x = e as ApiError;
  return [x.message, x.hint].filter(Boolean).join(' ');
}

export const post = <T>(path: string, body?: unknown) => api<T>(path, { method: 'POST', body });
export const put = <T>(path: string, body: unknown) => api<T>(path, { method: 'PUT', body });
export const del = <T>(path: string) => api<T>(path, { method: 'DELETE' });

export interface Result<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  /** Does `data` answer this very question? While it changed and the answer is not there, it does not. */
  fits: boolean;
  /** When the answer shown arrived (ms), 0 if none. */
  at: number;
  reload(): void;
}

/** Fetches `path` (null: nothing) and again when it changes, every `everyMs` if given, and on reload(). */
export function useApi<T>(path: string | null, everyMs = 0): Result<T> {
  const [state, set] = useState<{ of: string | null; data?: T; error?: ApiError; loading: boolean; at: number }>({
    of: null,
    loading: path !== null,
    at: 0,
  });
  const [turn, setTurn] = useState(0);
  const running = useRef<AbortController | null>(null);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  useEffect(() => {
    if (path === null) {
      set({ of: null, loading: false, at: 0 });
      return;
    }
    const ctl = new AbortController();
    running.current?.abort();
    running.current = ctl;
    set((s) => ({ ...s, loading: true }));
    api<T>(path, { signal: ctl.signal }).then(
      (data) => {
        if (!ctl.signal.aborted) set({ of: path, data, loading: false, at: Date.now() });
      },
      (error) => {
        if (!ctl.signal.aborted) set((s) => ({ ...s, error: error as ApiError, loading: false }));
      },
    );
    return () => ctl.abort();
  }, [path, turn]);
  useEffect(() => {
    if (!everyMs || path === null) return;
    const id = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, everyMs);
    return () => clearInterval(id);
  }, [path, everyMs]);
  return { data: state.data, error: state.error, loading: state.loading, fits: state.of === path, at: state.at, reload };
}
