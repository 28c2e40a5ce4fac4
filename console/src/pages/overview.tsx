// SPDX-License-Identifier: Apache-2.0
// Overview: what needs a decision, what happens over time, who is in it, and the alerts as they come in. A range
// dragged on the trend answers for the numbers and lists of the page. With no event at all it is the first run.
import { useEffect, useState } from 'preact/hooks';
import { url, useApi } from '../app/api';
import { severity, shortName, summary } from '../app/eve';
import { bits, bytes, int, share } from '../app/format';
import { t } from '../app/i18n';
import { term } from '../app/query';
import { href, param, path, setParams } from '../app/route';
import { feed, live, setLive, stats, unseen, showUnseen } from '../app/stream';
import { ago, brief, clock, from, fullDay, isLiveRange, isMoved, iso, markMoved, resolve, spanWords, to, setRange } from '../app/time';
import type { Event, EventList, Overview as Data } from '../app/types';
import { Answer, Button, Card, Empty, Loading, PageHead, Stale } from '../ui/base';
import { Histogram, Legend, LineChart, TopList, type Span } from '../ui/charts';
import { Icon, SeverityMark } from '../ui/icons';
import { PivotLink } from '../ui/pivot';
import { dataSpan, showAll } from '../ui/timepicker';
import { tick, viewHeight } from '../ui/hooks';
import { adding, StartPanel } from './startpanel';

export function selection(): Span | null {
  const m = param('sel').split('~');
  const a = Date.parse(m[0]);
  const b = Date.parse(m[1] ?? '');
  return a < b ? [a, b] : null;
}

export function setSelection(s: Span | null): void {
  setParams({ sel: s ? `${iso(s[0])}~${iso(s[1])}` : null });
}

function Delta({ now, before }: { now: number; before: number }) {
  const d = now - before;
  if (!d) return <>{t('kpi.same')}</>;
  return (
    <>
      <b class={d > 0 ? 'up' : 'dn'}>
        {d > 0 ? '▲' : '▼'} {int(Math.abs(d))}
      </b>{' '}
      {t('kpi.before')}
    </>
  );
}

function Kpi(p: { label: string; value: string; sub: preact.ComponentChildren; to?: string }) {
  const body = (
    <>
      <span class="kpi-label">{p.label}</span>
      <span class="kpi-value">{p.value}</span>
      <span class="kpi-sub">{p.sub}</span>
    </>
  );
  return p.to ? (
    <a class="card kpi" href={p.to}>
      {body}
    </a>
  ) : (
    <div class="card kpi">{body}</div>
  );
}

/** What tells an alert from others: the stream brings events before the store names them by an id. */
const identity = (e: Event) => [e.timestamp, e.flow_id, e.alert?.signature_id, e.src_port].join();

/** A clock time where the range is of one day, else with the date. */
function FeedRow({ ev, oneDay }: { ev: Event; oneDay: boolean }) {
  const at = Date.parse(ev.timestamp);
  const sev = severity(ev) ?? 'info';
  return (
    <li>
      <a href={href('/events', { q: term('alert.signature_id', ev.alert?.signature_id ?? 0) + (ev._id ? '' : ' ' + term('flow_id', ev.flow_id ?? 0)), row: ev._id })}>
        <time dateTime={ev.timestamp} title={brief(at)}>
          {oneDay ? clock(at) : brief(at, false)}
        </time>
        <SeverityMark severity={sev} word={false} />
        <span class="feed-what" title={summary(ev)}>
          {shortName(summary(ev))}
        </span>
        <span class="feed-who">
          {ev.src_ip} → {ev.dest_ip}
        </span>
      </a>
    </li>
  );
}

function Feed() {
  const first = useApi<EventList>(url('/events', { q: 'event_type:alert', limit: 50, from: from.value, to: to.value }));
  const streamed = isLiveRange.value ? feed.value : [];
  const ids = new Set(streamed.map(identity));
  const list = [...streamed, ...(first.data?.events ?? []).filter((e) => !ids.has(identity(e)))].slice(0, 50);
  const days = new Set([...list.map((e) => fullDay(Date.parse(e.timestamp))), fullDay(isLiveRange.value ? Date.now() : resolve(to.value))]);
  const oneDay = days.size === 1;
  return (
    <Card
      class="feed"
      title={isLiveRange.value ? t('feed.live') : t('feed.latest')}
      extra={
        isLiveRange.value ? (
          <Button class="small" hint="p" onClick={() => setLive(!live.value)}>
            {live.value ? t('live.pause') : t('live.resume')}
          </Button>
        ) : undefined
      }
    >
      {!live.value && unseen.value > 0 && (
        <button type="button" class="feed-new" onClick={showUnseen}>
          {t('live.shownew', { n: unseen.value })}
        </button>
      )}
      {!first.data && first.loading && !list.length ? (
        <Loading lines={6} />
      ) : list.length ? (
        <ol tabIndex={0} aria-label={t('feed.label')}>
          {list.map((e) => (
            <FeedRow key={identity(e)} ev={e} oneDay={oneDay} />
          ))}
        </ol>
      ) : (
        <p class="none">{t('feed.none')}</p>
      )}
    </Card>
  );
}

