// SPDX-License-Identifier: Apache-2.0
// System: health in words, users, access tokens, one's own account, settings. What is open is part of the URL.
import { useEffect, useState } from 'preact/hooks';
import { del, post, put, session, useApi, type ApiError } from '../app/api';
import { bytes, int, rate } from '../app/format';
import { setLang, t, word, type Lang } from '../app/i18n';
import { param, setParams } from '../app/route';
import { brief, ago, duration } from '../app/time';
import type { Health } from '../app/types';
import { Answer, Button, Card, Facts, PageHead, Segments } from '../ui/base';
import { Dialog, toast } from '../ui/overlay';
import { copy } from '../ui/pivot';

interface User {
  name: string;
  role: string;
  created?: string | null;
  last_login?: string | null;
}

interface Token {
  id: string | number;
  name: string;
  role?: string;
  created?: string | null;
  last_used?: string | null;
}

interface Settings {
  retention_days: number;
  keep_raw: boolean;
  home_net: string[];
  language: string;
}

const ROLES = ['admin', 'analyst', 'viewer'];

function say(e: unknown): string {
  const x = e as ApiError;
  return x.message + (x.hint ? ' ' + x.hint : '');
}

const when = (s?: string | null) => (s ? brief(Date.parse(s), false) : '–');

function HealthTab() {
  const r = useApi<Health>('/health', 5000);
  return (
    <Answer of={r}>
      {(h) => (
        <div class="columns">
          <Card title={t('system.node')} extra={<span class={`state-mark ${h.status === 'ok' ? 'online' : 'stale'}`}><i aria-hidden="true" /> {word('health.', h.status)}</span>}>
            <Facts
              rows={[
                [t('sensor.version'), h.version],
                [t('system.uptime'), duration(h.uptime_s)],
                [t('system.disk'), t('system.disk.n', { data: bytes(h.disk.data_bytes), free: bytes(h.disk.free_bytes) })],
              ]}
            />
          </Card>
          <Card title={t('system.store')} extra={<span class={`state-mark ${h.store.state === 'ready' ? 'online' : 'stale'}`}><i aria-hidden="true" /> {word('store.', h.store.state)}</span>}>
            <Facts
              rows={[
                [t('system.backend'), word('backend.', h.store.backend)],
                [t('system.restarts'), int(h.store.restarts)],
                [t('system.detail'), h.store.detail ?? ''],
              ]}
            />
          </Card>
          <Card title={t('system.ingest')}>
            <Facts
              rows={[
                [t('system.rate'), t('system.rate.n', { n: rate(h.ingest.events_per_s) })],
                [t('system.queued'), int(h.ingest.queued)],
                [t('system.lag'), h.ingest.lag_s === null || h.ingest.lag_s === undefined ? '–' : duration(h.ingest.lag_s)],
                [t('system.last'), h.ingest.last_event ? ago(Date.parse(h.ingest.last_event)) : '–'],
                [t('system.quarantined'), h.ingest.quarantined ? t('system.quarantined.n', { n: h.ingest.quarantined }) : '0'],
              ]}
            />
          </Card>
        </div>
      )}
    </Answer>
  );
}

