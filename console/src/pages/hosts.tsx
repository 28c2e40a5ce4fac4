// SPDX-License-Identifier: Apache-2.0
// Hosts: every address seen in the time range, with names, services, traffic and alerts.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, url, type ApiError } from '../app/api';
import { bytes, int } from '../app/format';
import { t } from '../app/i18n';
import { useKeys } from '../app/keys';
import { narrow } from '../app/prefs';
import { go, hostHref, param, setParams } from '../app/route';
import { ago, brief, from, to } from '../app/time';
import type { HostRow } from '../app/types';
import { Button, Empty, Failed, FilterField, Loading, PageHead } from '../ui/base';
import { Grid, type Column } from '../ui/grid';
import { toast } from '../ui/overlay';
import { showAll } from '../ui/timepicker';

interface Store {
  hosts: HostRow[];
  cursor: string | null;
  error: ApiError | null;
  loading: boolean;
}

type Answer = { hosts: HostRow[]; next_cursor: string | null };

function serviceText(h: HostRow): string {
  const each = h.services.map((s) => (s.app_proto && s.app_proto !== 'failed' ? s.app_proto : s.proto.toLowerCase()) + '/' + s.port);
  return [...new Set(each)].join('  ');
}

export function Hosts() {
  const q = param('q');
  const sort = param('sort', 'alerts');
  const [cursor, setCursor] = useState(0);
  const [s, set] = useState<Store>({ hosts: [], cursor: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  const busy = useRef(false);
  const query = useMemo(() => url('', { q, sort, from: from.value, to: to.value }).slice(1), [q, sort, from.value, to.value]);
  useEffect(() => {
    const ctl = new AbortController();
    busy.current = false;
    setCursor(0);
    set((o) => ({ ...o, loading: true, error: null }));
    api<Answer>(`/hosts?${query}&limit=200`, { signal: ctl.signal }).then(
      (r) => set({ hosts: r.hosts, cursor: r.next_cursor, error: null, loading: false }),
      (e) => {
        if (!ctl.signal.aborted) set({ hosts: [], cursor: null, error: e as ApiError, loading: false });
      },
    );
    return () => ctl.abort();
  }, [query, turn]);
  const more = useCallback(() => {
    if (!s.cursor || busy.current) return;
    busy.current = true;
    api<Answer>(`/hosts?${query}&limit=200&cursor=${encodeURIComponent(s.cursor)}`).then(
      (r) => {
        busy.current = false;
        set((o) => ({ ...o, hosts: [...o.hosts, ...r.hosts], cursor: r.next_cursor }));
      },
      (e) => {
        busy.current = false;
        toast((e as ApiError).message, { bad: true });
      },
    );
  }, [query, s.cursor]);
  const open = (i: number) => s.hosts[i] && go(hostHref(s.hosts[i].ip));
  const move = (i: number) => setCursor(Math.max(0, Math.min(s.hosts.length - 1, i)));
  useKeys('nav.hosts', [
    { keys: ['j', 'ArrowDown'], label: 'hosts.k.down', run: () => move(cursor + 1) },
    { keys: ['k', 'ArrowUp'], label: 'hosts.k.up', run: () => move(cursor - 1) },
    { keys: ['o', 'Enter'], label: 'pivot.host', run: () => open(cursor) },
    { keys: ['r'], label: 'inbox.k.reload', run: () => setTurn(turn + 1) },
  ]);
  const head = (id: string, label: string) => (
    <button type="button" class="sort" tabIndex={-1} onClick={() => setParams({ sort: id === 'alerts' ? null : id })}>
      {label}
      {sort === id ? ' ↓' : ''}
    </button>
  );
  const ip: Column<HostRow> = {
    id: 'ip',
    head: t('hosts.address'),
    width: 'minmax(130px, 220px)',
    cell: (h) => (
      <a class="mono" tabIndex={-1} href={hostHref(h.ip)}>
        {h.ip}
      </a>
    ),
  };
  const wide: Column<HostRow>[] = [
    ip,
    { id: 'side', head: t('hosts.side'), width: '72px', class: 'wash', cell: (h) => t(h.internal ? 'hosts.internal' : 'hosts.external') },
    { id: 'names', head: t('hosts.names'), width: 'minmax(140px, 1fr)', cell: (h) => (h.names.length ? <span title={h.names.join('\n')}>{h.names.join(', ')}</span> : <span class="muted">–</span>) },
    { id: 'services', head: t('hosts.services'), width: 'minmax(120px, 1fr)', class: 'mono', cell: (h) => serviceText(h) || <span class="muted">–</span> },
    { id: 'alerts', head: head('alerts', t('unit.alerts')), width: '84px', end: true, cell: (h) => int(h.alerts) },
    { id: 'events', head: head('events', t('hosts.events')), width: '84px', end: true, cell: (h) => int(h.events) },
    { id: 'in', head: head('bytes', t('hosts.in')), width: '90px', end: true, cell: (h) => bytes(h.bytes_in) },
    { id: 'out', head: t('hosts.out'), width: '90px', end: true, cell: (h) => bytes(h.bytes_out) },
    { id: 'last', head: head('last', t('hosts.last')), width: '96px', end: true, class: 'wash', cell: (h) => <span title={brief(Date.parse(h.last))}>{ago(Date.parse(h.last))}</span> },
  ];
  const slim: Column<HostRow>[] = [
    {
      id: 'ip',
      head: t('hosts.address'),
      width: 'minmax(0, 1fr)',
      cell: (h) => (
        <div class="two-line">
          <span class="mono clip">{h.ip}</span>
          <span class="clip muted small">{h.names[0] || serviceText(h) || t(h.internal ? 'hosts.internal' : 'hosts.external')}</span>
        </div>
      ),
    },
    {
      id: 'n',
      head: t('unit.alerts'),
      width: '96px',
      end: true,
      cell: (h) => (
        <div class="two-line">
          <span>{int(h.alerts)}</span>
          <span class="muted small">{bytes(h.bytes_in + h.bytes_out)}</span>
        </div>
      ),
    },
  ];
  return (
    <>
      <PageHead title={t('nav.hosts')} ranged sub={s.loading ? t('state.loading') : t(s.cursor ? 'hosts.sub.more' : 'hosts.sub', { n: s.hosts.length })}>
        <FilterField value={q} label={t('hosts.filter')} onChange={(v) => setParams({ q: v })} />
      </PageHead>
      {s.error ? (
        <Failed error={s.error} retry={() => setTurn(turn + 1)} />
      ) : s.loading && !s.hosts.length ? (
        <Loading lines={10} />
      ) : !s.hosts.length ? (
        <div class="pane">
          <Empty title={q ? t('hosts.nomatch') : t('hosts.none')}>
            <div class="row">
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
        <div class="pane fill" aria-busy={s.loading ? 'true' : undefined}>
          <Grid
            id="hosts"
            label={t('nav.hosts')}
            rows={s.hosts}
            columns={narrow.value ? slim : wide}
            rowHeight={narrow.value ? 52 : undefined}
            rowKey={(h) => h.ip}
            cursor={cursor}
            onCursor={move}
            onOpen={open}
            onEnd={more}
          />
        </div>
      )}
    </>
  );
}
