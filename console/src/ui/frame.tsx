// SPDX-License-Identifier: Apache-2.0
// The frame around every page: top bar (unit, search, time, live, language, theme, user), navigation, the
// node's own trouble as one line, and the keys that work everywhere.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, clockAhead, ended, session, useApi } from '../app/api';
import { lang, setLang, t } from '../app/i18n';
import { layers, useKeys, type Binding } from '../app/keys';
import { medium, narrow, setSingleKeys, singleKeys, theme, toggleTheme } from '../app/prefs';
import { isIp } from '../app/query';
import { go, hostHref, href, path } from '../app/route';
import { live, onAlerts, onGroup, openGroups, setLive, stopStream, streamState, unseen } from '../app/stream';
import { duration, isLiveRange, zoomOut } from '../app/time';
import { short } from '../app/format';
import type { GroupList, Health } from '../app/types';
import { Icon, Logo } from './icons';
import { Dialog, MenuHost, openMenu, toast, ToastHost, undoLast } from './overlay';
import { QueryBox } from './querybox';
import { TimePicker } from './timepicker';

interface Item {
  path: string;
  label: string;
  icon: string;
  key: string;
  count?: () => number;
}

const NAV: { title: string; items: Item[] }[] = [
  { title: 'nav.situation', items: [{ path: '/overview', label: 'nav.overview', icon: 'overview', key: 'g o' }] },
  {
    title: 'nav.judge',
    items: [
      { path: '/inbox', label: 'nav.inbox', icon: 'inbox', key: 'g i', count: () => openGroups.value ?? 0 },
      { path: '/events', label: 'nav.events', icon: 'events', key: 'g e' },
    ],
  },
  { title: 'nav.know', items: [{ path: '/hosts', label: 'nav.hosts', icon: 'hosts', key: 'g h' }] },
  {
    title: 'nav.link',
    items: [
      { path: '/sensors', label: 'nav.sensors', icon: 'sensors', key: 'g s' },
      { path: '/start', label: 'nav.start', icon: 'add', key: 'g a' },
      { path: '/system', label: 'nav.system', icon: 'system', key: 'g y' },
    ],
  },
];

export async function logout(): Promise<void> {
  try {
    await api('/session', { method: 'DELETE' });
  } catch {
    /* the cookie is worthless either way */
  }
  leave();
  try {
    localStorage.setItem(LEFT, String(Date.now()));
  } catch {
    /* private mode: other tabs notice with their next request */
  }
}

const LEFT = 'daizong.left';
function leave(): void {
  stopStream();
  ended.value = false;
  session.value = null;
}
/** Who logs out in one tab is out in all of this browser. */
addEventListener('storage', (e) => {
  if (e.key === LEFT && session.value) leave();
});

function LiveButton() {
  const down = streamState.value === 'down';
  const on = live.value && isLiveRange.value;
  const text = down ? t('live.down') : !isLiveRange.value ? t('live.fixed') : live.value ? t('live.on') : t('live.off');
  return (
    <button
      type="button"
      class={`btn live ${on && !down ? 'on' : ''} ${down ? 'down' : ''}`}
      aria-pressed={live.value}
      aria-keyshortcuts="p"
      title={t('live.title')}
      onClick={() => setLive(!live.value)}
    >
      <i aria-hidden="true" />
      <span>{text}</span>
      {!live.value && unseen.value > 0 && <b class="new">{t('live.new', { n: unseen.value })}</b>}
    </button>
  );
}

function Search() {
  return (
    <QueryBox
      id="top-search"
      value=""
      label={t('search.label')}
      placeholder={narrow.value ? t('search.placeholder.short') : t('search.placeholder')}
      onSubmit={(q) => {
        if (!q) return;
        if (isIp(q)) go(hostHref(q));
        else go(href('/events', { q }));
      }}
    />
  );
}

export function switchLang(): void {
  void setLang(lang.value === 'en' ? 'zh-CN' : 'en');
}

