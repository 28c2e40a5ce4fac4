// SPDX-License-Identifier: Apache-2.0
// What this browser remembers: theme, single-key shortcuts. Everything else lives in the URL or on the node.
import { signal, effect } from '@preact/signals';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* private mode */
  }
}

export type Theme = 'light' | 'dark';
const dark = matchMedia('(prefers-color-scheme: dark)');
const saved = read('daizong.theme');
export const theme = signal<Theme>(
  saved === 'dark' || saved === 'light' ? saved : dark.matches ? 'dark' : 'light',
);
dark.addEventListener('change', (e) => {
  if (!read('daizong.theme')) theme.value = e.matches ? 'dark' : 'light';
});
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

addEventListener('storage', (e) => {
  if (e.key === 'daizong.theme' && (e.newValue === 'dark' || e.newValue === 'light')) theme.value = e.newValue;
});

export function toggleTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  write('daizong.theme', theme.value);
}

export const singleKeys = signal(read('daizong.keys') !== 'off');
export function setSingleKeys(on: boolean): void {
  singleKeys.value = on;
  write('daizong.keys', on ? 'on' : 'off');
}

function media(query: string) {
  const m = matchMedia(query);
  const s = signal(m.matches);
  m.addEventListener('change', (e) => (s.value = e.matches));
  return s;
}
export const narrow = media('(max-width: 759px)');
export const medium = media('(max-width: 1279px)');
export const roomy = media('(min-width: 1600px)');
export const huge = media('(min-width: 2560px)');
