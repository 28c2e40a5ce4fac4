// SPDX-License-Identifier: Apache-2.0
// Start: language, session, then the frame with the page that the URL names. Pages come as chunks of their own.
import { render, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api, session, type ApiError } from './app/api';
import { accountLang, initLang, lang, t } from './app/i18n';
import { initKeys } from './app/keys';
import './app/prefs';
import { initRoute, path } from './app/route';
import { startStream, stopStream } from './app/stream';
import type { Session } from './app/types';
import { Button, Card, Empty, Failed, Loading, PageHead } from './ui/base';
import { Boundary, tellErrors } from './ui/boundary';
import { Frame } from './ui/frame';
import { toTheData } from './ui/timepicker';
import { Overview } from './pages/overview';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/pages.css';

type Page = ComponentType;
const PAGES: [RegExp, string, () => Promise<Page>][] = [
  [/^\/(overview)?$/, 'nav.overview', async () => Overview],
  [/^\/inbox$/, 'nav.inbox', async () => (await import('./pages/inbox')).Inbox],
  [/^\/events$/, 'nav.events', async () => (await import('./pages/events')).Events],
  [/^\/hosts$/, 'nav.hosts', async () => (await import('./pages/hosts')).Hosts],
  [/^\/hosts?\/[^/]+\/?$/, 'nav.hosts', async () => (await import('./pages/host')).Host],
  [/^\/sensors$/, 'nav.sensors', async () => (await import('./pages/sensors')).Sensors],
  [/^\/start$/, 'nav.start', async () => (await import('./pages/start')).Start],
  [/^\/system$/, 'nav.system', async () => (await import('./pages/system')).System],
  [/^\/about$/, 'nav.about', async () => (await import('./pages/about')).About],
];

const RANGED = /^\/(inbox|events|hosts?)\b/;

const loaded = new Map<RegExp, Page>();
loaded.set(PAGES[0][0], Overview);

function Router() {
  const entry = PAGES.find(([re]) => re.test(path.value));
  const [, again] = useState(0);
  const [bad, setBad] = useState(false);
  const key = entry?.[0];
  useEffect(() => {
    document.title = (entry ? t(entry[1]) + ' · ' : '') + t('brand');
  }, [key, lang.value]);
  useEffect(() => {
    setBad(false);
    if (!entry || loaded.has(entry[0])) return;
    entry[2]().then(
      (p) => {
        loaded.set(entry[0], p);
        again((n) => n + 1);
      },
      () => setBad(true),
    );
  }, [key]);
  // Whoever opens a page by its bare address gets to see data, if there is any. The overview looks for itself.
  useEffect(() => {
    if (key && RANGED.test(path.value)) void toTheData();
  }, [key]);
  if (!entry)
    return (
      <>
        <PageHead title={t('page.none')} sub={path.value} />
        <Card>
          <Empty title={t('page.none.what')}>
            <a class="btn primary" href="/overview">
              {t('page.home')}
            </a>
          </Empty>
        </Card>
      </>
    );
  const Page = loaded.get(entry[0]);
  if (bad && !Page)
    return (
      <Empty title={t('page.failed')}>
        <Button onClick={() => location.reload()}>{t('action.reload')}</Button>
      </Empty>
    );
  return Page ? (
    <Boundary key={path.value} title={t(entry[1])}>
      <Page />
    </Boundary>
  ) : (
    <Loading lines={8} />
  );
}

function App() {
  const [error, setError] = useState<ApiError | null>(null);
  const [Login, setLogin] = useState<{ page: Page } | null>(null);
  const s = session.value;
  const check = () => {
    setError(null);
    api<Session>('/session').then(
      (x) => {
        session.value = x;
      },
      (e: ApiError) => {
        if (e.status === 401) session.value = null;
        else setError(e);
      },
    );
  };
  useEffect(check, []);
  useEffect(() => {
    if (s) {
      void accountLang(s.user.language);
      startStream();
    } else if (s === null) {
      stopStream();
      void import('./pages/login').then((m) => setLogin({ page: m.Login }));
    }
  }, [!!s, s === null]);
  if (s === undefined) return error ? <Failed error={error} retry={check} /> : null;
  if (s === null) return Login ? <Login.page /> : null;
  return (
    <Frame>
      <Router />
    </Frame>
  );
}

initRoute();
initKeys();
tellErrors();
void initLang().then(() => render(<App />, document.getElementById('app')!));
