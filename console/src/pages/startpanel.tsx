// SPDX-License-Identifier: Apache-2.0
// The three ways to first data: watch an interface, drop a capture file, play the demonstration. Shows the job's
// progress and, when it is done, leads to the overview of exactly the time that the new data covers.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, may, post, say, url, useApi } from '../app/api';
import { bytes, int } from '../app/format';
import { t } from '../app/i18n';
import { quote, term } from '../app/query';
import { go } from '../app/route';
import { jobs } from '../app/stream';
import { iso } from '../app/time';
import type { Histo, Job, Severity } from '../app/types';
import { Answer, Button, Card, PageHead } from '../ui/base';
import { Icon, SeverityMark } from '../ui/icons';
import { toast } from '../ui/overlay';
import { dataSpan } from '../ui/timepicker';

interface Interface {
  name: string;
  up: boolean;
  address?: string | null;
  speed_mbit?: number | null;
  packets?: number;
}

/** What the demonstration holds, as its signatures rate it. */
const DEMO: [string, Severity][] = [
  ['log4shell', 'critical'],
  ['webshell', 'critical'],
  ['modbus', 'critical'],
  ['sql', 'high'],
  ['ssh', 'high'],
  ['web', 'high'],
  ['eicar', 'high'],
  ['dns', 'medium'],
  ['scan', 'medium'],
];

/** The jobs that this browser tab started and has not led away from; the first run stays on screen meanwhile. */
export const adding = signal<string[]>([]);

export function jobError(j: Job): string {
  if (!j.error) return '';
  return typeof j.error === 'string' ? j.error : [j.error.message, j.error.hint].filter(Boolean).join(' ');
}

const ended = (j: Job | undefined) => j?.state === 'done' || j?.state === 'failed';

/** Follows jobs by the stream, and by asking, should the stream be down. */
function useJobs(ids: string[]): (Job | undefined)[] {
  const [asked, set] = useState<Record<string, Job>>({});
  useEffect(() => {
    let stop = false;
    const ask = async () => {
      while (!stop) {
        try {
          const r = await api<{ jobs: Job[] }>(url('/jobs', { limit: 200 }));
          const mine = r.jobs.filter((j) => ids.includes(j.id));
          if (!stop) set(Object.fromEntries(mine.map((j) => [j.id, j])));
          if (mine.length === ids.length && mine.every(ended)) return;
        } catch {
          /* asked again below */
        }
        await new Promise((r) => setTimeout(r, 1000));
      }
    };
    void ask();
    return () => {
      stop = true;
    };
  }, [ids.join()]);
  return ids.map((id) => (ended(asked[id]) ? asked[id] : (jobs.value[id] ?? asked[id])));
}

/** The address of an overview of exactly the time that these jobs' events cover; null while not all are found. */
async function resultHref(list: Job[], patient: boolean): Promise<string | null> {
  const q = list.length > 1 ? `daizong.sensor:(${list.map((j) => quote(j.name)).join(' OR ')})` : term('daizong.sensor', list[0].name);
  const want = list.reduce((n, j) => n + (j.events ?? 0), 0);
  const found = await api<Histo>(url('/events/histogram', { q, from: '1970-01-01T00:00:00Z', to: iso(Date.now() + 864e5), by: 'none' }));
  if (patient && found.total < want) return null;
  const s = (await dataSpan(q)) ?? (await dataSpan());
  if (!s) return null;
  const pad = Math.max(2000, (s[1] - s[0]) * 0.05);
  const p = new URLSearchParams({ from: iso(s[0] - pad) });
  if (Date.now() - s[1] > 120e3) p.set('to', iso(s[1] + pad));
  return '/overview?' + p.toString();
}

