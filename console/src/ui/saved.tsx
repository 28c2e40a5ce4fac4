// SPDX-License-Identifier: Apache-2.0
// Searches that this browser keeps under a name: query, time range and columns, as the address has them.
import { signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { t } from '../app/i18n';
import { go, param } from '../app/route';
import { Button } from './base';
import { Icon } from './icons';
import { Popover, toast } from './overlay';

interface Saved {
  name: string;
  search: string;
}

const STORE = 'daizong.searches';
const MOST = 50;

function read(): Saved[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(STORE) ?? '[]');
    return Array.isArray(list) ? list.filter((x) => typeof x?.name === 'string' && typeof x?.search === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

const saved = signal<Saved[]>(read());
addEventListener('storage', (e) => {
  if (e.key === STORE) saved.value = read();
});

function write(list: Saved[]): void {
  saved.value = list;
  try {
    localStorage.setItem(STORE, JSON.stringify(list));
  } catch {
    toast(t('saved.full'), { bad: true });
  }
}

/** What of the address is the search: not the row that stands open, nor the selection on the chart. */
function current(): string {
  const p = new URLSearchParams();
  for (const k of ['q', 'from', 'to', 'cols', 'f']) if (param(k)) p.set(k, param(k));
  return p.toString();
}

export function SavedSearches() {
  const btn = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  return (
    <>
      <button
        ref={btn}
        type="button"
        class="btn"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={t('saved.title')}
        title={t('saved.title')}
        onClick={() => {
          setName(param('q').slice(0, 80));
          setOpen(!open);
        }}
      >
        <Icon name="star" /> <span class="wide-only">{t('saved.button')}</span>
      </button>
      {open && btn.current && (
        <Popover anchor={btn.current} label={t('saved.title')} onClose={() => setOpen(false)}>
          <div class="chooser">
            <form
              class="row"
              onSubmit={(e) => {
                e.preventDefault();
                const n = name.trim();
                if (n) write([{ name: n, search: current() }, ...saved.value.filter((x) => x.name !== n)].slice(0, MOST));
              }}
            >
              <input data-autofocus required maxLength={80} value={name} aria-label={t('saved.name')} placeholder={t('saved.name')} onInput={(e) => setName(e.currentTarget.value)} />
              <Button type="submit">{t('saved.save')}</Button>
            </form>
            {saved.value.length ? (
              <ul class="saved-list">
                {saved.value.map((x) => (
                  <li key={x.name}>
                    <button
                      type="button"
                      class="link clip"
                      title={new URLSearchParams(x.search).get('q') ?? ''}
                      onClick={() => {
                        setOpen(false);
                        go('/events?' + x.search);
                      }}
                    >
                      {x.name}
                    </button>
                    <button type="button" class="icon-btn small" aria-label={t('saved.remove', { name: x.name })} onClick={() => write(saved.value.filter((y) => y.name !== x.name))}>
                      <Icon name="close" size={12} />
                    </button>
                  </li>
                ))}
              </ul>
            ) : (
              <p class="muted small">{t('saved.none')}</p>
            )}
            <p class="muted small">{t('saved.here')}</p>
          </div>
        </Popover>
      )}
    </>
  );
}
