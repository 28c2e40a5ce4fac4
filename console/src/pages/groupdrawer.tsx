// SPDX-License-Identifier: Apache-2.0
// One alert group beside the list, in a fixed order: what, who to whom, whose, how much it matters, why it fired,
// what to do, evidence, before and after, history, actions.
import { useEffect, useRef, useState } from 'preact/hooks';
import { may, useApi } from '../app/api';
import { endpoint } from '../app/eve';
import { int } from '../app/format';
import { pick, t, word } from '../app/i18n';
import { term } from '../app/query';
import { href } from '../app/route';
import { brief, iso, spanWords, stamp } from '../app/time';
import type { Group, GroupDetail } from '../app/types';
import { Answer, Button, Facts } from '../ui/base';
import { Histogram } from '../ui/charts';
import { contents, decodeBase64, find, HexView } from '../ui/hex';
import { Icon, SeverityMark } from '../ui/icons';
import { Dialog } from '../ui/overlay';
import { Pivot } from '../ui/pivot';
import { RawJson } from '../ui/rawjson';

function Why({ d }: { d: GroupDetail }) {
  const own = pick(d.rule?.what);
  const list = d.rule?.text ? contents(d.rule.text).slice(0, 6) : [];
  return (
    <>
      <p>{own || t('drawer.why.rule', { name: d.group.signature })}</p>
      {list.length > 0 && (
        <ul class="why-list">
          {list.map((c, i) => (
            <li key={i}>
              {t(c.not ? 'drawer.why.not' : 'drawer.why.has', { where: c.buffer || t('drawer.why.payload') })} <code>{c.text}</code>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Evidence({ d }: { d: GroupDetail }) {
  const [n, setN] = useState(0);
  const [raw, setRaw] = useState(false);
  const ev = d.samples[Math.min(n, d.samples.length - 1)];
  if (!ev) return <p class="muted">{t('drawer.nosample')}</p>;
  const b64 = ev.payload ?? ev.packet;
  const data = typeof b64 === 'string' ? decodeBase64(b64) : null;
  const http = ev.http;
  const first = endpoint(ev, 'src');
  return (
    <>
      <div class="row sample-row">
        <span class="mono">
          {first} → {endpoint(ev, 'dest')}
        </span>
        <span class="muted small">{stamp(Date.parse(ev.timestamp))}</span>
        {d.samples.length > 1 && (
          <span class="pager">
            <button type="button" class="icon-btn small" aria-label={t('drawer.prev')} disabled={n === 0} onClick={() => setN(n - 1)}>
              <span aria-hidden="true">‹</span>
            </button>
            {n + 1} / {d.samples.length}
            <button type="button" class="icon-btn small" aria-label={t('drawer.next')} disabled={n >= d.samples.length - 1} onClick={() => setN(n + 1)}>
              <span aria-hidden="true">›</span>
            </button>
          </span>
        )}
      </div>
      {http && (
        <p class="mono evidence-line">
          {http.http_method} {http.hostname}
          {http.url} {http.status ? '→ ' + http.status : ''}
        </p>
      )}
      {data && data.length > 0 ? (
        <HexView data={data} marks={d.rule?.text ? find(data, d.rule.text) : []} label={t('drawer.payload')} />
      ) : (
        <p class="muted">{t('drawer.nopayload')}</p>
      )}
      <div class="row">
        <button type="button" class="link" aria-expanded={raw} onClick={() => setRaw(!raw)}>
          {raw ? t('drawer.hideraw') : t('drawer.raw')}
        </button>
        {ev.flow_id !== undefined && <a href={href('/events', { q: term('flow_id', ev.flow_id) })}>{t('event.sameflow')}</a>}
      </div>
      {raw && <RawJson value={ev} label={t('drawer.raw')} />}
    </>
  );
}

function Body({ d, here }: { d: GroupDetail; here?: number }) {
  const g = d.group;
  const [rule, setRule] = useState(false);
  const around = d.around;
  const step = around.interval_s ?? (around.times.length > 1 ? around.times[1] - around.times[0] : 60);
  const a = around.times[0] * 1000;
  const b = (around.times[around.times.length - 1] + step) * 1000;
  return (
    <>
      <h2 class="what">{g.signature}</h2>
      <p class="who">
        <Pivot field="src_ip" value={g.src_ip} /> <span class="muted">→</span> <Pivot field="dest_ip" value={g.dest_ip} />
        {g.app_proto && g.app_proto !== 'failed' && <Pivot field="app_proto" value={g.app_proto} />}
      </p>
      <p class="row tags">
        {g.techniques.map((x) => (
          <span class="tag" key={x}>
            {x}
          </span>
        ))}
        {g.category && <span class="tag">{g.category}</span>}
        {g.status !== 'new' && <span class="tag">{t('status.' + g.status)}</span>}
      </p>
      <Facts
        rows={[
          [t('drawer.sensor'), g.sensor && <Pivot field="daizong.sensor" value={g.sensor} mono={false} />],
          // The list counts within the time range, this page over all time.
          [t('col.count'), here !== undefined && here !== g.count ? t('drawer.count', { n: here, all: g.count }) : int(g.count)],
          [t('drawer.span'), spanWords(Date.parse(g.first), Date.parse(g.last))],
          [
            t('drawer.rule'),
            <>
              <Pivot field="alert.signature_id" value={g.signature_id} />
              {d.rule?.file && (
                <span class="muted">
                  {' '}
                  {d.rule.file}
                  {d.rule.line ? ':' + d.rule.line : ''}
                </span>
              )}
            </>,
          ],
          [t('drawer.why'), <Why d={d} />],
          [t('drawer.todo'), pick(d.rule?.todo)],
        ]}
      />
      <h3>{t('drawer.evidence')}</h3>
      <Evidence d={d} />
      {d.rule?.text && (
        <p class="after">
          <button type="button" class="link" aria-expanded={rule} onClick={() => setRule(!rule)}>
            {rule ? t('drawer.hiderule') : t('drawer.showrule')}
          </button>
        </p>
      )}
      {rule && (
        <pre class="json wrap" tabIndex={0} aria-label={t('drawer.rule')}>
          {d.rule!.text}
        </pre>
      )}
      {around.times.length > 0 && (
        <>
          <h3>{t('drawer.around')}</h3>
          <Histogram label={t('drawer.around')} times={around.times} interval={step} series={around.series} height={76} small />
          <p class="after">
            <a href={href('/events', { q: term('ip', g.src_ip), from: iso(a), to: iso(b) })}>{t('drawer.aroundlink', { ip: g.src_ip })}</a>
          </p>
        </>
      )}
      {(d.rule?.references.length ?? 0) > 0 && (
        <>
          <h3>{t('drawer.refs')}</h3>
          <ul class="refs">
            {d.rule!.references.map((r) => (
              <li key={r.url} class="mono">
                {r.url}
              </li>
            ))}
          </ul>
        </>
      )}
      {d.history.length > 0 && (
        <>
          <h3>{t('drawer.history')}</h3>
          <ul class="history">
            {d.history.map((h) => (
              <li key={h.at + h.action}>
                <span class="muted">{brief(Date.parse(h.at))}</span> {h.by} · {word('action.', h.action)}
                {h.note ? ` · ${h.note}` : ''}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

type Decide = (a: ('archive' | 'escalate' | 'reopen')[], note?: string) => void;

/** A decision with a reason, for whoever reads the history later. */
function WithNote(p: { status?: string; onClose(): void; onDecide: Decide }) {
  const [note, setNote] = useState('');
  const act = (a: 'archive' | 'escalate' | 'reopen') => () => {
    p.onClose();
    p.onDecide([a], note.trim());
  };
  return (
    <Dialog
      title={t('inbox.note')}
      onClose={p.onClose}
      actions={
        <>
          <Button onClick={p.onClose}>{t('action.cancel')}</Button>
          {p.status !== 'new' && <Button onClick={act('reopen')}>{t('inbox.reopen')}</Button>}
          {p.status !== 'archived' && <Button onClick={act('archive')}>{t('inbox.archive')}</Button>}
          {p.status !== 'escalated' && (
            <Button kind="primary" onClick={act('escalate')}>
              {t('inbox.escalate')}
            </Button>
          )}
        </>
      }
    >
      <label class="field">
        {t('inbox.note.text')}
        <textarea rows={4} maxLength={2000} value={note} onInput={(e) => setNote(e.currentTarget.value)} />
      </label>
    </Dialog>
  );
}

export function GroupDrawer(p: { id: string; known?: Group; onClose(): void; onDecide: Decide }) {
  const r = useApi<GroupDetail>('/alerts/' + encodeURIComponent(p.id));
  const box = useRef<HTMLDivElement>(null);
  const [noting, setNoting] = useState(false);
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [p.id]);
  const decides = may('decide');
  const g = r.data?.group.id === p.id ? r.data.group : p.known;
  const status = p.known?.status ?? g?.status;
  return (
    <aside class="drawer" aria-label={t('drawer.label')}>
      <div class="drawer-head">
        {g && <SeverityMark severity={g.severity} />}
        <button type="button" class="icon-btn" aria-label={t('action.close')} onClick={p.onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class="drawer-body" ref={box} tabIndex={0} role="region" aria-label={t('drawer.label')}>
        <Answer of={r}>{(d) => <Body key={d.group.id} d={d} here={p.known?.id === d.group.id ? p.known.count : undefined} />}</Answer>
      </div>
      <div class="drawer-foot">
        {decides && status !== 'archived' && (
          <Button hint="e" onClick={() => p.onDecide(['archive'])}>
            {t('inbox.archive')}
          </Button>
        )}
        {decides && status !== 'escalated' && (
          <Button kind="primary" hint="s" onClick={() => p.onDecide(['escalate'])}>
            {t('inbox.escalate')}
          </Button>
        )}
        {decides && status !== 'new' && <Button onClick={() => p.onDecide(['reopen'])}>{t('inbox.reopen')}</Button>}
        {decides && <Button onClick={() => setNoting(true)}>{t('inbox.note')}</Button>}
        {g && (
          <a class="btn" href={href('/events', { q: `${term('alert.signature_id', g.signature_id)} ${term('src_ip', g.src_ip)} ${term('dest_ip', g.dest_ip)}` })}>
            {t('drawer.events')}
          </a>
        )}
      </div>
      {noting && <WithNote status={status} onClose={() => setNoting(false)} onDecide={p.onDecide} />}
    </aside>
  );
}
