// SPDX-License-Identifier: Apache-2.0
// The time range: usual spans, all data there is, exact times, and a step out. It writes `from` and `to` of the URL.
import { useRef, useState } from 'preact/hooks';
import { api, url } from '../app/api';
import { t } from '../app/i18n';
import { param } from '../app/route';
import { clock, DEFAULT_FROM, from, fullDay, iso, markMoved, QUICK, rangeWords, resolve, setRange, to, zoomOut } from '../app/time';
import type { EventList } from '../app/types';
import { Button } from './base';
import { Icon } from './icons';
import { Popover, toast } from './overlay';

const EVER = '1970-01-01T00:00:00Z';

/** Oldest and newest event of all (or of those that `q` finds), or null when there is none. */
export async function dataSpan(q = ''): Promise<[number, number] | null> {
  const ask = (order: string) => api<EventList>(url('/events', { q, from: EVER, to: iso(Date.now() + 864e5), limit: 1, order }));
  const [a, b] = await Promise.all([ask('asc'), ask('desc')]);
  if (!b.events.length) return null;
  const last = Date.parse(b.events[0].timestamp);
  return [a.events.length ? Date.parse(a.events[0].timestamp) : last, last];
}

/** Shows everything there is: up to now when the newest event is recent, else its own span with a little room. */
export async function showAll(replace = false): Promise<boolean> {
  const s = await dataSpan();
  if (!s) return false;
  const pad = Math.max(2000, (s[1] - s[0]) * 0.05);
  setRange(iso(s[0] - pad), Date.now() - s[1] < 120e3 ? 'now' : iso(s[1] + pad), replace);
  return true;
}

/** Goes to where the data is if nobody asked for a range by name and the usual one ends after all data; the page's
 * head then says so. Tells whether it went. */
export async function toTheData(): Promise<boolean> {
  if (param('from') || param('to')) return false;
  const s = await dataSpan().catch(() => null);
  if (!s || s[1] >= resolve(DEFAULT_FROM) || param('from') || param('to')) return false;
  if (!(await showAll(true).catch(() => false))) return false;
  markMoved();
  return true;
}

const local = (ms: number) => `${fullDay(ms)}T${clock(ms)}`;

export function TimePicker() {
  const btn = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [a, setA] = useState('');
  const [b, setB] = useState('');
  const [bad, setBad] = useState('');
  const close = () => {
    setOpen(false);
    btn.current?.focus({ preventScroll: true });
  };
  const words = rangeWords(from.value, to.value);
  return (
    <>
      <button
        ref={btn}
        type="button"
        class="btn time-btn"
        id="time-range"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={t('range.label', { range: words })}
        onClick={() => {
          setA(local(resolve(from.value)));
          setB(local(resolve(to.value)));
          setBad('');
          setOpen(!open);
        }}
      >
        <span class="clip">{words}</span>
        <Icon name="down" size={12} />
      </button>
      {open && btn.current && (
        <Popover anchor={btn.current} label={t('range.title')} onClose={() => setOpen(false)}>
          <div class="time-quick">
            {QUICK.map((q) => (
              <button
                key={q}
                type="button"
                aria-pressed={from.value === q && to.value === 'now'}
                onClick={() => {
                  setRange(q, 'now');
                  close();
                }}
              >
                {rangeWords(q, 'now')}
              </button>
            ))}
            <button
              type="button"
              onClick={async () => {
                close();
                try {
                  if (!(await showAll())) toast(t('range.nodata'));
                } catch (e) {
                  toast((e as Error).message, { bad: true });
                }
              }}
            >
              {t('range.all')}
            </button>
            <button
              type="button"
              onClick={() => {
                zoomOut();
                close();
              }}
            >
              {t('range.zoomout')}
            </button>
          </div>
          <form
            class="time-exact"
            onSubmit={(e) => {
              e.preventDefault();
              const x = Date.parse(a);
              const y = Date.parse(b);
              if (!Number.isFinite(x) || !Number.isFinite(y) || x >= y) {
                setBad(t('range.bad'));
                return;
              }
              setRange(iso(x), iso(y));
              close();
            }}
          >
            <label>
              {t('range.from')}
              <input type="datetime-local" step="1" value={a} onInput={(e) => setA(e.currentTarget.value)} />
            </label>
            <label>
              {t('range.to')}
              <input type="datetime-local" step="1" value={b} onInput={(e) => setB(e.currentTarget.value)} />
            </label>
            {bad && (
              <p class="bad" role="alert">
                {bad}
              </p>
            )}
            <Button type="submit" kind="primary">
              {t('range.apply')}
            </Button>
            <p class="muted small">{t('range.zone', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
          </form>
        </Popover>
      )}
    </>
  );
}
