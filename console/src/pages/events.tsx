// SPDX-License-Identifier: Apache-2.0
// Event search: query with completion, chips, histogram with a brush, fields with their counts, a table with the
// columns of one's choice, and one event's fields or JSON in a drawer. All of it stands in the URL.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, BASE, say, url, useApi, type ApiError } from '../app/api';
import { field, severity, show, summary, endpoint } from '../app/eve';
import { csv, fetchAll, MOST, ndjson, save } from '../app/export';
import { pick, t } from '../app/i18n';
import { useKeys } from '../app/keys';
import { medium, narrow, roomy } from '../app/prefs';
import { indexOfByte, replaceTerm, terms } from '../app/query';
import { param, setParams } from '../app/route';
import { live } from '../app/stream';
import { clock, from, fullDay, isLiveRange, iso, resolve, setRange, spanWords, stamp, to } from '../app/time';
import type { Event, EventList, Histo } from '../app/types';
import { Button, Chip, Empty, Failed, Loading, PageHead } from '../ui/base';
import { Histogram, Legend, type Span } from '../ui/charts';
import { Grid, type Column } from '../ui/grid';
import { Icon, SeverityMark } from '../ui/icons';
import { openMenu, Popover, toast } from '../ui/overlay';
import { copy, Pivot } from '../ui/pivot';
import { catalogue, loadCatalogue, QueryBox } from '../ui/querybox';
import { SavedSearches } from '../ui/saved';
import { showAll } from '../ui/timepicker';
import { EventDrawer } from './eventdrawer';
import { FieldPanel } from './fieldpanel';
import { selection, setSelection } from './overview';

const PAGE = 200;
const DEFAULT_COLS = ['time', 'type', 'source', 'target', 'summary'];

interface Store {
  key: string;
  events: Event[];
  cursor: string | null;
  error: ApiError | null;
  loading: boolean;
  took: number;
}

function useEvents(query: string) {
  const [s, set] = useState<Store>({ key: '', events: [], cursor: null, error: null, loading: true, took: 0 });
  const [turn, setTurn] = useState(0);
  const busy = useRef(false);
  useEffect(() => {
    const ctl = new AbortController();
    busy.current = false;
    set((o) => ({ ...o, loading: true }));
    api<EventList>(`/events?${query}&limit=${PAGE}`, { signal: ctl.signal }).then(
      (r) => set({ key: query, events: r.events, cursor: r.next_cursor, error: null, loading: false, took: r.took_ms }),
      (e) => {
        if (!ctl.signal.aborted) set((o) => ({ ...o, key: query, error: e as ApiError, loading: false }));
      },
    );
    return () => ctl.abort();
  }, [query, turn]);
  const more = useCallback(() => {
    if (!s.cursor || busy.current || s.key !== query) return;
    busy.current = true;
    api<EventList>(`/events?${query}&limit=${PAGE * 2}&cursor=${encodeURIComponent(s.cursor)}`).then(
      (r) => {
        busy.current = false;
        set((o) => (o.key === query ? { ...o, events: [...o.events, ...r.events], cursor: r.next_cursor } : o));
      },
      (e) => {
        busy.current = false;
        toast((e as ApiError).message, { bad: true });
      },
    );
  }, [query, s.cursor, s.key]);
  return { s, more, reload: useCallback(() => setTurn((n) => n + 1), []) };
}

/** How many matching events are newer than the first row, asked now and then while live. */
function useNewer(q: string, first: Event | undefined, on: boolean): number {
  const [n, set] = useState(0);
  useEffect(() => {
    set(0);
    if (!on || !first) return;
    const id = setInterval(async () => {
      if (document.visibilityState !== 'visible') return;
      try {
        const r = await api<EventList>(url('/events', { q, from: first.timestamp, to: 'now', limit: 100 }));
        set(r.events.filter((e) => e._id !== first._id && e.timestamp > first.timestamp).length);
      } catch {
        /* asked again next time */
      }
    }, 10000);
    return () => clearInterval(id);
  }, [q, first?._id, on]);
  return n;
}

