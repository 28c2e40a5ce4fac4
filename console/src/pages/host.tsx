// SPDX-License-Identifier: Apache-2.0
// One address: what it is called, what it offers and runs, whom it talks to, what was raised about it, and when.
import { url, useApi } from '../app/api';
import { bytes, int } from '../app/format';
import { t, word } from '../app/i18n';
import { term } from '../app/query';
import { hostHref, href, path } from '../app/route';
import { ago, brief, from, iso, resolve, spanWords, to, setRange } from '../app/time';
import type { HostDetail } from '../app/types';
import { Answer, Button, Card, Empty, PageHead } from '../ui/base';
import { Histogram, Legend, TopList, type Span } from '../ui/charts';
import { tick } from '../ui/hooks';
import { Icon, SeverityMark } from '../ui/icons';
import { toast } from '../ui/overlay';
import { copy, PivotLink } from '../ui/pivot';
import { showAll } from '../ui/timepicker';
import { selection, setSelection } from './overview';

function Body({ d }: { d: HostDetail }) {
  const sel = selection();
  const range: Span = [resolve(from.value), resolve(to.value)];
  const when = sel ? { from: iso(sel[0]), to: iso(sel[1]) } : {};
  const q = (piece: string) => href('/events', { q: piece, ...when });
  void tick.value;
  return (
    <div class="host">
      <div class="kpis four">
        <a class="card kpi" href={q(term('ip', d.ip) + ' event_type:alert')}>
          <span class="kpi-label">{t('unit.alerts')}</span>
          <span class="kpi-value">{int(d.totals.alerts)}</span>
          <span class="kpi-sub">{t('host.groups', { n: d.alerts.length })}</span>
        </a>
        <a class="card kpi" href={q(term('ip', d.ip) + ' event_type:flow')}>
          <span class="kpi-label">{t('host.flows')}</span>
          <span class="kpi-value">{int(d.totals.flows)}</span>
          <span class="kpi-sub">{t('host.peers', { n: d.peers.length })}</span>
        </a>
        <div class="card kpi">
          <span class="kpi-label">{t('host.traffic')}</span>
          <span class="kpi-value">{bytes(d.totals.bytes_in + d.totals.bytes_out)}</span>
          <span class="kpi-sub">{t('host.inout', { in: bytes(d.totals.bytes_in), out: bytes(d.totals.bytes_out) })}</span>
        </div>
        <div class="card kpi">
          <span class="kpi-label">{t('host.lastseen')}</span>
          <span class="kpi-value">{ago(Date.parse(d.totals.last))}</span>
          <span class="kpi-sub">{t('host.firstseen', { at: brief(Date.parse(d.totals.first)) })}</span>
        </div>
      </div>
      <Card
        class="wide"
        title={t('host.timeline')}
        extra={
          <>
            <Legend series={d.timeline.series} />
            {sel && (
              <span class="selection">
                {t('overview.selected', { span: spanWords(sel[0], sel[1]) })}
                <button type="button" class="link" onClick={() => setRange(iso(sel[0]), iso(sel[1]))}>
                  {t('action.zoom')}
                </button>
                <a class="link" href={q(term('ip', d.ip))}>
                  {t('overview.toevents')}
                </a>
                <button type="button" class="icon-btn small" aria-label={t('overview.unselect')} onClick={() => setSelection(null)}>
                  <Icon name="close" size={12} />
                </button>
              </span>
            )}
          </>
        }
      >
        <Histogram label={t('host.timeline')} times={d.timeline.times} interval={d.timeline.interval_s} series={d.timeline.series} range={range} selection={sel} onSelect={setSelection} height={128} />
      </Card>
      <Card class="wide" title={t('host.alerts')} extra={t('unit.times')}>
        {d.alerts.length ? (
          <ul class="lines">
            {d.alerts.map((g) => (
              <li key={g.id}>
                <a href={href('/inbox', { status: g.status === 'new' ? null : 'all', q: term('ip', d.ip), open: g.id })}>
                  <SeverityMark severity={g.severity} />
                  <span class="clip">{g.signature}</span>
                  <span class="mono muted clip">
                    {g.src_ip} → {g.dest_ip}
                  </span>
                  <span class="muted end">{ago(Date.parse(g.last))}</span>
                  <span class="end">{int(g.count)}</span>
                </a>
              </li>
            ))}
          </ul>
        ) : (
          <p class="none">{t('overview.noalerts')}</p>
        )}
      </Card>
      <Card class="wide" title={t('host.services')} extra={t('host.services.note')}>
        {d.services.length ? (
          <div class="table-box" tabIndex={0} role="region" aria-label={t('host.services')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('host.port')}</th>
                  <th scope="col">{t('host.proto')}</th>
                  <th scope="col">{t('host.detail')}</th>
                  <th scope="col" class="end">
                    {t('host.flows')}
                  </th>
                  <th scope="col" class="end">
                    {t('host.traffic')}
                  </th>
                  <th scope="col" class="end">
                    {t('host.lastseen')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {d.services.map((s) => (
                  <tr key={s.proto + s.port + s.app_proto}>
                    <td>
                      <a class="mono" href={q(`${term('dest_ip', d.ip)} ${term('dest_port', s.port)}`)}>
                        {s.proto.toLowerCase()}/{s.port}
                      </a>
                    </td>
                    <td class="mono">{s.app_proto && s.app_proto !== 'failed' ? s.app_proto : <span class="muted">{t('overview.unknown')}</span>}</td>
                    <td>{s.detail || <span class="muted">–</span>}</td>
                    <td class="end">{int(s.flows)}</td>
                    <td class="end">{bytes(s.bytes)}</td>
                    <td class="end muted">{ago(Date.parse(s.last))}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : (
          <p class="none">{t('host.noservices')}</p>
        )}
      </Card>
      <Card title={t('host.names')} extra={t('unit.times')}>
        <TopList
          items={d.names.slice(0, 10).map((n) => ({ value: n.name, count: n.count }))}
          empty={t('host.nonames')}
          render={(i) => {
            const source = d.names.find((n) => n.name === i.value)?.source ?? '';
            const f = { dns: 'dns.answers.rrname', tls: 'tls.sni', http: 'http.hostname' }[source] ?? 'http.hostname';
            return (
              <>
                <span class="tag">{source}</span>
                <PivotLink field={f} value={i.value} to={q(String(i.value))} />
              </>
            );
          }}
        />
      </Card>
      <Card title={t('host.software')} extra={t('unit.times')}>
        <TopList
          items={d.software.slice(0, 10).map((n) => ({ value: n.name, count: n.count }))}
          empty={t('host.nosoftware')}
          render={(i) => {
            const source = d.software.find((n) => n.name === i.value)?.source ?? '';
            return (
              <>
                <span class="tag">{word('software.', source)}</span>
                <span class="clip" title={String(i.value)}>
                  {String(i.value)}
                </span>
              </>
            );
          }}
        />
      </Card>
      <Card title={t('host.talks')} extra={t('host.traffic')}>
        <TopList
          mono
          items={d.peers.slice(0, 10).map((x) => ({ value: x.ip, count: x.bytes }))}
          text={(i) => bytes(i.count)}
          empty={t('overview.noflows')}
          render={(i) => <PivotLink field="ip" value={i.value} to={hostHref(String(i.value))} />}
        />
      </Card>
    </div>
  );
}

export function Host() {
  const ip = decodeURIComponent(path.value.replace(/^\/hosts?\//, '').replace(/\/$/, ''));
  const r = useApi<HostDetail>(url('/hosts/' + encodeURIComponent(ip), { from: from.value, to: to.value }));
  const d = r.data;
  const known = d && (d.totals.flows || d.totals.alerts || d.services.length || d.timeline.series.some((s) => s.values.some(Boolean)));
  return (
    <>
      <PageHead
        ranged
        title={<span class="mono host-title">{ip}</span>}
        sub={d ? [t(d.internal ? 'hosts.internal' : 'hosts.external'), ...d.macs, ...d.names.slice(0, 2).map((n) => n.name)].join(' · ') : ''}
      >
        <a class="btn" href={href('/events', { q: term('ip', ip) })}>
          {t('host.allevents')}
        </a>
        <Button onClick={() => void copy(ip)}>
          <Icon name="copy" /> {t('pivot.copy')}
        </Button>
      </PageHead>
      <Answer of={r} lines={10}>
        {(data) =>
          known ? (
            <Body d={data} />
          ) : (
            <Card>
              <Empty title={t('host.none')}>
                <Button
                  onClick={async () => {
                    if (!(await showAll().catch(() => false))) toast(t('range.nodata'));
                  }}
                >
                  {t('range.all')}
                </Button>
              </Empty>
            </Card>
          )
        }
      </Answer>
    </>
  );
}
