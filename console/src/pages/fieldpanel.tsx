// SPDX-License-Identifier: Apache-2.0
// The fields beside the search's table: each opens to its commonest values with counts; a click filters for the
// value, the minus leaves it out. Which fields stand open is part of the URL.
import { useState } from 'preact/hooks';
import { url, useApi } from '../app/api';
import { int } from '../app/format';
import { pick, t } from '../app/i18n';
import { term } from '../app/query';
import { param, setParams } from '../app/route';
import type { Top } from '../app/types';
import { Icon } from '../ui/icons';
import { searchFor } from '../ui/pivot';
import { catalogue } from '../ui/querybox';

const COMMON = ['event_type', 'src_ip', 'dest_ip', 'dest_port', 'proto', 'app_proto', 'daizong.sensor'];

function Values({ name, q, from, to }: { name: string; q: string; from: string; to: string }) {
  const r = useApi<Top>(url('/events/top', { field: name, q, from, to, limit: 10 }));
  if (r.error && !r.data) return <p class="bad small facet-note">{r.error.message}</p>;
  if (!r.data) return <p class="muted small facet-note">{t('state.loading')}</p>;
  const d = r.data;
  if (!d.values.length) return <p class="muted small facet-note">{t('fields.none')}</p>;
  const max = d.values[0].count || 1;
  return (
    <ol class="facet">
      {d.values.map((v) => (
        <li key={String(v.value)}>
          <span class="toplist-bar" style={{ width: Math.max(1, (v.count / max) * 100) + '%' }} aria-hidden="true" />
          <button type="button" class="facet-v mono" title={String(v.value)} onClick={() => searchFor(term(name, v.value))}>
            {String(v.value) || t('fields.blank')}
          </button>
          <span class="facet-n">{int(v.count)}</span>
          <button type="button" class="icon-btn small" aria-label={t('fields.out', { what: String(v.value) })} onClick={() => searchFor(term(name, v.value, true))}>
            <span aria-hidden="true">−</span>
          </button>
        </li>
      ))}
      {d.other > 0 && <li class="muted small facet-note">{t('fields.other', { n: d.other, distinct: d.distinct })}</li>}
    </ol>
  );
}

export function FieldPanel(p: { q: string; from: string; to: string; types: string[]; onClose(): void }) {
  const [want, setWant] = useState('');
  const opened = param('f', 'event_type').split(',').filter(Boolean);
  const cat = catalogue.value;
  const fields = cat?.fields.filter((f) => f.type !== 'object' && f.type !== 'time') ?? [];
  const known = new Set(fields.map((f) => f.name));
  const help = new Map(fields.map((f) => [f.name, pick(f.help)]));
  const match = (n: string) => !want || (n + ' ' + (help.get(n) ?? '')).toLowerCase().includes(want.toLowerCase());
  const groups: [string, string[]][] = [[t('fields.common'), COMMON.filter((n) => (known.has(n) || n.startsWith('daizong.') || !cat) && match(n))]];
  const titles = new Map(cat?.events.map((e) => [e.name, pick(e.title)]) ?? []);
  const shown = want ? [...new Set(fields.map((f) => f.event ?? ''))] : p.types;
  for (const type of shown) {
    const list = fields.filter((f) => (f.event ?? '') === type && !COMMON.includes(f.name) && f.column !== false && match(f.name)).map((f) => f.name);
    if (list.length) groups.push([titles.get(type) || type || t('fields.general'), list]);
  }
  const toggle = (n: string) => {
    const next = opened.includes(n) ? opened.filter((x) => x !== n) : [...opened, n];
    setParams({ f: next.join() === 'event_type' ? null : next.join() || '-' }, true);
  };
  return (
    <aside class="pane fields" aria-label={t('events.fields')}>
      <div class="fields-head">
        <input value={want} placeholder={t('events.findfield')} aria-label={t('events.findfield')} onInput={(e) => setWant(e.currentTarget.value)} />
        <button type="button" class="icon-btn" aria-label={t('action.close')} onClick={p.onClose}>
          <Icon name="close" size={12} />
        </button>
      </div>
      <div class="fields-body" tabIndex={0} role="region" aria-label={t('events.fields')}>
        {groups.map(([title, names]) =>
          names.length ? (
            <section key={title}>
              <h3>{title}</h3>
              {names.map((n) => {
                const on = opened.includes(n);
                return (
                  <div key={n} class="field-item">
                    <button type="button" class="field-name" aria-expanded={on} title={help.get(n)} onClick={() => toggle(n)}>
                      <Icon name={on ? 'down' : 'right'} size={12} />
                      <span class="mono clip">{n}</span>
                    </button>
                    {on && <Values name={n} q={p.q} from={p.from} to={p.to} />}
                  </div>
                );
              })}
            </section>
          ) : null,
        )}
        {groups.every(([, n]) => !n.length) && <p class="none">{t('fields.nomatch')}</p>}
      </div>
    </aside>
  );
}