function ColumnChooser({ cols, onChange }: { cols: string[]; onChange(c: string[]): void }) {
  const btn = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [want, setWant] = useState('');
  // Those on when it opened stand first; the order then keeps still while boxes are ticked.
  const [first, setFirst] = useState(cols);
  const all = [
    ...DEFAULT_COLS.map((id) => ({ id, text: t('col.' + id), help: '' })),
    ...(catalogue.value?.fields ?? [])
      .filter((f) => f.type !== 'object' && f.name !== 'timestamp')
      .map((f) => ({ id: f.name, text: f.name, help: pick(f.help) })),
  ].filter((c) => !want || (c.text + ' ' + c.help).toLowerCase().includes(want.toLowerCase()));
  all.sort((a, b) => Number(first.includes(b.id)) - Number(first.includes(a.id)));
  return (
    <>
      <button ref={btn} type="button" class="btn" aria-haspopup="dialog" aria-expanded={open}
        onClick={() => {
          setFirst(cols);
          setOpen(!open);
        }}
      >
        <Icon name="columns" /> <span class="wide-only">{t('events.columns')}</span>
        <span class="sr narrow-only">{t('events.columns')}</span>
      </button>
      {open && btn.current && (
        <Popover anchor={btn.current} label={t('events.columns')} onClose={() => setOpen(false)}>
          <div class="chooser">
            <input data-autofocus value={want} placeholder={t('events.findfield')} aria-label={t('events.findfield')} onInput={(e) => setWant(e.currentTarget.value)} />
            <div class="chooser-list" tabIndex={0} role="group" aria-label={t('events.columns')}>
              {all.slice(0, 300).map((c) => (
                <label key={c.id} class="check-line" title={c.help}>
                  <input
                    type="checkbox"
                    checked={cols.includes(c.id)}
                    onChange={() => onChange(cols.includes(c.id) ? cols.filter((x) => x !== c.id) : [...cols, c.id])}
                  />
                  <span class={DEFAULT_COLS.includes(c.id) ? '' : 'mono'}>{c.text}</span>
                  <span class="muted small clip">{c.help}</span>
                </label>
              ))}
            </div>
            <Button onClick={() => onChange(DEFAULT_COLS)}>{t('events.defaultcols')}</Button>
          </div>
        </Popover>
      )}
    </>
  );
}

function column(id: string, oneDay: boolean): Column<Event> {
  switch (id) {
    case 'time':
      return {
        id,
        head: t('col.time'),
        width: oneDay ? '104px' : '178px',
        class: 'mono',
        cell: (e) => {
          const at = Date.parse(e.timestamp);
          return <span title={stamp(at)}>{oneDay ? clock(at) + '.' + String(new Date(at).getMilliseconds()).padStart(3, '0') : stamp(at)}</span>;
        },
      };
    case 'type':
      return {
        id,
        head: t('col.type'),
        width: '96px',
        cell: (e) => {
          const s = severity(e);
          return (
            <span class="type-cell">
              {s ? <SeverityMark severity={s} word={false} /> : <span class="no-mark" />}
              <Pivot tab={false} field="event_type" value={e.event_type} />
            </span>
          );
        },
      };
    case 'source':
      return { id, head: t('col.source'), width: '164px', cell: (e) => e.src_ip && <Pivot tab={false} field="src_ip" value={e.src_ip}>{endpoint(e, 'src')}</Pivot> };
    case 'target':
      return { id, head: t('col.target'), width: '164px', cell: (e) => e.dest_ip && <Pivot tab={false} field="dest_ip" value={e.dest_ip}>{endpoint(e, 'dest')}</Pivot> };
    case 'summary':
      return { id, head: t('col.summary'), width: 'minmax(220px, 1fr)', cell: (e) => <span title={summary(e)}>{summary(e)}</span> };
    default:
      return {
        id,
        head: <span class="mono">{id}</span>,
        width: 'minmax(110px, 0.5fr)',
        class: 'mono',
        cell: (e) => {
          const v = field(e, id);
          if (v === undefined || v === null) return <span class="muted">–</span>;
          return typeof v === 'object' ? show(v) : <Pivot tab={false} field={id} value={v as string} />;
        },
      };
  }
}

