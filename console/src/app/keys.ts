// SPDX-License-Identifier: Apache-2.0
// Keyboard shortcuts: single keys, modified keys ("Shift+s") and sequences ("g i", "* a"). The newest layer that
// knows a key wins. Keys typed into a field are left alone, except Escape. Single keys can be switched off.
import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { singleKeys } from './prefs';

export interface Binding {
  keys: string[];
  /** i18n key of what it does; bindings without one do not show in the help. */
  label?: string;
  run(e: KeyboardEvent): void;
}

export interface Layer {
  title: string;
  bindings: Binding[];
}

export const layers = signal<Layer[]>([]);

export function useKeys(title: string, bindings: Binding[], on = true): void {
  useLayoutEffect(() => {
    if (!on) return;
    const layer = { title, bindings };
    layers.value = [...layers.peek(), layer];
    return () => {
      layers.value = layers.peek().filter((l) => l !== layer);
    };
  });
}

function nameOf(e: KeyboardEvent): string {
  let k = e.key === ' ' ? 'Space' : e.key;
  const letter = k.length === 1 && k.toLowerCase() !== k.toUpperCase();
  if (letter && e.shiftKey) k = 'Shift+' + k.toLowerCase();
  if (e.ctrlKey || e.metaKey) k = 'Ctrl+' + k;
  if (e.altKey) k = 'Alt+' + k;
  return k;
}

function typing(e: KeyboardEvent): boolean {
  const el = e.target as HTMLElement;
  return !!el.closest?.('input, textarea, select, [contenteditable]');
}

let prefix = '';
let prefixTimer: ReturnType<typeof setTimeout> | undefined;

function find(name: string): Binding | undefined {
  const all = layers.peek();
  for (let i = all.length - 1; i >= 0; i--) {
    const b = all[i].bindings.find((x) => x.keys.includes(name));
    if (b) return b;
  }
  return undefined;
}

function starts(name: string): boolean {
  return layers.peek().some((l) => l.bindings.some((b) => b.keys.some((k) => k.startsWith(name + ' '))));
}

function onKey(e: KeyboardEvent): void {
  if (e.defaultPrevented || e.isComposing || ['Shift', 'Control', 'Alt', 'Meta'].includes(e.key)) return;
  if (typing(e) && e.key !== 'Escape') return;
  if (document.querySelector('dialog[open]')) return;
  const name = nameOf(e);
  const plain = name.length === 1 || /^Shift\+.$/.test(name);
  if (plain && !singleKeys.peek() && name !== '?') return;
  const full = prefix ? prefix + ' ' + name : name;
  clearTimeout(prefixTimer);
  prefix = '';
  const b = find(full);
  if (b) {
    // Enter and Space on a focused control belong to that control.
    if (['Enter', 'Space'].includes(name) && (e.target as HTMLElement).closest('a, button, summary')) return;
    e.preventDefault();
    b.run(e);
  } else if (starts(full)) {
    prefix = full;
    prefixTimer = setTimeout(() => (prefix = ''), 1200);
  }
}

export function initKeys(): void {
  addEventListener('keydown', onKey);
}
