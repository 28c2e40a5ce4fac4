// SPDX-License-Identifier: Apache-2.0
// Small shared hooks: the measured size of an element, and a clock that ticks for relative times.
import { signal } from '@preact/signals';
import { huge } from '../app/prefs';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export function useSize<T extends Element>(): [{ current: T | null }, number, number] {
  const ref = useRef<T>(null);
  const [size, set] = useState<[number, number]>([0, 0]);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el) return;
    const read = () => {
      const w = el.clientWidth;
      const h = el.clientHeight;
      set((s) => (s[0] === w && s[1] === h ? s : [w, h]));
    };
    read();
    const ro = new ResizeObserver(read);
    ro.observe(el);
    return () => ro.disconnect();
  }, []);
  return [ref, size[0], size[1]];
}

/** Moves every ten seconds; read it where "4 min ago" is written. */
export const tick = signal(Date.now());
setInterval(() => (tick.value = Date.now()), 10000);

/** A number-valued token of tokens.css, in pixels. */
export function token(name: string, fallback: number): number {
  const key = name + huge.value;
  const known = tokens.get(key);
  if (known !== undefined) return known;
  const v = parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name));
  const px = Number.isFinite(v) ? v : fallback;
  tokens.set(key, px);
  return px;
}
const tokens = new Map<string, number>();

export const viewHeight = signal(innerHeight);
addEventListener('resize', () => (viewHeight.value = innerHeight));
