// SPDX-License-Identifier: Apache-2.0
// System: health in words, users, access tokens, one's own account, settings. What is open is part of the URL.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { del, may, post, put, say, session, useApi } from '../app/api';
import { bytes, int, rate } from '../app/format';
import { t, word } from '../app/i18n';
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
                [t('system.detail'), h.store.state === 'ready' ? '' : (h.store.detail ?? '')],
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

/** A form in a dialog or card: says what went wrong under its fields. */
function Form(p: { send(): Promise<void>; label: string; onCancel?: () => void; children: ComponentChildren }) {
  const [bad, setBad] = useState('');
  const [busy, setBusy] = useState(false);
  return (
    <form
      class="form"
      onSubmit={async (e) => {
        e.preventDefault();
        setBusy(true);
        try {
          await p.send();
          setBad('');
        } catch (x) {
          setBad(say(x));
        } finally {
          setBusy(false);
        }
      }}
    >
      {p.children}
      {bad && (
        <p class="bad" role="alert">
          {bad}
        </p>
      )}
      <div class={`row ${p.onCancel ? 'end' : ''}`}>
        {p.onCancel && <Button onClick={p.onCancel}>{t('action.cancel')}</Button>}
        <Button type="submit" kind="primary" disabled={busy}>
          {p.label}
        </Button>
      </div>
    </form>
  );
}

function Password(p: { label: string; value: string; onChange(v: string): void; old?: boolean }) {
  return (
    <label class="field">
      {p.label}
      <input
        required
        type="password"
        autocomplete={p.old ? 'current-password' : 'new-password'}
        minLength={p.old ? undefined : 8}
        value={p.value}
        onInput={(e) => p.onChange(e.currentTarget.value)}
      />
    </label>
  );
}

/** Rows of plain cells; the last column holds what can be done with the row. */
function Table(p: { label: string; heads: string[]; rows: { key: string | number; cells: ComponentChildren[]; acts?: ComponentChildren }[] }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={p.label}>
      <table>
        <thead>
          <tr>
            {p.heads.map((h) => (
              <th scope="col" key={h}>
                {h}
              </th>
            ))}
            <th scope="col">
              <span class="sr">{t('users.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {p.rows.map((r) => (
            <tr key={r.key}>
              {r.cells.map((c, i) => (
                <td key={i} class={i > 1 ? 'muted' : ''}>
                  {c}
                </td>
              ))}
              <td class="end">{r.acts && <span class="row end">{r.acts}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewUser({ onDone }: { onDone(): void }) {
  const [name, setName] = useState('');
  const [pass, setPass] = useState('');
  const [role, setRole] = useState('analyst');
  const send = async () => {
    await post('/users', { name, password: pass, role });
    toast(t('users.added', { name }));
    onDone();
  };
  return (
    <Dialog title={t('users.new')} onClose={onDone}>
      <Form send={send} label={t('users.add')} onCancel={onDone}>
        <label class="field">
          {t('login.user')}
          <input required autocomplete="off" value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <Password label={t('account.new')} value={pass} onChange={setPass} />
        <label class="field">
          {t('users.role')}
          <select value={role} onChange={(e) => setRole(e.currentTarget.value)}>
            {ROLES.map((r) => (
              <option key={r} value={r}>
                {t('role.' + r)}: {t('role.may.' + r)}
              </option>
            ))}
          </select>
        </label>
      </Form>
    </Dialog>
  );
}

function NewPassword({ name, onDone }: { name: string; onDone(): void }) {
  const [pass, setPass] = useState('');
  const send = async () => {
    await put(`/users/${encodeURIComponent(name)}/password`, { password: pass });
    toast(t('account.changed'));
    onDone();
  };
  return (
    <Dialog title={t('users.setpass', { name })} onClose={onDone}>
      <Form send={send} label={t('action.save')} onCancel={onDone}>
        <Password label={t('account.new')} value={pass} onChange={setPass} />
      </Form>
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
          <Table
            label={t('system.users')}
            heads={[t('login.user'), t('users.role'), t('users.created'), t('users.login')]}
            rows={d.users.map((u) => ({
              key: u.name,
              cells: [u.name, word('role.', u.role), when(u.created), when(u.last_login)],
              acts: u.name !== session.value?.user.name && (
                <>
                  <Button class="small" onClick={() => setPass(u.name)}>
                    {t('users.resetpass')}
                  </Button>
                  <Button class="small" kind="danger" onClick={() => setGone(u.name)}>
                    {t('action.delete')}
                  </Button>
                </>
              ),
            }))}
          />
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
            <Table
              label={t('system.tokens')}
              heads={[t('tokens.name'), t('users.role'), t('users.created'), t('tokens.used')]}
              rows={d.tokens.map((x) => ({
                key: x.id,
                cells: [x.name, word('role.', x.role), when(x.created), when(x.last_used)],
                acts: (
                  <Button class="small" kind="danger" onClick={() => setGone(x)}>
                    {t('tokens.revoke')}
                  </Button>
                ),
              }))}
            />
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
  const send = async () => {
    if (a !== b) throw new Error(t('account.differ'));
    await put('/session/password', { old, new: a });
    for (const clear of [setOld, setA, setB]) clear('');
    toast(t('account.changed'));
  };
  return (
    <Card title={t('user.password')} class="slim-card">
      <Form send={send} label={t('user.password')}>
        <input class="sr" type="text" autocomplete="username" value={session.value?.user.name ?? ''} readOnly tabIndex={-1} aria-label={t('login.user')} />
        <Password old label={t('account.old')} value={old} onChange={setOld} />
        <Password label={t('account.new')} value={a} onChange={setA} />
        <Password label={t('account.again')} value={b} onChange={setB} />
      </Form>
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
            <Form
              label={t('action.save')}
              send={async () => {
                await put('/settings', {
                  retention_days: s.retention_days,
                  keep_raw: s.keep_raw,
                  home_net: nets.split(/[\s,]+/).filter(Boolean),
                  ...(s.language ? { language: s.language } : {}),
                });
                toast(t('settings.saved'));
                r.reload();
              }}
            >
              <label class="field">
                {t('settings.retention')}
                <input type="number" min={1} max={3650} required value={s.retention_days} onInput={(e) => set({ ...s, retention_days: Number(e.currentTarget.value) })} />
                <span class="small">{t('settings.retention.note')}</span>
              </label>
              <label class="field">
                {t('settings.homenet')}
                <textarea class="mono" rows={6} value={nets} onInput={(e) => setNets(e.currentTarget.value)} />
                <span class="small">{t('settings.homenet.note')}</span>
              </label>
              <label class="check-line">
                <input type="checkbox" checked={s.keep_raw} onChange={(e) => set({ ...s, keep_raw: e.currentTarget.checked })} />
                {t('settings.raw')}
              </label>
              <label class="field">
                {t('settings.language')}
                <select value={s.language} onChange={(e) => set({ ...s, language: e.currentTarget.value })}>
                  {!s.language && <option value="">{t('settings.language.none')}</option>}
                  <option value="zh">中文</option>
                  <option value="en">English</option>
                </select>
                <span class="small">{t('settings.language.note')}</span>
              </label>
            </Form>
          )
        }
      </Answer>
    </Card>
  );
}

export function System() {
  const admin = may('administer');
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
