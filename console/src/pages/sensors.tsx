// SPDX-License-Identifier: Apache-2.0
// Sensors: whether each is there, how much it sees, and where anything was lost: the ledger, stage by stage, in
// words. "Reconciles" means that what was seen equals what was carried plus what was lost. A sensor that watches
// has a card; captures that were played stand in one table.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { may, post, say, useApi } from '../app/api';
import { bits, bytes, int, rate, share } from '../app/format';
import { pick, t, word } from '../app/i18n';
import { term } from '../app/query';
import { go, href } from '../app/route';
import { live } from '../app/stream';
import { ago, brief, iso } from '../app/time';
import type { Sensor } from '../app/types';
import { Answer, Button, Card, Empty, Facts, PageHead } from '../ui/base';
import { tick } from '../ui/hooks';
import { Dialog, toast } from '../ui/overlay';
import { dataSpan } from '../ui/timepicker';

function State({ s }: { s: Sensor['state'] }) {
  return (
    <span class={`state-mark ${s}`}>
      <i aria-hidden="true" /> {word('sensor.', s)}
    </span>
  );
}

function amount(l: Sensor['loss'][0]): string {
  const parts = [];
  if (l.packets) parts.push(t('sensor.n.packets', { n: l.packets }));
  if (l.events) parts.push(t('sensor.n.events', { n: l.events }));
  if (l.bytes) parts.push(bytes(l.bytes));
  return parts.join(' · ') || '0';
}

const title = (s: Sensor) => s.name || s.id;
/** The last part of a path; the whole stands in the hint. */
const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** The search for a sensor's events, over exactly their time. */
async function openEvents(s: Sensor): Promise<void> {
  const q = term('daizong.sensor', s.id);
  try {
    const span = await dataSpan(q);
    if (!span) toast(t('range.nodata'));
    else go(href('/events', { q, from: iso(span[0] - 1000), to: s.state === 'online' ? null : iso(span[1] + 1000) }));
  } catch (e) {
    toast(say(e), { bad: true });
  }
}