/** Nothing in the range: nowhere at all (first run), or elsewhere in time. Nobody asked for the usual range by
 * name, so then the page goes to where the data is and says so. */
function Nothing() {
  const [span, setSpan] = useState<[number, number] | null | undefined>(undefined);
  const seen = (stats.value?.events_per_s ?? 0) > 0;
  useEffect(() => {
    let gone = false;
    const look = async () => {
      const s = await dataSpan().catch(() => null);
      if (gone) return;
      if (s && !param('from') && !param('to') && (await showAll(true).catch(() => false))) markMoved();
      setSpan(s);
    };
    void look();
    return () => {
      gone = true;
    };
  }, [seen]);
  if (span === undefined) return <Loading lines={8} />;
  if (span === null) return <StartPanel first />;
  return (
    <>
      <PageHead title={t('nav.overview')} sub={t('overview.nothing')} />
      <Card>
        <Empty title={t('overview.elsewhere', { span: spanWords(span[0], span[1]) })}>
          <Button kind="primary" onClick={() => void showAll()}>
            {t('overview.jump')}
          </Button>
        </Empty>
      </Card>
    </>
  );
}

/** How fresh and how complete the data is; the ledger stands on the sensors' page. */
function Fresh({ d }: { d: Data }) {
  const { packets, events } = d.lost;
  return (
    <>
      {t('overview.asof', { at: brief(Date.parse(d.as_of)) })}
      {packets || events ? (
        <a class="link" href={href('/sensors')} title={t('overview.partly.what')}>
          {[packets ? t('overview.partly', { n: packets }) : '', events ? t('overview.lostevents', { n: events }) : ''].filter(Boolean).join(' · ')}
        </a>
      ) : (
        t('overview.nolost')
      )}
    </>
  );
}

