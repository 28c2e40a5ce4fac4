// SPDX-License-Identifier: Apache-2.0
// Two languages, one flat table each, loaded on demand; switching never reloads the page.
// A text fills `{n}`; `{n|one|other}` picks a form by number. scripts/i18n-lint.mjs
// fails the build on a missing, unused or one-sided key.
import { signal } from '@preact/signals';

export type Lang = 'zh-CN' | 'en';
type Table = Record<string, string>;

export const lang = signal<Lang>('zh-CN');
const table = signal<Table>({});
const STORE = 'daizong.lang';

function stored(): Lang | null {
  try {
    const v = localStorage.getItem(STORE);
    return v === 'en' || v === 'zh-CN' ? v : null;
  } catch {
    return null;
  }
}

export async function setLang(l: Lang, remember = true): Promise<void> {
  const mod = l === 'en' ? await import('../i18n/en.json') : await import('../i18n/zh-CN.json');
  table.value = mod.default as Table;
  lang.value = l;
  document.documentElement.lang = l;
  if (remember) {
    try {
      localStorage.setItem(STORE, l);
    } catch {
      /* private mode: the choice lasts as long as the page */
    }
  }
}

/** What the browser is set to: Chinese or, for every other language, English. */
function browserLang(): Lang {
  return navigator.languages.some((l) => l.toLowerCase().startsWith('zh')) ? 'zh-CN' : 'en';
}

/** The first language; later also what another tab of this browser switches to. */
export function initLang(): Promise<void> {
  addEventListener('storage', (e) => {
    if (e.key === STORE && (e.newValue === 'en' || e.newValue === 'zh-CN')) void setLang(e.newValue, false);
  });
  return setLang(stored() ?? browserLang(), false);
}

/** Takes the account's language unless this browser already chose one. */
export async function accountLang(l: string | undefined): Promise<void> {
  const want = nodeLang(l);
  if (stored() === null && want && want !== lang.value) await setLang(want, false);
}

/** The node says `zh` or `en`, or nothing where nobody chose. */
export function nodeLang(l: string | undefined): Lang | null {
  return l === 'en' ? 'en' : l?.startsWith('zh') ? 'zh-CN' : null;
}

/** The text for one of a set of words that the node may extend; a word not known yet stands for itself. */
export function word(prefix: string, name: string | null | undefined): string {
  return name ? (table.value[prefix + name] ?? name) : '–';
}

export function t(key: string, args?: Record<string, string | number>): string {
  const text = table.value[key];
  if (text === undefined) return key;
  if (!args) return text;
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_m, name, one, other) => {
    const v = args[name];
    if (one !== undefined) return Number(v) === 1 ? one : other;
    return typeof v === 'number' ? new Intl.NumberFormat(lang.value).format(v) : String(v ?? '');
  });
}

/** Picks the reader's language out of a `{en, zh}` pair that the node sent. */
export function pick(pair: { en?: string; zh?: string } | string | null | undefined): string {
  if (!pair) return '';
  if (typeof pair === 'string') return pair;
  return (lang.value === 'en' ? pair.en || pair.zh : pair.zh || pair.en) ?? '';
}