export function LangButton() {
  return (
    <button type="button" class="btn square" onClick={switchLang} lang={lang.value === 'en' ? 'zh-CN' : 'en'} aria-label={lang.value === 'en' ? '中，切换到中文' : 'EN, switch to English'}>
      {lang.value === 'en' ? '中' : 'EN'}
    </button>
  );
}

export function ThemeButton() {
  return (
    <button type="button" class="btn square" onClick={toggleTheme} aria-label={t(theme.value === 'dark' ? 'theme.light' : 'theme.dark')}>
      <Icon name="theme" />
    </button>
  );
}

function UserButton({ onHelp }: { onHelp(): void }) {
  const u = session.value!.user;
  return (
    <button
      type="button"
      class="btn user-btn"
      aria-haspopup="menu"
      aria-label={t('user.menu', { name: u.name })}
      onClick={(e) =>
        openMenu(e.currentTarget as HTMLElement, t('user.menu', { name: u.name }), [
          ...(narrow.value
            ? [
                { label: lang.value === 'en' ? '中文' : 'English', run: switchLang },
                { label: t(theme.value === 'dark' ? 'theme.light' : 'theme.dark'), run: toggleTheme },
                null,
              ]
            : []),
          { label: t('user.password'), run: () => go('/system?tab=account') },
          { label: t('help.title'), hint: '?', run: onHelp },
          { label: t('nav.about'), run: () => go('/about') },
          null,
          { label: t('user.logout'), run: () => void logout() },
        ])
      }
    >
      {narrow.value ? <Icon name="user" /> : u.name}
    </button>
  );
}

/** Whose network this is. The node shows an administrator all units together, others their own. */
function Unit() {
  const u = session.value!.unit;
  return (
    <span class="btn flat unit" title={t('unit.title')}>
      <span class="clip">{!u?.name || u.name === 'default' ? t('unit.default') : u.name}</span>
    </span>
  );
}