export function Overview() {
  const sel = selection();
  const every = live.value && isLiveRange.value ? 10000 : 0;
  const whole = useApi<Data>(url('/overview', { from: from.value, to: to.value }), every);
  const part = useApi<Data>(sel ? url('/overview', { from: iso(sel[0]), to: iso(sel[1]) }) : null);
  void tick.value;
  const all = whole.data;
  // Data that comes in does not take the progress of its own import from the screen.
  if (adding.value.length && path.value !== '/start') return <StartPanel first />;
  if (all && all.totals.events === 0) return whole.fits ? <Nothing /> : <Loading lines={12} />;
  const d = (sel && part.data) || all;
  const range: Span = [resolve(from.value), resolve(to.value)];
  const seconds = (sel ? sel[1] - sel[0] : range[1] - range[0]) / 1000;
  // Charts and lists share what height the window has beside the fixed parts.
  const room = viewHeight.value - 436;
  const rows = Math.max(5, Math.min(10, Math.floor((room * 0.345) / 28)));
  const trendH = Math.max(132, Math.floor((room - rows * 28) * 0.55));
  const flowH = Math.max(144, Math.floor((room - rows * 28) * 0.45));
  const q = (piece: string) => href('/events', { q: piece, ...(sel ? { from: iso(sel[0]), to: iso(sel[1]) } : {}) });
  const rates = (v: number[], s: number) => v.map((x) => (x * 8) / (s || 1));
  return (
    <>
      <PageHead title={t('nav.overview')} ranged sub={isMoved.value ? '' : all ? <Fresh d={all} /> : whole.loading ? t('state.loading') : ''}>
        {whole.data && whole.at > 0 && every > 0 && <span class="muted small">{t('overview.updated', { ago: ago(whole.at) })}</span>}
      </PageHead>
      <Answer of={whole} lines={12}>
        {() =>
          d && all ? (
            <div class="overview">
              <div class="kpis">
                <Kpi label={t('kpi.open')} value={int(all.totals.open_groups)} to={href('/inbox')} sub={<Delta now={all.totals.open_groups} before={all.previous.open_groups} />} />
                <Kpi
                  label={t('kpi.critical')}
                  value={int(d.totals.critical)}
                  to={href('/inbox', { severity: 'critical' })}
                  sub={d.totals.critical ? t('kpi.critical.of', { n: d.totals.alerts }) : t('kpi.critical.none')}
                />
                <Kpi label={t('kpi.hosts')} value={int(d.totals.hosts)} to={href('/hosts')} sub={t('kpi.events', { n: d.totals.events })} />
                <Kpi
                  label={t('kpi.traffic')}
                  value={bytes(d.totals.bytes)}
                  sub={t('kpi.traffic.sub', { rate: bits((d.totals.bytes * 8) / (seconds || 1)) })}
                  to={q('event_type:flow')}
                />
                <Kpi
                  label={t('kpi.sensors')}
                  value={all.totals.sensors_total ? `${int(all.totals.sensors_online)} / ${int(all.totals.sensors_total)}` : '–'}
                  to={href('/sensors')}
                  sub={all.totals.sensors_total ? t('kpi.watching') : all.totals.sensors_done ? t('kpi.played', { n: all.totals.sensors_done }) : t('kpi.nosensor')}
                />
              </div>
              <Card
                class="trend"
                title={t('overview.trend')}
                extra={
                  <>
                    <Legend series={all.alerts.series} />
                    {sel && (
                      <span class="selection">
                        {t('overview.selected', { span: spanWords(sel[0], sel[1]) })}
                        <button type="button" class="link" onClick={() => setRange(iso(sel[0]), iso(sel[1]))}>
                          {t('action.zoom')}
                        </button>
                        <a class="link" href={q('event_type:alert')}>
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
                <Histogram
                  label={t('overview.trend.label', { n: all.totals.alerts })}
                  times={all.alerts.times}
                  interval={all.alerts.interval_s}
                  series={all.alerts.series}
                  range={range}
                  selection={sel}
                  onSelect={setSelection}
                  height={trendH}
                />
              </Card>
              <Card
                class="traffic"
                title={t('overview.traffic')}
                extra={
                  <span class="legend">
                    <span class="key-0">{t('traffic.out')}</span>
                    <span class="key-1">{t('traffic.in')}</span>
                  </span>
                }
              >
                <LineChart
                  label={t('overview.traffic.label', { n: bytes(all.totals.bytes) })}
                  times={all.traffic.times}
                  interval={all.traffic.interval_s}
                  format={bits}
                  height={flowH}
                  lines={[
                    { name: t('traffic.out'), values: rates(all.traffic.to_server, all.traffic.interval_s) },
                    { name: t('traffic.in'), values: rates(all.traffic.to_client, all.traffic.interval_s) },
                  ]}
                />
              </Card>
              <Card class="sources" title={t('overview.sources')} extra={t('unit.alerts')} stale={part.loading}>
                <TopList
                  mono
                  items={d.top_sources.slice(0, Math.floor(flowH / 28))}
                  empty={t('overview.noalerts')}
                  render={(i) => <PivotLink field="src_ip" value={i.value} to={q('event_type:alert ' + term('src_ip', i.value))} />}
                />
              </Card>
              <div class="thirds">
                <Card title={t('overview.signatures')} extra={t('unit.times')} stale={part.loading}>
                  <TopList
                    items={d.top_signatures.slice(0, rows)}
                    empty={t('overview.noalerts')}
                    render={(i) => (
                      <>
                        {i.severity && <SeverityMark severity={i.severity} word={false} />}
                        <PivotLink
                          field={i.signature_id ? 'alert.signature_id' : 'alert.signature'}
                          value={i.signature_id ?? i.value}
                          to={q(i.signature_id ? term('alert.signature_id', i.signature_id) : term('alert.signature', i.value))}
                        >
                          {shortName(String(i.value))}
                        </PivotLink>
                      </>
                    )}
                  />
                </Card>
                <Card title={t('overview.protocols')} extra={t('unit.share')} stale={part.loading}>
                  <TopList
                    mono
                    items={[...d.protocols].sort((x, y) => y.count - x.count).slice(0, rows)}
                    empty={t('overview.noflows')}
                    text={(i) => share(i.count, d.protocols.reduce((s, x) => s + x.count, 0))}
                    render={(i) => <PivotLink field="app_proto" value={i.value || 'failed'} to={q(term('app_proto', i.value || 'failed'))}>{!i.value || i.value === 'failed' ? t('overview.unknown') : String(i.value)}</PivotLink>}
                  />
                </Card>
                <Card title={t('overview.targets')} extra={t('unit.alerts')} stale={part.loading}>
                  <TopList
                    mono
                    items={d.top_targets.slice(0, rows)}
                    empty={t('overview.noalerts')}
                    render={(i) => <PivotLink field="dest_ip" value={i.value} to={q('event_type:alert ' + term('dest_ip', i.value))} />}
                  />
                </Card>
              </div>
              <Feed />
            </div>
          ) : null
        }
      </Answer>
      {sel && <Stale of={part} />}
    </>
  );
}