function NewUser({ onDone }: { onDone(): void }) {
  const [name, setName] = useState('');
  const [pass, setPass] = useState('');
  const [role, setRole] = useState('analyst');
  const [bad, setBad] = useState('');
  return (
    <Dialog title={t('users.new')} onClose={onDone}>
      <form
        class="form"
        onSubmit={async (e) => {
          e.preventDefault();
          try {
            await post('/users', { name, password: pass, role });
            toast(t('users.added', { name }));
            onDone();
          } catch (x) {
            setBad(say(x));
          }
        }}
      >
        <label class="field">
          {t('login.user')}
          <input required autocomplete="off" value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <label class="field">
          {t('login.password')}
          <input required type="password" autocomplete="new-password" minLength={8} value={pass} onInput={(e) => setPass(e.currentTarget.value)} />
        </label>
        <label class="field">
          {t('users.role')}
          <select value={role} onChange={(e) => setRole(e.currentTarget.value)}>
            {ROLES.map((r) => (
              <option key={r} value={r}>
                {t('role.' + r)}
              </option>
            ))}
          </select>
        </label>
        {bad && (
          <p class="bad" role="alert">
            {bad}
          </p>
        )}
        <div class="row end">
          <Button onClick={onDone}>{t('action.cancel')}</Button>
          <Button type="submit" kind="primary">
            {t('users.add')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function NewPassword({ name, onDone }: { name: string; onDone(): void }) {
  const [pass, setPass] = useState('');
  const [bad, setBad] = useState('');
  return (
    <Dialog title={t('users.setpass', { name })} onClose={onDone}>
      <form
        class="form"
        onSubmit={async (e) => {
          e.preventDefault();
          try {
            await put(`/users/${encodeURIComponent(name)}/password`, { new: pass, password: pass });
            toast(t('account.changed'));
            onDone();
          } catch (x) {
            setBad(say(x));
          }
        }}
      >
        <label class="field">
          {t('account.new')}
          <input required type="password" autocomplete="new-password" minLength={8} value={pass} onInput={(e) => setPass(e.currentTarget.value)} />
        </label>
        {bad && (
          <p class="bad" role="alert">
            {bad}
          </p>
        )}
        <div class="row end">
          <Button onClick={onDone}>{t('action.cancel')}</Button>
          <Button type="submit" kind="primary">
            {t('action.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Sure({ title, text, go, onDone, label }: { title: string; text: string; label: string; go(): Promise<unknown>; onDone(): void }) {
  return (
    <Dialog
      title={title}
      onClose={onDone}
      actions={
        <>
          <Button onClick={onDone}>{t('action.cancel')}</Button>
          <Button
            kind="primary"
            onClick={async () => {
              try {
                await go();
              } catch (e) {
                toast(say(e), { bad: true });
              }
              onDone();
            }}
          >
            {label}
          </Button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  );
}

function UsersTab() {
  const r = useApi<{ users: User[] }>('/users');
  const [add, setAdd] = useState(false);
  const [pass, setPass] = useState('');
  const [gone, setGone] = useState('');
  const done = () => {
    setAdd(false);
    setPass('');
    setGone('');
    r.reload();
  };
  return (
    <Card title={t('system.users')} extra={<Button onClick={() => setAdd(true)}>{t('users.new')}</Button>}>
      <Answer of={r}>
        {(d) => (
          <div class="table-box" tabIndex={0} role="region" aria-label={t('system.users')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('login.user')}</th>
                  <th scope="col">{t('users.role')}</th>
                  <th scope="col">{t('users.created')}</th>
                  <th scope="col">{t('users.login')}</th>
                  <th scope="col">
                    <span class="sr">{t('users.actions')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {d.users.map((u) => (
                  <tr key={u.name}>
                    <td>{u.name}</td>
                    <td>{word('role.', u.role)}</td>
                    <td class="muted">{when(u.created)}</td>
                    <td class="muted">{when(u.last_login)}</td>
                    <td class="end">
                      {u.name !== session.value?.user.name && (
                        <span class="row end">
                          <Button class="small" onClick={() => setPass(u.name)}>
                            {t('users.resetpass')}
                          </Button>
                          <Button class="small" kind="danger" onClick={() => setGone(u.name)}>
                            {t('action.delete')}
                          </Button>
                        </span>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Answer>
      {add && <NewUser onDone={done} />}
      {pass && <NewPassword name={pass} onDone={done} />}
      {gone && <Sure title={t('users.delete', { name: gone })} text={t('users.delete.what')} label={t('action.delete')} go={() => del('/users/' + encodeURIComponent(gone))} onDone={done} />}
    </Card>
  );
}

function TokensTab() {
  const r = useApi<{ tokens: Token[] }>('/tokens');
  const [name, setName] = useState('');
  const [made, setMade] = useState('');
  const [gone, setGone] = useState<Token | null>(null);
  return (
    <Card title={t('system.tokens')}>
      <p class="muted prose">{t('tokens.what')}</p>
      <form
        class="row inline-form"
        onSubmit={async (e) => {
          e.preventDefault();
          try {
            const x = await post<{ token: string }>('/tokens', { name });
            setMade(x.token);
            setName('');
            r.reload();
          } catch (x) {
            toast(say(x), { bad: true });
          }
        }}
      >
        <input required value={name} placeholder={t('tokens.name')} aria-label={t('tokens.name')} onInput={(e) => setName(e.currentTarget.value)} />
        <Button type="submit">{t('tokens.new')}</Button>
      </form>
      <Answer of={r}>
        {(d) =>
          d.tokens.length ? (
            <div class="table-box" tabIndex={0} role="region" aria-label={t('system.tokens')}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('tokens.name')}</th>
                    <th scope="col">{t('users.role')}</th>
                    <th scope="col">{t('users.created')}</th>
                    <th scope="col">{t('tokens.used')}</th>
                    <th scope="col">
                      <span class="sr">{t('users.actions')}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {d.tokens.map((x) => (
                    <tr key={x.id}>
                      <td>{x.name}</td>
                      <td>{word('role.', x.role)}</td>
                      <td class="muted">{when(x.created)}</td>
                      <td class="muted">{when(x.last_used)}</td>
                      <td class="end">
                        <Button class="small" kind="danger" onClick={() => setGone(x)}>
                          {t('tokens.revoke')}
                        </Button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <p class="none">{t('tokens.none')}</p>
          )
        }
      </Answer>
      {made && (
        <Dialog
          title={t('tokens.made')}
          onClose={() => setMade('')}
          actions={
            <Button kind="primary" onClick={() => void copy(made)}>
              {t('pivot.copy')}
            </Button>
          }
        >
          <p>{t('tokens.once')}</p>
          <pre class="json wrap" tabIndex={0} aria-label={t('tokens.made')}>
            {made}
          </pre>
        </Dialog>
      )}
      {gone && (
        <Sure
          title={t('tokens.delete', { name: gone.name })}
          text={t('tokens.delete.what')}
          label={t('tokens.revoke')}
          go={() => del('/tokens/' + encodeURIComponent(String(gone.id)))}
          onDone={() => {
            setGone(null);
            r.reload();
          }}
        />
      )}
    </Card>
  );
}

function AccountTab() {
  const [old, setOld] = useState('');
  const [a, setA] = useState('');
  const [b, setB] = useState('');
  const [bad, setBad] = useState('');
  return (
    <Card title={t('user.password')} class="slim-card">
      <form
        class="form"
        onSubmit={async (e) => {
          e.preventDefault();
          if (a !== b) {
            setBad(t('account.differ'));
            return;
          }
          try {
            await put('/session/password', { old, new: a });
            setOld('');
            setA('');
            setB('');
            setBad('');
            toast(t('account.changed'));
          } catch (x) {
            setBad(say(x));
          }
        }}
      >
        <input class="sr" type="text" autocomplete="username" value={session.value?.user.name ?? ''} readOnly tabIndex={-1} aria-label={t('login.user')} />
        <label class="field">
          {t('account.old')}
          <input required type="password" autocomplete="current-password" value={old} onInput={(e) => setOld(e.currentTarget.value)} />
        </label>
        <label class="field">
          {t('account.new')}
          <input required type="password" autocomplete="new-password" minLength={8} value={a} onInput={(e) => setA(e.currentTarget.value)} />
        </label>
        <label class="field">
          {t('account.again')}
          <input required type="password" autocomplete="new-password" minLength={8} value={b} onInput={(e) => setB(e.currentTarget.value)} />
        </label>
        {bad && (
          <p class="bad" role="alert">
            {bad}
          </p>
        )}
        <Button type="submit" kind="primary">
          {t('user.password')}
        </Button>
      </form>
    </Card>
  );
}

function SettingsTab() {
  const r = useApi<Settings>('/settings');
  const [s, set] = useState<Settings | null>(null);
  const [nets, setNets] = useState('');
  useEffect(() => {
    if (!r.data) return;
    set(r.data);
    setNets((r.data.home_net ?? []).join('\n'));
  }, [r.data]);
  return (
    <Card title={t('system.settings')} class="slim-card">
      <Answer of={r}>
        {() =>
          s && (
            <form
              class="form"
              onSubmit={async (e) => {
                e.preventDefault();
                try {
                  await put('/settings', { ...s, home_net: nets.split(/[\s,]+/).filter(Boolean) });
                  toast(t('settings.saved'));
                  r.reload();
                } catch (x) {
                  toast(say(x), { bad: true });
                }
              }}
            >
              <label class="field">
                {t('settings.retention')}
                <input type="number" min={1} max={3650} required value={s.retention_days} onInput={(e) => set({ ...s, retention_days: Number(e.currentTarget.value) })} />
                <span class="small">{t('settings.retention.note')}</span>
              </label>
              <label class="field">
                {t('settings.homenet')}
                <textarea class="mono" rows={4} value={nets} onInput={(e) => setNets(e.currentTarget.value)} />
                <span class="small">{t('settings.homenet.note')}</span>
              </label>
              <label class="check-line">
                <input type="checkbox" checked={s.keep_raw} onChange={(e) => set({ ...s, keep_raw: e.currentTarget.checked })} />
                {t('settings.raw')}
              </label>
              <label class="field">
                {t('settings.language')}
                <select
                  value={s.language}
                  onChange={(e) => {
                    const v = e.currentTarget.value;
                    set({ ...s, language: v });
                    void setLang(v as Lang);
                  }}
                >
                  <option value="zh-CN">中文</option>
                  <option value="en">English</option>
                </select>
              </label>
              <Button type="submit" kind="primary">
                {t('action.save')}
              </Button>
            </form>
          )
        }
      </Answer>
    </Card>
  );
}

export function System() {
  const admin = session.value?.user.role === 'admin';
  const tabs: [string, string][] = [
    ['health', t('system.health')],
    ...(admin
      ? ([
          ['users', t('system.users')],
          ['tokens', t('system.tokens')],
          ['settings', t('system.settings')],
        ] as [string, string][])
      : []),
    ['account', t('system.account')],
  ];
  const tab = tabs.some(([k]) => k === param('tab')) ? param('tab') : 'health';
  return (
    <>
      <PageHead title={t('nav.system')} sub={tabs.find(([k]) => k === tab)?.[1]}>
        <Segments label={t('nav.system')} value={tab} options={tabs} onChange={(v) => setParams({ tab: v === 'health' ? null : v })} />
      </PageHead>
      {tab === 'users' ? <UsersTab /> : tab === 'tokens' ? <TokensTab /> : tab === 'settings' ? <SettingsTab /> : tab === 'account' ? <AccountTab /> : <HealthTab />}
    </>
  );
}
