// SPDX-License-Identifier: Apache-2.0
// A value one can act on: filter for it, filter it out, open the host, copy it. The same menu everywhere.
import type { ComponentChildren } from 'preact';
import { t } from '../app/i18n';
import { addTerm, isIp, term } from '../app/query';
import { go, hostHref, href, param, path, setParams } from '../app/route';
import { openMenu, toast, type MenuItem } from './overlay';
import { Icon } from './icons';

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('pivot.copied', { what: text.length > 60 ? text.slice(0, 57) + '…' : text }));
  } catch {
    toast(t('pivot.nocopy'), { bad: true });
  }
}

/** Adds a term to the search on screen, or opens the search with it. */
export function searchFor(piece: string): void {
  if (path.value === '/events') setParams({ q: addTerm(param('q'), piece), row: null });
  else go(href('/events', { q: piece }));
}

export function pivotItems(field: string, value: string | number): (MenuItem | null)[] {
  const items: (MenuItem | null)[] = [
    { label: t('pivot.for'), run: () => searchFor(term(field, value)) },
    { label: t('pivot.out'), run: () => searchFor(term(field, value, true)) },
  ];
  if (isIp(String(value))) {
    items.push({ label: t('pivot.either'), run: () => searchFor(term('ip', value)) });
    items.push(null, { label: t('pivot.host'), run: () => go(hostHref(String(value))) });
  }
  items.push(null, { label: t('pivot.copy'), run: () => void copy(String(value)) });
  return items;
}

/** The value as a button that opens the pivot menu. */
export function Pivot(p: { field: string; value: string | number; children?: ComponentChildren; mono?: boolean; tab?: boolean }) {
  return (
    <button
      type="button"
      class={`pivot ${p.mono === false ? '' : 'mono'}`}
      title={String(p.value)}
      tabIndex={p.tab === false ? -1 : undefined}
      aria-haspopup="menu"
      onClick={(e) => {
        e.stopPropagation();
        openMenu(e.currentTarget as HTMLElement, `${p.field}: ${p.value}`, pivotItems(p.field, p.value));
      }}
    >
      {p.children ?? String(p.value)}
    </button>
  );
}

/** A value in a top list: a click goes to `to`, the dots open the pivot menu. */
export function PivotLink(p: { field: string; value: string | number; to: string; children?: ComponentChildren }) {
  return (
    <>
      <a href={p.to} class="top-link" title={String(p.value)}>
        {p.children ?? String(p.value)}
      </a>
      <button
        type="button"
        class="icon-btn small more"
        aria-label={t('pivot.more', { what: String(p.value) })}
        aria-haspopup="menu"
        onClick={(e) => openMenu(e.currentTarget as HTMLElement, String(p.value), pivotItems(p.field, p.value))}
      >
        <Icon name="more" size={14} />
      </button>
    </>
  );
}