function Ledger({ s }: { s: Sensor }) {
  const l = s.ledger;
  const rows = [...s.loss].sort((a, b) => (b.packets ?? 0) + (b.events ?? 0) - (a.packets ?? 0) - (a.events ?? 0));
  return (
    <div class="ledger">
      {l && (
        <p class={l.reconciles ? '' : 'bad'}>
          {t('sensor.ledger', { seen: l.seen, carried: l.carried, lost: l.lost, share: share(l.lost, l.seen) })}{' '}
          <b>{t(l.reconciles ? 'sensor.reconciles' : 'sensor.gap', { n: Math.abs(l.seen - l.carried - l.lost) })}</b>
        </p>
      )}
      {rows.length ? (
        <div class="table-box" tabIndex={0} role="region" aria-label={t('sensor.losses', { name: title(s) })}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('sensor.where')}</th>
                <th scope="col">{t('sensor.reason')}</th>
                <th scope="col" class="end">
                  {t('sensor.lost')}
                </th>
                <th scope="col">{t('sensor.meaning')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((x) => (
                <tr key={x.stage + x.reason} class={x.packets || x.events || x.bytes ? '' : 'muted'}>
                  <td>{word('stage.', x.stage)}</td>
                  <td class="mono">{x.reason}</td>
                  <td class="end">{amount(x)}</td>
                  <td class="prose">{pick(x.help) || '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p class="muted">{t('sensor.noloss')}</p>
      )}
    </div>
  );
}

function SensorCard({ s, onStop }: { s: Sensor; onStop(s: Sensor): void }) {
  void tick.value;
  const stops = may('administer');
  return (
    <Card
      class="sensor"
      title={
        <>
          {title(s)} <State s={s.state} />
        </>
      }
      extra={
        <>
          <button type="button" class="link" onClick={() => void openEvents(s)}>
            {t('sensor.events')}
          </button>
          {stops && s.state === 'online' && (
            <Button class="small" onClick={() => onStop(s)}>
              {t('sensor.stop')}
            </Button>
          )}
        </>
      }
    >
      <div class="sensor-in">
        <Facts
          rows={[
            [t('sensor.source'), s.source && base(s.source) !== title(s) ? (
                <span class="mono" title={s.source}>
                  {base(s.source)}
                </span>
              ) : null],
            [t('sensor.version'), s.version ?? ''],
            [t('sensor.started'), s.started ? brief(Date.parse(s.started)) : ''],
            [t('sensor.seen'), s.last_seen ? ago(Date.parse(s.last_seen)) : ''],
            [
              t('sensor.rules'),
              s.rules && s.rules.loaded + s.rules.failed > 0 ? (
                <>
                  {t('sensor.rules.n', { n: s.rules.loaded })}
                  {s.rules.failed > 0 && <b class="bad"> {t('sensor.rules.failed', { n: s.rules.failed })}</b>}
                </>
              ) : (
                ''
              ),
            ],
          ]}
        />
        <dl class="sensor-rates">
          {(
            [
              [t('sensor.now'), s.state === 'online' ? bits(s.rates.bits_per_s) : '–', s.state === 'online' ? t('sensor.pps', { n: rate(s.rates.packets_per_s) }) : word('sensor.', s.state)],
              [t('sensor.total'), bytes(s.totals.bytes), t('sensor.n.packets', { n: s.totals.packets })],
              [t('sensor.made'), int(s.totals.events), t('sensor.n.alerts', { n: s.totals.alerts })],
            ] as const
          ).map(([k, v, sub]) => (
            <div key={k}>
              <dt>{k}</dt>
              <dd>
                <b>{v}</b>
                <span class="muted small">{sub}</span>
              </dd>
            </div>
          ))}
        </dl>
      </div>
      <h3>{t('sensor.ledger.title')}</h3>
      <Ledger s={s} />
    </Card>
  );
}

/** Captures that were played: one line each, and under it what was lost, if anything. */
function Played({ list }: { list: Sensor[] }) {
  return (
    <Card title={t('sensors.played')} extra={t('sensors.played.n', { n: list.length })} class="wide">
      <div class="table-box" tabIndex={0} role="region" aria-label={t('sensors.played')}>
        <table class="played">
          <thead>
            <tr>
              <th scope="col">{t('sensors.file')}</th>
              <th scope="col">{t('sensors.when')}</th>
              <th scope="col" class="end">
                {t('sensors.packets')}
              </th>
              <th scope="col" class="end">
                {t('host.traffic')}
              </th>
              <th scope="col" class="end">
                {t('sensor.made')}
              </th>
              <th scope="col" class="end">
                {t('unit.alerts')}
              </th>
              <th scope="col" class="end">
                {t('sensors.nlost')}
              </th>
              <th scope="col">{t('sensor.ledger.title')}</th>
            </tr>
          </thead>
          <tbody>
            {list.map((s) => {
              const l = s.ledger;
              const losses = s.loss.filter((x) => x.packets || x.events || x.bytes);
              return (
                <Fragment key={s.id}>
                  <tr>
                    <td>
                      <button type="button" class="link mono" title={s.source} onClick={() => void openEvents(s)}>
                        {title(s)}
                      </button>
                    </td>
                    <td class="muted">{s.started ? brief(Date.parse(s.started), false) : '–'}</td>
                    <td class="end">{int(s.totals.packets)}</td>
                    <td class="end">{bytes(s.totals.bytes)}</td>
                    <td class="end">{int(s.totals.events)}</td>
                    <td class="end">{int(s.totals.alerts)}</td>
                    <td class={`end ${l?.lost ? 'bad' : ''}`}>{int(l?.lost ?? 0)}</td>
                    <td class={l && !l.reconciles ? 'bad' : 'muted'}>
                      {l ? t(l.reconciles ? 'sensor.reconciles' : 'sensor.gap', { n: Math.abs(l.seen - l.carried - l.lost) }) : '–'}
                    </td>
                  </tr>
                  {losses.map((x) => (
                    <tr key={s.id + x.stage + x.reason} class="muted sub-row">
                      <td colSpan={8} title={x.reason}>
                        <b>{amount(x)}</b> {t('sensor.at', { stage: word('stage.', x.stage), what: pick(x.help) || x.reason })}
                      </td>
                    </tr>
                  ))}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

/** What needs a look first, first. */
const ORDER: Sensor['state'][] = ['stale', 'offline', 'online', 'done'];

export function Sensors() {
  const r = useApi<{ sensors: Sensor[] }>('/sensors', live.value ? 5000 : 0);
  const [stop, setStop] = useState<Sensor | null>(null);
  const list = r.data?.sensors ?? [];
  const n = (s: Sensor['state']) => list.filter((x) => x.state === s).length;
  const lost = list.reduce((x, s) => x + (s.ledger?.lost ?? 0), 0);
  // What the kernel dropped was never seen; the other stages gave up packets that had come in.
  const partly = list.reduce((x, s) => x + s.loss.reduce((y, l) => y + (l.stage === 'kernel' ? 0 : (l.packets ?? 0)), 0), 0);
  return (
    <>
      <PageHead
        title={t('nav.sensors')}
        sub={r.data ? t('sensors.sub', { online: n('online'), stale: n('stale') + n('offline'), played: n('done') }) + (lost ? t('sensors.lost', { n: lost }) : t('overview.nolost')) + (partly ? ' ' + t('overview.partly', { n: partly }) : '') : ''}
      >
        <a class="btn primary" href="/start">
          {t('nav.start')}
        </a>
      </PageHead>
      <Answer of={r} lines={8}>
        {(d) =>
          d.sensors.length ? (
            <div class="sensors">
              {[...d.sensors]
                .filter((s) => s.state !== 'done')
                .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
                .map((s) => (
                  <SensorCard key={s.id} s={s} onStop={setStop} />
                ))}
              {n('done') > 0 && <Played list={d.sensors.filter((s) => s.state === 'done')} />}
            </div>
          ) : (
            <Card>
              <Empty title={t('sensors.none')}>
                <a class="btn primary" href="/start">
                  {t('nav.start')}
                </a>
              </Empty>
            </Card>
          )
        }
      </Answer>
      {stop && (
        <Dialog
          title={t('sensor.stop.title', { name: title(stop) })}
          onClose={() => setStop(null)}
          actions={
            <>
              <Button onClick={() => setStop(null)}>{t('action.cancel')}</Button>
              <Button
                kind="primary"
                onClick={async () => {
                  const s = stop;
                  setStop(null);
                  try {
                    await post('/capture/stop', { sensor: s.id });
                    r.reload();
                  } catch (e) {
                    toast(say(e), { bad: true });
                  }
                }}
              >
                {t('sensor.stop')}
              </Button>
            </>
          }
        >
          <p>{t('sensor.stop.what')}</p>
        </Dialog>
      )}
    </>
  );
}