const SLIM: () => Column<Event>[] = () => [
  {
    id: 'event',
    head: t('col.summary'),
    width: 'minmax(0, 1fr)',
    cell: (e) => {
      const s = severity(e);
      return (
        <div class="two-line">
          <span class="clip">
            {s && <SeverityMark severity={s} word={false} />} <span class="mono muted">{e.event_type}</span>&ensp;{summary(e)}
          </span>
          <span class="clip mono muted">
            {e.src_ip ? `${endpoint(e, 'src')} → ${endpoint(e, 'dest')}` : e.daizong?.sensor}
          </span>
        </div>
      );
    },
  },
  {
    id: 'time',
    head: t('col.time'),
    width: '74px',
    end: true,
    class: 'mono wash',
    cell: (e) => (
      <div class="two-line">
        <span>{clock(Date.parse(e.timestamp))}</span>
        <span>{fullDay(Date.parse(e.timestamp)).slice(5)}</span>
      </div>
    ),
  },
];

export function Events() {
  loadCatalogue();
  const q = param('q');
  const sel = selection();
  const cols = param('cols') ? param('cols').split(',') : DEFAULT_COLS;
  const rowId = param('row');
  const range: Span = useMemo(() => [resolve(from.value), resolve(to.value)], [from.value, to.value, q]);
  const a = sel ? iso(sel[0]) : from.value;
  const b = sel ? iso(sel[1]) : to.value;
  const query = useMemo(() => url('', { q, from: a, to: b }).slice(1), [q, a, b]);
  const { s, more, reload } = useEvents(query);
  const canLive = live.value && isLiveRange.value && !sel;
  const histo = useApi<Histo>(url('/events/histogram', { q, from: from.value, to: to.value, by: 'severity' }), canLive ? 10000 : 0);
  const newer = useNewer(q, s.events[0], canLive && !s.loading);
  const [cursor, setCursor] = useState(0);
  const [side, setSide] = useState(!medium.value);
  useEffect(() => setCursor(0), [query]);
  useEffect(() => {
    const i = rowId ? s.events.findIndex((e) => e._id === rowId) : -1;
    if (i >= 0) setCursor(i);
  }, [rowId, s.events.length === 0]);

  const open = (i: number) => s.events[i] && setParams({ row: s.events[i]._id }, !!rowId);
  const move = (n: number) => {
    const i = Math.max(0, Math.min(s.events.length - 1, n));
    setCursor(i);
    if (rowId && s.events[i]) setParams({ row: s.events[i]._id }, true);
  };
  const refresh = () => {
    reload();
    histo.reload();
  };
  useKeys('nav.events', [
    { keys: ['j', 'ArrowDown'], label: 'events.k.down', run: () => move(cursor + 1) },
    { keys: ['k', 'ArrowUp'], label: 'events.k.up', run: () => move(cursor - 1) },
    { keys: ['o', 'Enter'], label: 'events.k.open', run: () => open(cursor) },
    { keys: ['f'], label: 'events.k.fields', run: () => setSide(!side) },
    { keys: ['r'], label: 'events.k.reload', run: refresh },
    {
      keys: ['Escape'],
      run: () => {
        if (rowId) setParams({ row: null });
        else if (sel) setSelection(null);
      },
    },
  ]);

  // Fields, table and drawer side by side need a wide window; the drawer goes first.
  const withSide = side && !(rowId && !roomy.value);
  const bad = s.error?.status === 400 || s.error?.status === 422 ? s.error : null;
  const oneDay = s.events.length > 0 && new Set([s.events[0], s.events[s.events.length - 1]].map((e) => fullDay(Date.parse(e.timestamp)))).size === 1 && fullDay(range[0]) === fullDay(range[1] - 1);
  const list = terms(q);
  // Beside an open drawer in a window that is not wide, the usual columns stand in two lines: nothing is cut off.
  const slim = narrow.value || (!!rowId && !roomy.value && cols.join() === DEFAULT_COLS.join());
  const columns = slim ? SLIM() : cols.map((c) => column(c, oneDay));
  const total = histo.data?.total;
  const exportItems = (e: MouseEvent) => {
    const asCsv = (rows: Event[]) => save(name + '.csv', '\ufeff' + csv(rows, cols), 'text/csv');
    const asJson = (rows: Event[]) => save(name + '.json', ndjson(rows), 'application/x-ndjson');
    const all = async (give: (rows: Event[]) => void) => {
      try {
        let said = Date.now();
        const rows = await fetchAll(query, (n) => {
          if (Date.now() - said < 3000) return;
          said = Date.now();
          toast(t('events.fetching', { n, all: total ?? '' }));
        });
        give(rows);
        if (rows.length >= MOST) toast(t('events.truncated', { n: rows.length }), { bad: true });
      } catch (e) {
        toast(say(e), { bad: true });
      }
    };
    const name = `daizong-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}`;
    openMenu(e.currentTarget as HTMLElement, t('events.export'), [
      { label: t('events.csv', { n: s.events.length }), run: () => asCsv(s.events) },
      { label: t('events.json', { n: s.events.length }), run: () => asJson(s.events) },
      ...(s.cursor
        ? [
            { label: t('events.allcsv', { n: total ?? '' }), run: () => void all(asCsv) },
            { label: t('events.alljson', { n: total ?? '' }), run: () => void all(asJson) },
          ]
        : []),
      null,
      { label: t('events.copyapi'), run: () => void copy(location.origin + BASE + '/events?' + query) },
    ]);
  };
  return (
    <>
      <PageHead
        ranged
        title={t('nav.events')}
        sub={total !== undefined && !bad ? t('events.sub', { n: total, ms: Math.round(s.took) }) : s.loading ? t('state.loading') : ''}
      >
        <Button pressed={side} class="toggle" onClick={() => setSide(!side)}>
          <Icon name="filter" /> {t('events.fields')}
        </Button>
        <ColumnChooser cols={cols} onChange={(c) => setParams({ cols: c.join() === DEFAULT_COLS.join() ? null : c.join() }, true)} />
        <SavedSearches />
        <Button onClick={exportItems} disabled={!s.events.length}>
          <Icon name="download" /> {t('events.export')}
        </Button>
      </PageHead>
      <div class="query-row">
        <QueryBox
          id="query"
          big
          value={q}
          label={t('events.query')}
          placeholder={t('events.placeholder')}
          error={bad ? { position: indexOfByte(q, bad.position ?? 0), message: bad.message } : null}
          onSubmit={(text) => {
            if (text === q) refresh();
            else setParams({ q: text, row: null });
          }}
        />
      </div>
      {list.length > 0 && !bad && (
        <div class="chips" role="group" aria-label={t('events.filters')}>
          {list.map((x, i) => (
            <Chip
              key={x.text + i}
              label={x.text}
              not={x.text.startsWith('-')}
              title={t('events.flip')}
              onClick={() => setParams({ q: replaceTerm(q, i, x.text.startsWith('-') ? x.text.slice(1) : '-' + x.text) })}
              onRemove={() => setParams({ q: replaceTerm(q, i, null) })}
            />
          ))}
          {list.length > 1 && (
            <button type="button" class="link small" onClick={() => setParams({ q: null })}>
              {t('inbox.unfilter')}
            </button>
          )}
        </div>
      )}
      {!bad && <section class="card events-histo" aria-label={t('events.histo')}>
        <div class="card-head slim">
          {sel ? (
            <span class="selection">
              {t('overview.selected', { span: spanWords(sel[0], sel[1]) })}
              <button type="button" class="link" onClick={() => setRange(iso(sel[0]), iso(sel[1]))}>
                {t('action.zoom')}
              </button>
              <button type="button" class="icon-btn small" aria-label={t('overview.unselect')} onClick={() => setSelection(null)}>
                <Icon name="close" size={12} />
              </button>
            </span>
          ) : (
            <span class="muted small">{histo.data?.total ? t('events.drag') : ''}</span>
          )}
          <div class="card-extra">{histo.data && <Legend series={histo.data.series} />}</div>
        </div>
        {histo.data ? (
          <Histogram
            label={t('events.histo')}
            times={histo.data.times}
            interval={histo.data.interval_s}
            series={histo.data.series}
            range={range}
            selection={sel}
            onSelect={(x) => setSelection(x)}
            height={narrow.value ? 72 : 96}
          />
        ) : (
          <div class="histo-blank" />
        )}
      </section>}
      {newer > 0 && (
        <button type="button" class="newer" onClick={refresh}>
          {t('events.newer', { n: newer >= 99 ? '99+' : newer })}
        </button>
      )}
      <div class={`search ${withSide && !bad ? 'with-side' : ''}`}>
        {withSide && !bad && (
          <FieldPanel
            q={q}
            from={a}
            to={b}
            onClose={() => setSide(false)}
            types={[...new Set(s.events.slice(0, 400).map((e) => String(e.event_type)))]}
          />
        )}
        {s.error && !bad ? (
          <div class="pane">
            <Failed error={s.error} retry={refresh} />
          </div>
        ) : bad ? (
          <div class="pane">
            <Empty title={t('events.badquery')}>
              <p>{t('events.badquery.hint')}</p>
              <ul class="tries">
                {['field', 'not', 'or', 'net', 'range', 'wild'].map((k) => (
                  <li key={k}>
                    <button type="button" class="link mono try" onClick={() => setParams({ q: t('help.q.' + k) })}>
                      {t('help.q.' + k)}
                    </button>
                    <span>{t('help.qd.' + k)}</span>
                  </li>
                ))}
              </ul>
            </Empty>
          </div>
        ) : s.loading && s.key !== query && !s.events.length ? (
          <Loading lines={10} />
        ) : !s.events.length ? (
          <div class="pane">
            <Empty title={q ? t('events.nomatch') : t('overview.nothing')}>
              <p>{t('events.nomatch.hint', { span: spanWords(range[0], range[1]) })}</p>
              <div class="row">
                {sel && <Button onClick={() => setSelection(null)}>{t('overview.unselect')}</Button>}
                {q && <Button onClick={() => setParams({ q: null })}>{t('inbox.unfilter')}</Button>}
                <Button
                  onClick={async () => {
                    if (!(await showAll().catch(() => false))) toast(t('range.nodata'));
                  }}
                >
                  {t('range.all')}
                </Button>
              </div>
            </Empty>
          </div>
        ) : (
          <div class={`split ${rowId ? 'open' : ''}`}>
            <div class="pane" aria-busy={s.loading ? 'true' : undefined}>
              <Grid
                id="events"
                label={t('events.label')}
                rows={s.events}
                columns={columns}
                rowHeight={slim ? 52 : undefined}
                rowKey={(e) => String(e._id)}
                cursor={cursor}
                onCursor={move}
                onOpen={open}
                total={sel ? undefined : total}
                onEnd={more}
              />
            </div>
            {rowId && <EventDrawer id={rowId} known={s.events.find((e) => e._id === rowId)} onClose={() => setParams({ row: null })} />}
          </div>
        )}
      </div>
    </>
  );
}
