// SPDX-License-Identifier: Apache-2.0
// Alert inbox: one row a group (signature, source, target). One key decides a whole group; several can be
// selected, up to all that match; each decision can be taken back. Details stand in a drawer beside the list.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, may, post, say, url, type ApiError } from '../app/api';
import { int } from '../app/format';
import { t } from '../app/i18n';
import { useKeys } from '../app/keys';
import { narrow, roomy } from '../app/prefs';
import { href, go, param, setParams } from '../app/route';
import { live, onAlerts, onGroup, setLive } from '../app/stream';
import { ago, brief, from, isLiveRange, rangeWords, to } from '../app/time';
import { SEVERITIES, type Group, type GroupList, type Severity } from '../app/types';
import { Button, Chip, Empty, Failed, Loading, PageHead, Segments, FilterField } from '../ui/base';
import { Spark } from '../ui/charts';
import { Grid, type Column } from '../ui/grid';
import { tick } from '../ui/hooks';
import { Icon, SeverityMark } from '../ui/icons';
import { openMenu, toast } from '../ui/overlay';
import { Pivot } from '../ui/pivot';
import { showAll } from '../ui/timepicker';
import { GroupDrawer } from './groupdrawer';

type Action = 'archive' | 'escalate' | 'reopen';
const PAGE = 200;

interface Store {
  groups: Group[];
  cursor: string | null;
  totals: GroupList['totals'] | null;
  error: ApiError | null;
  loading: boolean;
}

