// SPDX-License-Identifier: Apache-2.0
// One event: its line, its fields (each a pivot), its payload, its JSON.
import { useEffect, useRef } from 'preact/hooks';
import { useApi } from '../app/api';
import { endpoint, flatten, severity, show, summary } from '../app/eve';
import { pick, t } from '../app/i18n';
import { addTerm, term } from '../app/query';
import { href, param, setParams } from '../app/route';
import { stamp } from '../app/time';
import type { Event } from '../app/types';
import { Answer, Segments } from '../ui/base';
import { decodeBase64, HexView } from '../ui/hex';
import { Icon, SeverityMark } from '../ui/icons';
import { Pivot } from '../ui/pivot';
import { catalogue, loadCatalogue } from '../ui/querybox';
import { RawJson } from '../ui/rawjson';

const LONG = new Set(['payload', 'packet', 'payload_printable']);

/** A dotted name that breaks after its dots and underscores. */
function Breakable({ text }: { text: string }) {
  return (
    <>
      {(text.match(/[^._]*[._]|[^._]+$/g) ?? [text]).map((x, i) => (
        <>
          {i > 0 && <wbr />}
          {x}
        </>
      ))}
    </>
  );
}

/** Fields by the object that holds them: the event's own first, what every event has last. */
function groups(ev: Event): [string, [string, unknown][]][] {
  const by = new Map<string, [string, unknown][]>([[String(ev.event_type), []]]);
  for (const [k, v] of flatten(ev)) {
    if (LONG.has(k)) continue;
    const name = /^(\w+)[.[]/.exec(k)?.[1] ?? '';
    if (!by.has(name)) by.set(name, []);
    by.get(name)!.push([k, v]);
  }
  const general = by.get('') ?? [];
  by.delete('');
  return [...by, ['', general] as [string, [string, unknown][]]].filter(([, list]) => list.length);
}

function Body({ ev }: { ev: Event }) {
  const tab = param('view', 'fields');
  const b64 = ev.payload ?? ev.packet;
  const data = typeof b64 === 'string' ? decodeBase64(b64) : null;
  const { _id: _drop, ...pure } = ev;
  loadCatalogue();
  const help = new Map(catalogue.value?.fields.map((f) => [f.name, pick(f.help)]) ?? []);
  const titles = new Map(catalogue.value?.events.map((e) => [e.name, pick(e.title)]) ?? []);
  return (
    <>
      <h2 class="what">{summary(ev) || ev.event_type}</h2>
      <p class="who">
        {ev.src_ip && (
          <Pivot field="src_ip" value={ev.src_ip}>
            {endpoint(ev, 'src')}
          </Pivot>
        )}
        {ev.dest_ip && (
          <>
            <span class="muted">→</span>
            <Pivot field="dest_ip" value={ev.dest_ip}>
              {endpoint(ev, 'dest')}
            </Pivot>
          </>
        )}
      </p>
      <p class="muted small">{stamp(Date.parse(ev.timestamp))}</p>
      <div class="row drawer-tabs">
        <Segments
          label={t('event.view')}
          value={tab}
          options={[
            ['fields', t('event.fields')],
            ['json', 'JSON'],
          ]}
          onChange={(v) => setParams({ view: v === 'fields' ? null : v }, true)}
        />
      </div>
      {tab === 'json' ? (
        <RawJson value={pure} label={t('drawer.raw')} />
      ) : (
        <>
          {data && data.length > 0 && (
            <>
              <h3>{t('drawer.payload')}</h3>
              <HexView data={data} marks={[]} label={t('drawer.payload')} />
            </>
          )}
          {groups(pure).map(([name, list]) => (
            <section key={name}>
              <h3>{name ? titles.get(name) || name : t('fields.general')}</h3>
              <dl class="facts field-list">
                {list.map(([k, v]) => {
                  const plain = k.replace(/\[\d+\]/g, '');
                  return (
                    <div key={k}>
                      <dt class="mono" title={[plain, help.get(plain)].filter(Boolean).join('\n')}>
                        <Breakable text={name ? k.slice(name.length).replace(/^\./, '') || k : k} />
                      </dt>
                      <dd>
                        {v === null || typeof v === 'object' ? (
                          <span class="mono">{show(v)}</span>
                        ) : (
                          <Pivot field={plain} value={v as string}>
                            {show(v)}
                          </Pivot>
                        )}
                      </dd>
                    </div>
                  );
                })}
              </dl>
            </section>
          ))}
        </>
      )}
    </>
  );
}

export function EventDrawer(p: { id: string; known?: Event; onClose(): void }) {
  const r = useApi<{ event: Event }>(p.known ? null : '/events/' + encodeURIComponent(p.id));
  const ev = p.known ?? r.data?.event;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [p.id]);
  const sev = ev ? severity(ev) : null;
  return (
    <aside class="drawer" aria-label={t('event.label')}>
      <div class="drawer-head">
        {sev && <SeverityMark severity={sev} />}
        {ev && <span class="tag">{ev.event_type}</span>}
        <button type="button" class="icon-btn" aria-label={t('action.close')} onClick={p.onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class="drawer-body" ref={box} tabIndex={0} role="region" aria-label={t('event.label')}>
        {ev ? <Body ev={ev} /> : <Answer of={r}>{() => null}</Answer>}
      </div>
      {ev && (ev.flow_id !== undefined || ev.src_ip) && (
        <div class="drawer-foot">
          {ev.flow_id !== undefined && (
            <a class="btn" href={href('/events', { q: term('flow_id', ev.flow_id) })}>
              {t('event.sameflow')}
            </a>
          )}
          {ev.alert?.signature_id && ev.src_ip && (
            <a class="btn" href={href('/inbox', { status: 'all', open: `${ev.alert.signature_id}-${ev.src_ip}-${ev.dest_ip}` })}>
              {t('event.alertgroup')}
            </a>
          )}
          {ev.src_ip && ev.dest_ip && (
            <a class="btn" href={href('/events', { q: addTerm(term('ip', ev.src_ip), term('ip', ev.dest_ip)) })}>
              {t('event.samepair')}
            </a>
          )}
        </div>
      )}
    </aside>
  );
}