function JobCard({ ids, onReset }: { ids: string[]; onReset(): void }) {
  const list = useJobs(ids);
  const known = list.filter((j): j is Job => !!j);
  const went = useRef(false);
  const [opening, setOpening] = useState(false);
  const over = known.length === ids.length && known.every(ended);
  const bad = known.filter((j) => j.state === 'failed');
  const sum = (of: (j: Job) => number | undefined) => known.reduce((n, j) => n + (of(j) ?? 0), 0);
  const show = async () => {
    setOpening(true);
    // The store may need a moment until the last events can be found.
    for (let i = 0; i < 15; i++) {
      const to = await resultHref(known, i < 10).catch(() => null);
      if (to) {
        adding.value = [];
        go(to);
        return;
      }
      await new Promise((r) => setTimeout(r, 1000));
    }
    setOpening(false);
    toast(t('range.nodata'));
  };
  useEffect(() => {
    if (!over || bad.length || went.current || !sum((j) => j.events ?? 1)) return;
    went.current = true;
    void show();
  }, [over]);
  const pct = Math.round((sum((j) => (ended(j) ? 1 : j.progress)) / ids.length) * 100);
  const failed = over && bad.length === ids.length;
  const now = known.find((j) => j.state === 'running') ?? known.find((j) => j.state === 'queued');
  return (
    <Card class="job">
      <h2>{failed ? t('job.failed') : over ? t('job.done') : t('job.running', { name: now?.name ?? '' })}</h2>
      <progress max={100} value={pct} aria-label={t('job.progress')} />
      <p class="muted" role="status">
        {known.length
          ? t('job.counts', { pct, events: sum((j) => j.events), alerts: sum((j) => j.alerts) }) +
            (ids.length > 1 ? ' · ' + t('job.of', { n: known.filter(ended).length, all: ids.length }) : '')
          : t('state.loading')}
      </p>
      {bad.map((j) => (
        <p class="bad" role="alert" key={j.id}>
          {j.name}: {jobError(j)}
        </p>
      ))}
      <div class="row">
        {over && !failed && (
          <Button kind="primary" onClick={() => void show()} disabled={opening}>
            {opening ? t('job.opening') : t('job.show')}
          </Button>
        )}
        {over && <Button onClick={onReset}>{t('job.another')}</Button>}
      </div>
    </Card>
  );
}