function Nav() {
  const here = path.value === '/' ? '/overview' : path.value;
  const icons = medium.value;
  return (
    <nav class="nav" aria-label={t('nav.label')}>
      {NAV.map((g) => (
        <div key={g.title} class="nav-group">
          <h2>{t(g.title)}</h2>
          <ul>
            {g.items.map((i) => {
              const on = here === i.path || here.startsWith(i.path + '/');
              const n = i.count?.() ?? 0;
              return (
                <li key={i.path}>
                  <a
                    href={href(i.path)}
                    aria-current={on ? 'page' : undefined}
                    title={icons ? t(i.label) : undefined}
                    aria-label={icons ? t(i.label) + (n ? ' ' + n : '') : undefined}
                  >
                    <Icon name={i.icon} />
                    <span class="nav-text">{t(i.label)}</span>
                    {n > 0 && <span class="nav-n">{short(n)}</span>}
                  </a>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** Keeps the inbox's count: asked when alerts come in or are decided, and now and then. */
function useOpenGroups(): void {
  useEffect(() => {
    let stop = false;
    let soon: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      soon = undefined;
      if (document.visibilityState !== 'visible') return;
      try {
        const r = await api<GroupList>('/alerts?status=new&limit=1');
        if (!stop) openGroups.value = r.totals.groups;
      } catch {
        /* the page itself says what is wrong */
      }
    };
    const later = (ms: number) => () => {
      soon ??= setTimeout(() => void ask(), ms);
    };
    const off = [onAlerts(later(1000)), onGroup(later(500))];
    const id = setInterval(later(0), 30000);
    later(1500)();
    return () => {
      stop = true;
      clearTimeout(soon);
      clearInterval(id);
      off.forEach((f) => f());
    };
  }, []);
}

/** The node's own state, said in one line when it is not well. */
function Trouble() {
  const h = useApi<Health>('/health', 15000);
  const d = h.data;
  const cut = streamState.value === 'down';
  const was = useRef(cut);
  // The stream knows at once when the node goes and when it is back.
  useEffect(() => {
    if (was.current !== cut) h.reload();
    was.current = cut;
  }, [cut]);
  let text = '';
  if (h.error && h.error.status === 0) text = t('trouble.unreachable');
  else if (d && d.store.state === 'starting') text = t('trouble.starting');
  else if (d && d.store.state === 'down') text = t('trouble.store', { why: d.store.detail ?? '' });
  else if (d && d.status === 'degraded') text = t('trouble.degraded', { why: d.store.detail ?? '' });
  else if (clockAhead.value) text = t('trouble.skew', { d: duration(Math.abs(clockAhead.value) / 1000) });
  if (!text) return null;
  return (
    <div class="trouble" role="status">
      {text} <a href="/system">{t('trouble.more')}</a>
    </div>
  );
}

function Help({ onClose }: { onClose(): void }) {
  const order = [...layers.value].reverse();
  const groups = new Map<string, Binding[]>();
  for (const l of order) {
    const list = l.bindings.filter((b) => b.label);
    if (list.length) groups.set(l.title, [...(groups.get(l.title) ?? []), ...list]);
  }
  return (
    <Dialog title={t('help.title')} onClose={onClose} wide>
      <div class="help">
        {[...groups].map(([title, list]) => (
          <section key={title}>
            <h3>{t(title)}</h3>
            <dl>
              {list.map((b) => (
                <div key={b.keys[0]}>
                  <dt>
                    {b.keys.map((k, i) => (
                      <span key={k}>
                        {i > 0 && <span class="or">/</span>}
                        {k.split(/ |\+/).map((part) => (
                          <kbd key={part}>{({ ArrowDown: '↓', ArrowUp: '↑' } as Record<string, string>)[part] ?? part}</kbd>
                        ))}
                      </span>
                    ))}
                  </dt>
                  <dd>{t(b.label!)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>{t('help.query')}</h3>
          <dl class="help-query">
            {['word', 'phrase', 'field', 'not', 'range', 'wild', 'net', 'exists', 'or'].map((k) => (
              <div key={k}>
                <dt>
                  <code>{t('help.q.' + k)}</code>
                </dt>
                <dd>{t('help.qd.' + k)}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
      <label class="check-line">
        <input type="checkbox" checked={singleKeys.value} onChange={(e) => setSingleKeys(e.currentTarget.checked)} />
        {t('help.single')}
      </label>
    </Dialog>
  );
}

export function Frame({ children }: { children: ComponentChildren }) {
  const [help, setHelp] = useState(false);
  useOpenGroups();
  useKeys('keys.everywhere', [
    {
      keys: ['/'],
      label: 'keys.search',
      run: () => (document.getElementById('query') ?? document.getElementById('top-search'))?.focus(),
    },
    { keys: ['?'], label: 'keys.help', run: () => setHelp(true) },
    ...NAV.flatMap((g) => g.items).map((i) => ({ keys: [i.key], label: i.label, run: () => go(href(i.path)) })),
    { keys: ['p'], label: 'keys.live', run: () => setLive(!live.value) },
    { keys: ['-'], label: 'keys.zoomout', run: zoomOut },
    {
      keys: ['u', 'Ctrl+z'],
      label: 'keys.undo',
      run: () => {
        if (!undoLast()) toast(t('undo.none'));
      },
    },
  ]);
  useEffect(() => {
    document.getElementById('main')?.scrollTo(0, 0);
  }, [path.value]);
  return (
    <div class="app">
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById('main')?.focus())}>
        {t('nav.skip')}
      </a>
      <header class="top">
        <a class="brand" href={href('/overview')} aria-label={t('brand.home')}>
          <Logo />
          <span>{t('brand')}</span>
        </a>
        <Unit />
        <div class="top-search">{path.value === '/events' ? null : <Search />}</div>
        <TimePicker />
        <LiveButton />
        <LangButton />
        <ThemeButton />
        <UserButton onHelp={() => setHelp(true)} />
      </header>
      <Nav />
      <main id="main" tabIndex={-1}>
        <Trouble />
        {children}
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
      <MenuHost />
      <ToastHost />
    </div>
  );
}
