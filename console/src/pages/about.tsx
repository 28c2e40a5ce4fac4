// SPDX-License-Identifier: Apache-2.0
// About: what this is, which version runs, under which licence, and what it is built on.
import { useApi } from '../app/api';
import { t } from '../app/i18n';
import { duration } from '../app/time';
import type { Health } from '../app/types';
import { Card, Facts, PageHead } from '../ui/base';

const PARTS: [string, string][] = [
  ['Preact, Preact Signals', 'MIT'],
  ['ClickHouse (libchdb)', 'Apache-2.0'],
  ['Vectorscan', 'BSD-3-Clause'],
  ['PCRE2', 'BSD-3-Clause'],
  ['libmicrohttpd', 'LGPL-2.1+'],
  ['SQLite', 'Public domain'],
  ['OpenSSL', 'Apache-2.0'],
];

export function About() {
  const h = useApi<Health>('/health');
  return (
    <>
      <PageHead title={t('nav.about')} sub={t('login.what')} />
      <div class="columns">
        <Card title={t('brand')}>
          <p class="prose">{t('about.what')}</p>
          <Facts
            rows={[
              [t('sensor.version'), h.data?.version ?? '–'],
              [t('system.uptime'), h.data ? duration(h.data.uptime_s) : '–'],
              [t('about.licence'), 'Apache-2.0'],
              ['API', <a href="/api/v1/openapi.json" target="_blank" rel="noreferrer" class="mono">/api/v1/openapi.json</a>],
            ]}
          />
        </Card>
        <Card title={t('about.parts')}>
          <Facts rows={PARTS} />
        </Card>
      </div>
    </>
  );
}