/** The list in pages, as a value that decisions change at once and a failure puts back. */
function useGroups(query: string) {
  const [s, set] = useState<Store>({ groups: [], cursor: null, totals: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  const busy = useRef(false);
  useEffect(() => {
    const ctl = new AbortController();
    set((o) => ({ ...o, loading: true, error: null }));
    busy.current = false;
    api<GroupList>(`/alerts?${query}&limit=${PAGE}`, { signal: ctl.signal }).then(
      (r) => set({ groups: r.groups, cursor: r.next_cursor, totals: r.totals, error: null, loading: false }),
      (e) => {
        if (!ctl.signal.aborted) set((o) => ({ ...o, error: e as ApiError, loading: false }));
      },
    );
    return () => ctl.abort();
  }, [query, turn]);
  const more = useCallback(() => {
    if (!s.cursor || busy.current) return;
    busy.current = true;
    api<GroupList>(`/alerts?${query}&limit=${PAGE}&cursor=${encodeURIComponent(s.cursor)}`).then(
      (r) => {
        busy.current = false;
        set((o) => {
          const have = new Set(o.groups.map((g) => g.id));
          return { ...o, groups: [...o.groups, ...r.groups.filter((g) => !have.has(g.id))], cursor: r.next_cursor };
        });
      },
      (e) => {
        busy.current = false;
        toast((e as ApiError).message, { bad: true });
      },
    );
  }, [query, s.cursor]);
  return { s, set, more, reload: () => setTurn((n) => n + 1) };
}

export function Inbox() {
  const status = param('status', 'new');
  const severity = param('severity');
  const text = param('q');
  const sort = param('sort', 'last');
  const openId = param('open');
  const query = useMemo(() => {
    const u = url('', { status, severity, q: text, sort, from: from.value, to: to.value });
    return u.slice(1);
  }, [status, severity, text, sort, from.value, to.value]);
  const { s, set, more, reload } = useGroups(query);
  const [cursor, setCursor] = useState(0);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [everything, setEverything] = useState(false);
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const groups = s.groups;
  void tick.value;

  useEffect(() => {
    setSelected(new Set());
    setEverything(false);
    setFresh(new Set());
    setCursor(0);
  }, [query]);
  useEffect(() => {
    if (cursor >= groups.length && groups.length) setCursor(groups.length - 1);
  }, [groups.length]);
  // The group named in the URL is the cursor row.
  useEffect(() => {
    const i = openId ? groups.findIndex((g) => g.id === openId) : -1;
    if (i >= 0 && i !== cursor) setCursor(i);
  }, [openId, groups.length === 0]);
  // A change that the stream tells of: known rows change in place, unknown ones are counted, so the list does
  // not move under the reader.
  useEffect(
    () =>
      onGroup((g) => {
        if (!live.value || !isLiveRange.value) return;
        set((o) => {
          const i = o.groups.findIndex((x) => x.id === g.id);
          if (i < 0) return o;
          const next = [...o.groups];
          next[i] = { ...next[i], ...g };
          return { ...o, groups: next };
        });
        if (g.status === status || status === 'all') setFresh((f) => (f.has(g.id) ? f : new Set([...f, g.id])));
      }),
    [status],
  );
  // Alerts came in: which groups changed, the node says. An empty list has no place to lose and shows them.
  useEffect(
    () =>
      onAlerts(() => {
        if (!live.value || !isLiveRange.value) return;
        api<GroupList>(`/alerts?${query}&limit=${PAGE}`).then(
          (r) => {
            const now = new Map(r.groups.map((g) => [g.id, g]));
            set((o) => {
              if (!o.groups.length) return { ...o, groups: r.groups, cursor: r.next_cursor, totals: r.totals };
              const have = new Set(o.groups.map((g) => g.id));
              const more = r.groups.filter((g) => !have.has(g.id)).map((g) => g.id);
              // Groups further down than was loaded are no news.
              if (more.length && (!o.cursor || sort === 'last')) setFresh((f) => new Set([...f, ...more]));
              return { ...o, groups: o.groups.map((g) => now.get(g.id) ?? g), totals: r.totals };
            });
          },
          () => undefined,
        );
      }),
    [query],
  );
  const unknown = [...fresh].filter((id) => !groups.some((g) => g.id === id)).length;

  const open = (i: number) => {
    const g = groups[i];
    if (g) setParams({ open: g.id }, !!openId);
  };
  const move = (to: number) => {
    const i = Math.max(0, Math.min(groups.length - 1, to));
    setCursor(i);
    if (openId && groups[i]) setParams({ open: groups[i].id }, true);
  };
  const toggle = (i: number) => {
    const g = groups[i];
    if (!g) return;
    setEverything(false);
    setSelected((old) => {
      const next = new Set(old);
      if (!next.delete(g.id)) next.add(g.id);
      return next;
    });
  };
  const clear = () => {
    setSelected(new Set());
    setEverything(false);
  };

  const decide = async (actions: Action[], note = '') => {
    if (!may('decide')) {
      toast(t('role.mayonly'));
      return;
    }
    const ids = selected.size ? [...selected] : groups[cursor] ? [groups[cursor].id] : [];
    if (!ids.length) return;
    const before = s;
    const gone = new Set(ids);
    const last = actions[actions.length - 1];
    const want = last === 'archive' ? 'archived' : last === 'escalate' ? 'escalated' : 'new';
    const stays = status === 'all' || status === want;
    const count = everything ? (s.totals?.groups ?? ids.length) : ids.length;
    const alerts = everything ? (s.totals?.alerts ?? 0) : groups.reduce((n, g) => n + (gone.has(g.id) ? g.count : 0), 0);
    set((o) => ({
      ...o,
      groups: stays ? o.groups.map((g) => (gone.has(g.id) ? { ...g, status: want } : g)) : everything ? [] : o.groups.filter((g) => !gone.has(g.id)),
      totals: o.totals && !stays ? { ...o.totals, groups: Math.max(0, o.totals.groups - count), alerts: Math.max(0, o.totals.alerts - alerts) } : o.totals,
    }));
    clear();
    const at = Math.min(cursor, Math.max(0, groups.length - ids.length - 1));
    if (!stays) {
      const rest = groups.filter((g) => !gone.has(g.id));
      setCursor(at);
      if (openId) setParams({ open: rest[at]?.id ?? null }, true);
    }
    try {
      const tokens: string[] = [];
      const remark = note ? { note } : {};
      let changed = 0;
      for (const action of actions) {
        const body = everything ? { query: { status, severity, q: text, from: from.value, to: to.value }, action, ...remark } : { ids, action, ...remark };
        const r = await post<{ changed: number; undo: string }>('/alerts/decide', body);
        tokens.unshift(r.undo);
        changed = Math.max(changed, r.changed);
      }
      toast(t('inbox.done.' + (actions.length > 1 ? 'both' : last), { n: changed }), {
        undo: () => {
          void (async () => {
            try {
              for (const undo of tokens) await post('/alerts/undo', { undo });
              toast(t('inbox.undone'));
            } catch (e) {
              toast((e as ApiError).message, { bad: true });
            }
            reload();
          })();
        },
      });
      if (everything) reload();
    } catch (e) {
      set(() => before);
      toast(t('inbox.notdone', { why: say(e) }), { bad: true });
    }
  };

  const selectWhere = (test: (g: Group) => boolean) => {
    setEverything(false);
    setSelected(new Set(groups.filter(test).map((g) => g.id)));
  };
  const toIncident = () => void decide(['escalate']);

  useKeys('nav.inbox', [
    { keys: ['j', 'ArrowDown'], label: 'inbox.k.down', run: () => move(cursor + 1) },
    { keys: ['k', 'ArrowUp'], label: 'inbox.k.up', run: () => move(cursor - 1) },
    { keys: ['o', 'Enter'], label: 'inbox.k.open', run: () => open(cursor) },
    { keys: ['e', 'F8'], label: 'inbox.archive', run: () => void decide(['archive']) },
    { keys: ['s'], label: 'inbox.escalate', run: toIncident },
    { keys: ['Shift+s', 'F9'], label: 'inbox.k.both', run: () => void decide(['escalate', 'archive']) },
    { keys: ['Shift+e'], label: 'inbox.reopen', run: () => void decide(['reopen']) },
    { keys: ['x'], label: 'inbox.k.select', run: () => toggle(cursor) },
    { keys: ['* a'], label: 'inbox.k.all', run: () => selectWhere(() => true) },
    { keys: ['* n'], label: 'inbox.k.none', run: clear },
    {
      keys: ['* 1'],
      label: 'inbox.k.same',
      run: () => selectWhere((g) => g.signature_id === groups[cursor]?.signature_id),
    },
    { keys: ['Shift+h'], label: 'inbox.k.top', run: () => move(0) },
    { keys: ['Shift+g'], label: 'inbox.k.end', run: () => move(groups.length - 1) },
    { keys: ['r'], label: 'inbox.k.reload', run: reload },
    {
      keys: ['Escape'],
      run: () => {
        if (openId) setParams({ open: null });
        else clear();
      },
    },
  ]);

  const check: Column<Group> = {
    id: 'check',
    head: <span class="sr">{t('inbox.col.select')}</span>,
    width: '20px',
    cell: (_g, i) => (
      <span class="g-check" onClick={() => toggle(i)}>
        <Icon name="check" size={12} />
      </span>
    ),
  };
  const sortHead = (id: string, label: string) => (
    <button type="button" class="sort" tabIndex={-1} onClick={() => setParams({ sort: id === 'last' ? null : id })}>
      {label}
      {sort === id ? ' ↓' : ''}
    </button>
  );
  const wide: Column<Group>[] = [
    check,
    { id: 'severity', head: sortHead('severity', t('col.severity')), width: '82px', cell: (g) => <SeverityMark severity={g.severity} /> },
    { id: 'count', head: sortHead('count', t('col.count')), width: '64px', end: true, cell: (g) => int(g.count) },
    {
      id: 'alert',
      head: t('col.alert'),
      width: 'minmax(160px, 1fr)',
      cell: (g) => (
        <>
          {status === 'all' && g.status !== 'new' && <span class="tag">{t('status.' + g.status)}</span>}
          <span title={g.signature}>{g.signature}</span>
        </>
      ),
    },
    { id: 'src', head: t('col.source'), width: 'minmax(112px, 0.2fr)', cell: (g) => <Pivot tab={false} field="src_ip" value={g.src_ip} /> },
    { id: 'dest', head: t('col.target'), width: 'minmax(112px, 0.2fr)', cell: (g) => <Pivot tab={false} field="dest_ip" value={g.dest_ip} /> },
    ...(openId ? [] : [{ id: 'spark', head: <span title={t('col.trend.of', { span: rangeWords(from.value, to.value) })}>{t('col.trend')}</span>, width: '92px', cell: (g: Group) => <Spark values={g.spark} /> }]),
    { id: 'tech', head: t('col.technique'), width: '84px', class: 'mono', cell: (g) => g.techniques[0] ?? <span class="muted">–</span> },
    { id: 'last', head: sortHead('last', t('col.last')), width: '84px', end: true, class: 'wash', cell: (g) => <span title={brief(Date.parse(g.last))}>{ago(Date.parse(g.last))}</span> },
  ];
  const slim: Column<Group>[] = [
    check,
    {
      id: 'alert',
      head: t('col.alert'),
      width: 'minmax(0, 1fr)',
      cell: (g) => (
        <div class="two-line">
          <span class="clip">
            <SeverityMark severity={g.severity} word={false} /> {g.signature}
          </span>
          <span class="clip mono muted">
            {g.src_ip} → {g.dest_ip}
          </span>
        </div>
      ),
    },
    {
      id: 'last',
      head: t('col.last'),
      width: '72px',
      end: true,
      cell: (g) => (
        <div class="two-line">
          <span title={t('col.count')}>× {int(g.count)}</span>
          <span class="muted small">{ago(Date.parse(g.last))}</span>
        </div>
      ),
    },
  ];

  // Beside an open drawer in a window that is not wide, two lines a row: nothing is cut off.
  const lean = narrow.value || (!!openId && !roomy.value);
  const totals = s.totals;
  const decides = may('decide');
  const sub = totals ? t(totals.more ? 'inbox.sub.more' : 'inbox.sub', { groups: totals.groups, alerts: totals.alerts }) : '';
  const sevs = severity.split(',').filter(Boolean) as Severity[];
  const many = everything ? (totals?.groups ?? 0) : selected.size;
  return (
    <>
      <PageHead title={t('nav.inbox')} ranged sub={sub}>
        <FilterField value={text} label={t('inbox.filter')} onChange={(q) => setParams({ q, open: null })} />
        {sevs.map((v) => (
          <Chip key={v} label={t('severity.' + v)} onRemove={() => setParams({ severity: sevs.filter((x) => x !== v).join(',') })} />
        ))}
        <Button
          onClick={(e) =>
            openMenu(e.currentTarget as HTMLElement, t('col.severity'), [
              ...SEVERITIES.map((v) => ({
                label: t('severity.' + v) + (totals?.by_severity[v] ? ` (${int(totals.by_severity[v])})` : ''),
                on: sevs.includes(v),
                run: () => setParams({ severity: (sevs.includes(v) ? sevs.filter((x) => x !== v) : [...sevs, v]).join(',') }),
              })),
              null,
              { label: t('inbox.allsev'), run: () => setParams({ severity: null }) },
            ])
          }
        >
          {t('col.severity')} <Icon name="down" size={12} />
        </Button>
        <Segments
          label={t('inbox.status')}
          value={status}
          options={['new', 'escalated', 'archived', 'all'].map((v) => [v, t('status.' + v)])}
          onChange={(v) => setParams({ status: v === 'new' ? null : v, open: null })}
        />
        {decides && status !== 'archived' && (
          <Button hint="e" disabled={!groups.length} onClick={() => void decide(['archive'])}>
            {t('inbox.archive')}
          </Button>
        )}
        {decides && status !== 'escalated' && (
          <Button hint="s" disabled={!groups.length} onClick={toIncident}>
            {t('inbox.escalate')}
          </Button>
        )}
        {decides && status !== 'new' && (
          <Button disabled={!groups.length} onClick={() => void decide(['reopen'])}>
            {t('inbox.reopen')}
          </Button>
        )}
      </PageHead>
      {many > 0 && (
        <div class="bulk" role="status">
          <b>{t('inbox.selected', { n: many })}</b>
          {!everything && selected.size === groups.length && totals && totals.groups > groups.length && (
            <button type="button" class="link" onClick={() => setEverything(true)}>
              {t('inbox.everything', { n: totals.groups })}
            </button>
          )}
          <button type="button" class="link" onClick={clear}>
            {t('inbox.k.none')}
          </button>
        </div>
      )}
      {s.error && groups.length > 0 && (
        <div class="stale-line" role="status">
          <span>{t('inbox.stale', { why: s.error.message })}</span>
          <button type="button" class="link" onClick={reload}>
            {t('action.retry')}
          </button>
        </div>
      )}
      {unknown > 0 && (
        <button type="button" class="newer" onClick={reload}>
          {t('inbox.newer', { n: unknown })}
        </button>
      )}
      {s.error && !groups.length ? (
        <Failed error={s.error} retry={reload} />
      ) : s.loading && !groups.length ? (
        <Loading lines={10} />
      ) : !groups.length ? (
        <div class="pane">
          <Empty title={status === 'new' && !severity && !text ? t('inbox.empty') : t('inbox.nomatch')}>
            <div class="row">
              {(severity || text) && <Button onClick={() => setParams({ severity: null, q: null })}>{t('inbox.unfilter')}</Button>}
              <Button
                onClick={async () => {
                  if (!(await showAll().catch(() => false))) toast(t('range.nodata'));
                }}
              >
                {t('range.all')}
              </Button>
              <Button onClick={() => go(href('/overview'))}>{t('page.home')}</Button>
              {!live.value && <Button onClick={() => setLive(true)}>{t('live.resume')}</Button>}
            </div>
          </Empty>
        </div>
      ) : (
        <div class={`split evidence ${openId ? 'open' : ''}`}>
          <div class="pane" aria-busy={s.loading ? 'true' : undefined}>
            <Grid
              id="inbox"
              label={t('inbox.label')}
              rows={groups}
              columns={lean ? slim : wide}
              rowHeight={lean ? 52 : undefined}
              rowKey={(g) => g.id}
              rowClass={(g) => (fresh.has(g.id) ? 'fresh' : '')}
              cursor={cursor}
              onCursor={move}
              onOpen={open}
              selected={selected}
              total={totals?.groups}
              onEnd={more}
            />
          </div>
          {openId && (
            <GroupDrawer
              id={openId}
              known={groups.find((g) => g.id === openId)}
              onClose={() => setParams({ open: null })}
              onDecide={(a, note) => {
                const i = groups.findIndex((g) => g.id === openId);
                if (i >= 0) setCursor(i);
                clear();
                void decide(a, note);
              }}
            />
          )}
        </div>
      )}
    </>
  );
}