function Interfaces({ onStarted, first }: { onStarted(name: string): void; first: boolean }) {
  const r = useApi<{ interfaces: Interface[] }>('/interfaces', 5000);
  const [chosen, setChosen] = useState('');
  const [filter, setFilter] = useState('');
  const [busy, setBusy] = useState(false);
  const start = async (name: string) => {
    setBusy(true);
    try {
      await post('/capture/start', { interface: name, ...(filter ? { filter } : {}) });
      onStarted(name);
    } catch (e) {
      toast(say(e), { bad: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Answer of={r} lines={3}>
      {(d) => {
        const list = [...d.interfaces].sort((a, b) => Number(b.up) - Number(a.up) || (b.packets ?? 0) - (a.packets ?? 0));
        const pick = chosen || list.find((i) => i.up && i.name !== 'lo')?.name || list[0]?.name || '';
        if (!list.length) return <p class="none">{t('start.noifs')}</p>;
        return (
          <form
            class="ifs"
            onSubmit={(e) => {
              e.preventDefault();
              void start(pick);
            }}
          >
            <fieldset>
              <legend class="sr">{t('start.if')}</legend>
              {list.map((i) => (
                <label key={i.name} class={`if ${i.name === pick ? 'on' : ''}`}>
                  <input type="radio" name="if" value={i.name} checked={i.name === pick} onChange={() => setChosen(i.name)} />
                  <b class="mono">{i.name}</b>
                  <span class="mono muted">{i.address ?? ''}</span>
                  <span class="muted">
                    {i.up ? (i.speed_mbit ? bytesSpeed(i.speed_mbit) : t('start.up')) : t('start.down')} · {t('start.packets', { n: int(i.packets ?? 0) })}
                  </span>
                </label>
              ))}
            </fieldset>
            <label class="field">
              {t('start.filter')}
              <input class="mono" value={filter} placeholder="not port 22" onInput={(e) => setFilter(e.currentTarget.value)} />
            </label>
            <Button type="submit" kind={first ? 'plain' : 'primary'} disabled={busy || !pick}>
              {t('start.watch', { name: pick })}
            </Button>
          </form>
        );
      }}
    </Answer>
  );
}

function bytesSpeed(mbit: number): string {
  return mbit >= 1000 ? mbit / 1000 + ' Gbit/s' : mbit + ' Mbit/s';
}

export function StartPanel({ first = false }: { first?: boolean }) {
  const mine = adding.value;
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState('');
  const [watching, setWatching] = useState('');
  const file = useRef<HTMLInputElement>(null);
  const fail = (e: unknown) => toast(say(e), { bad: true });
  const upload = async (f: File | undefined) => {
    if (!f) return;
    setBusy(t('start.uploading', { name: f.name, size: bytes(f.size) }));
    try {
      const r = await api<{ job: { id: string } }>(url('/captures', { name: f.name }), { method: 'POST', raw: f });
      adding.value = [r.job.id];
    } catch (e) {
      fail(e);
    } finally {
      setBusy('');
    }
  };
  const demo = async () => {
    setBusy(t('start.demo.loading'));
    try {
      // Each capture is a job; the node names the last of them, the others are those still to do.
      const r = await post<{ job: { id: string } }>('/demo');
      const all = await api<{ jobs: Job[] }>(url('/jobs', { limit: 200 }));
      adding.value = all.jobs.filter((j) => j.id === r.job.id || (j.kind === 'demo' && !ended(j))).map((j) => j.id);
    } catch (e) {
      fail(e);
    } finally {
      setBusy('');
    }
  };
  // While an interface is watched for the first time, go on as soon as something was seen.
  useEffect(() => {
    if (!watching || !first) return;
    const id = setInterval(async () => {
      try {
        if (await dataSpan()) go('/overview?from=now-1h');
      } catch {
        /* asked again */
      }
    }, 2000);
    return () => clearInterval(id);
  }, [watching]);
  const reader = !may('decide');
  return (
    <>
      <PageHead title={first ? t('start.first') : t('nav.start')} sub={first ? t('start.first.sub') : t('start.sub')} />
      {reader && <p class="note-line">{t('start.reader')}</p>}
      {mine.length ? (
        <JobCard ids={mine} onReset={() => (adding.value = [])} />
      ) : watching ? (
        <Card class="job">
          <h2>{t('start.watching', { name: watching })}</h2>
          <progress aria-label={t('job.progress')} />
          <p class="muted" role="status">
            {t('start.watching.sub')}
          </p>
          <div class="row">
            <a class="btn primary" href="/overview?from=now-1h">
              {t('page.home')}
            </a>
            <a class="btn" href="/sensors">
              {t('nav.sensors')}
            </a>
          </div>
        </Card>
      ) : (
        <div class="start">
          <Card title={t('start.demo')}>
            <p>{t('start.demo.what')}</p>
            <ul class="demo-list">
              {DEMO.map(([k, severity]) => (
                <li key={k}>
                  <SeverityMark severity={severity} word={false} /> {t('start.demo.' + k)}
                </li>
              ))}
            </ul>
            <div class="grow" />
            <Button kind={first ? 'primary' : 'plain'} onClick={() => void demo()} disabled={!!busy || reader}>
              {t('start.demo.go')}
            </Button>
          </Card>
          <Card title={t('start.file')}>
            <div
              class={`drop ${over ? 'over' : ''}`}
              onDragOver={(e) => {
                e.preventDefault();
                setOver(true);
              }}
              onDragLeave={() => setOver(false)}
              onDrop={(e) => {
                e.preventDefault();
                setOver(false);
                if (!reader) void upload(e.dataTransfer?.files[0]);
              }}
            >
              <Icon name="download" size={24} />
              <p>{busy || t('start.file.drop')}</p>
              <p class="muted small">{t('start.file.kinds')}</p>
            </div>
            <input ref={file} type="file" class="sr" tabIndex={-1} aria-label={t('start.file')} onChange={(e) => void upload(e.currentTarget.files?.[0])} />
            <Button onClick={() => file.current?.click()} disabled={!!busy || reader}>
              {t('start.file.go')}
            </Button>
          </Card>
          <Card title={t('start.iface')}>
            <p>{t('start.iface.what')}</p>
            {may('administer') ? <Interfaces onStarted={setWatching} first={first} /> : <p class="muted">{t('start.iface.admin')}</p>}
          </Card>
        </div>
      )}
      <p class="muted small">{t('start.private')}</p>
    </>
  );
}
