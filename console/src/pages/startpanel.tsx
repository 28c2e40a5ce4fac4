// SPDX-License-Identifier: Apache-2.0
// The three ways to first data: watch an interface, drop a capture file, play the demonstration. Shows the job's
// progress and, when it is done, leads to the overview of exactly the time that the new data covers.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, post, session, url, useApi, type ApiError } from '../app/api';
import { bytes, int } from '../app/format';
import { t } from '../app/i18n';
import { go } from '../app/route';
import { jobs } from '../app/stream';
import { iso } from '../app/time';
import type { Job } from '../app/types';
import { Answer, Button, Card, PageHead } from '../ui/base';
import { Icon } from '../ui/icons';
import { toast } from '../ui/overlay';
import { dataSpan } from '../ui/timepicker';

interface Interface {
  name: string;
  up: boolean;
  address?: string | null;
  speed_mbit?: number | null;
  packets?: number;
}

export function jobError(j: Job): string {
  if (!j.error) return '';
  return typeof j.error === 'string' ? j.error : [j.error.message, j.error.hint].filter(Boolean).join(' ');
}

/** Follows a job by the stream, and by asking, should the stream be down. */
export function useJob(id: string | null): Job | null {
  const [job, setJob] = useState<Job | null>(null);
  const pushed = id ? jobs.value[id] : undefined;
  useEffect(() => {
    if (!id) {
      setJob(null);
      return;
    }
    let stop = false;
    const ask = async () => {
      while (!stop) {
        try {
          const j = await api<Job & { job?: Job }>('/jobs/' + encodeURIComponent(id));
          const got = j.job ?? j;
          if (!stop) setJob(got);
          if (got.state === 'done' || got.state === 'failed') return;
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
  }, [id]);
  if (pushed && job && (job.state === 'done' || job.state === 'failed')) return job;
  return pushed ?? job;
}

function JobCard({ id, onReset }: { id: string; onReset(): void }) {
  const j = useJob(id);
  const went = useRef(false);
  const [opening, setOpening] = useState(false);
  const show = async () => {
    setOpening(true);
    // The store may need a moment until the last events can be found.
    for (let i = 0; i < 15; i++) {
      try {
        const s = await dataSpan();
        if (s) {
          const pad = Math.max(1000, (s[1] - s[0]) * 0.02);
          const recent = Date.now() - s[1] < 120e3;
          const p = new URLSearchParams({ from: iso(s[0] - pad) });
          if (!recent) p.set('to', iso(s[1] + pad));
          go('/overview?' + p.toString());
          return;
        }
      } catch {
        /* tried again */
      }
      await new Promise((r) => setTimeout(r, 1000));
    }
    setOpening(false);
    toast(t('range.nodata'));
  };
  useEffect(() => {
    if (j?.state === 'done' && !went.current && (j.events ?? 1) > 0) {
      went.current = true;
      void show();
    }
  }, [j?.state]);
  const pct = Math.round((j?.progress ?? 0) * 100);
  const failed = j?.state === 'failed';
  return (
    <Card class="job">
      <h2>{failed ? t('job.failed') : j?.state === 'done' ? t('job.done') : t('job.running', { name: j?.name ?? '' })}</h2>
      <progress max={100} value={j?.state === 'done' ? 100 : pct} aria-label={t('job.progress')} />
      <p class={failed ? 'bad' : 'muted'} role="status">
        {failed
          ? jobError(j!)
          : j
            ? t('job.counts', { pct, events: j.events ?? 0, alerts: j.alerts ?? 0 }) + (j.detail ? ' · ' + j.detail : '')
            : t('state.loading')}
      </p>
      <div class="row">
        {j?.state === 'done' && (
          <Button kind="primary" onClick={() => void show()} disabled={opening}>
            {opening ? t('job.opening') : t('job.show')}
          </Button>
        )}
        {(failed || j?.state === 'done') && <Button onClick={onReset}>{t('job.another')}</Button>}
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
      const x = e as ApiError;
      toast(x.message + (x.hint ? ' ' + x.hint : ''), { bad: true });
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
  const [job, setJob] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState('');
  const [watching, setWatching] = useState('');
  const file = useRef<HTMLInputElement>(null);
  const fail = (e: unknown) => {
    const x = e as ApiError;
    toast(x.message + (x.hint ? ' ' + x.hint : ''), { bad: true });
  };
  const upload = async (f: File | undefined) => {
    if (!f) return;
    setBusy(t('start.uploading', { name: f.name, size: bytes(f.size) }));
    try {
      const r = await api<{ job: { id: string } }>(url('/captures', { name: f.name }), { method: 'POST', raw: f });
      setJob(r.job.id);
    } catch (e) {
      fail(e);
    } finally {
      setBusy('');
    }
  };
  const demo = async () => {
    setBusy(t('start.demo.loading'));
    try {
      const r = await post<{ job: Job }>('/demo');
      setJob(r.job.id);
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
  const reader = session.value?.user.role === 'viewer';
  return (
    <>
      <PageHead title={first ? t('start.first') : t('nav.start')} sub={first ? t('start.first.sub') : t('start.sub')} />
      {reader && <p class="note-line">{t('start.reader')}</p>}
      {job ? (
        <JobCard id={job} onReset={() => setJob(null)} />
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
            <div class="grow" />
            <Button kind={first ? 'primary' : 'plain'} onClick={() => void demo()} disabled={!!busy}>
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
                void upload(e.dataTransfer?.files[0]);
              }}
            >
              <Icon name="download" size={24} />
              <p>{busy || t('start.file.drop')}</p>
              <p class="muted small">{t('start.file.kinds')}</p>
            </div>
            <input ref={file} type="file" class="sr" tabIndex={-1} aria-label={t('start.file')} onChange={(e) => void upload(e.currentTarget.files?.[0])} />
            <Button onClick={() => file.current?.click()} disabled={!!busy}>
              {t('start.file.go')}
            </Button>
          </Card>
          <Card title={t('start.iface')}>
            <p>{t('start.iface.what')}</p>
            <Interfaces onStarted={setWatching} first={first} />
          </Card>
        </div>
      )}
      <p class="muted small">{t('start.private')}</p>
    </>
  );
}
