// SPDX-License-Identifier: Apache-2.0
// What lies over the page: one menu, one toast with undo, dialogs. Each gives the focus back where it was.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../app/i18n';
import { useKeys } from '../app/keys';
import { Icon } from './icons';

/* ---- menu ---- */
export interface MenuItem {
  label: string;
  run(): void;
  on?: boolean;
  hint?: string;
  danger?: boolean;
}

interface MenuState {
  anchor: HTMLElement;
  label: string;
  items: (MenuItem | null)[];
}

const menu = signal<MenuState | null>(null);

export function openMenu(anchor: HTMLElement, label: string, items: (MenuItem | null)[]): void {
  menu.value = menu.value?.anchor === anchor ? null : { anchor, label, items };
}

export function place(el: HTMLElement, anchor: HTMLElement): void {
  const a = anchor.getBoundingClientRect();
  const w = el.offsetWidth;
  const h = el.offsetHeight;
  const left = Math.max(8, Math.min(a.left, innerWidth - w - 8));
  const below = a.bottom + 4;
  const top = below + h > innerHeight - 8 && a.top - h - 4 > 8 ? a.top - h - 4 : Math.max(8, Math.min(below, innerHeight - h - 8));
  el.style.left = left + 'px';
  el.style.top = top + 'px';
}

export function MenuHost() {
  const m = menu.value;
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!m || !el) return;
    place(el, m.anchor);
    (el.querySelector('[role^="menuitem"]') as HTMLElement | null)?.focus();
    const away = (e: PointerEvent) => {
      if (!el.contains(e.target as Node) && !m.anchor.contains(e.target as Node)) menu.value = null;
    };
    addEventListener('pointerdown', away, true);
    return () => removeEventListener('pointerdown', away, true);
  }, [m]);
  if (!m) return null;
  const close = () => {
    menu.value = null;
    m.anchor.focus({ preventScroll: true });
  };
  const onKey = (e: KeyboardEvent) => {
    const all = [...(ref.current?.querySelectorAll('[role^="menuitem"]') ?? [])] as HTMLElement[];
    const i = all.indexOf(document.activeElement as HTMLElement);
    const to =
      e.key === 'ArrowDown' ? (i + 1) % all.length
      : e.key === 'ArrowUp' ? (i - 1 + all.length) % all.length
      : e.key === 'Home' ? 0
      : e.key === 'End' ? all.length - 1
      : -1;
    if (to >= 0) all[to]?.focus();
    else if (e.key === 'Escape') close();
    else if (e.key === 'Tab') {
      menu.value = null;
      return;
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="menu" role="menu" aria-label={m.label} ref={ref} onKeyDown={onKey}>
      {m.items.map((it, i) =>
        it === null ? (
          <div key={i} class="menu-line" role="separator" />
        ) : (
          <button
            key={i}
            type="button"
            role={it.on === undefined ? 'menuitem' : 'menuitemradio'}
            aria-checked={it.on === undefined ? undefined : it.on}
            tabIndex={-1}
            class={it.danger ? 'danger' : ''}
            onClick={() => {
              close();
              it.run();
            }}
          >
            <span>{it.label}</span>
            {it.on && <Icon name="check" size={14} />}
            {it.hint && <kbd aria-hidden="true">{it.hint}</kbd>}
          </button>
        ),
      )}
    </div>
  );
}

/* ---- toast ---- */
interface Toast {
  id: number;
  text: string;
  kind: 'ok' | 'bad';
  undo?: () => void;
}

const toasts = signal<Toast[]>([]);
let nextId = 1;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function toast(text: string, o: { undo?: () => void; bad?: boolean } = {}): void {
  const id = nextId++;
  toasts.value = [...toasts.value.slice(-2), { id, text, kind: o.bad ? 'bad' : 'ok', undo: o.undo }];
  timers.set(id, setTimeout(() => dismiss(id), o.undo || o.bad ? 12000 : 5000));
}

function dismiss(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.value = toasts.value.filter((x) => x.id !== id);
}

/** Takes back the latest act that can be; false when there is none. */
export function undoLast(): boolean {
  const last = [...toasts.value].reverse().find((x) => x.undo);
  if (!last) return false;
  dismiss(last.id);
  last.undo?.();
  return true;
}

export function ToastHost() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((x) => (
        <div key={x.id} class={`toast ${x.kind}`}>
          <span>{x.text}</span>
          {x.undo && (
            <button
              type="button"
              class="link"
              onClick={() => {
                dismiss(x.id);
                x.undo?.();
              }}
            >
              {t('action.undo')} <kbd aria-hidden="true">u</kbd>
            </button>
          )}
          <button type="button" class="icon-btn small" aria-label={t('action.close')} onClick={() => dismiss(x.id)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}

/* ---- dialog ---- */
export function Dialog(p: { title: string; onClose(): void; children: ComponentChildren; actions?: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const d = ref.current;
    const before = document.activeElement as HTMLElement | null;
    if (d && !d.open) d.showModal();
    return () => before?.focus?.({ preventScroll: true });
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${p.wide ? 'wide' : ''}`}
      aria-labelledby="dialog-title"
      onCancel={(e) => {
        e.preventDefault();
        p.onClose();
      }}
      onClick={(e) => {
        if (e.target === ref.current) p.onClose();
      }}
    >
      <div class="dialog-in">
        <header>
          <h2 id="dialog-title">{p.title}</h2>
          <button type="button" class="icon-btn" aria-label={t('action.close')} onClick={p.onClose}>
            <Icon name="close" />
          </button>
        </header>
        <div class="dialog-body">{p.children}</div>
        {p.actions && <footer>{p.actions}</footer>}
      </div>
    </dialog>
  );
}

/** A small panel under its button; closes on Escape and on a press elsewhere. */
export function Popover(p: { anchor: HTMLElement; label: string; onClose(): void; children: ComponentChildren }) {
  const ref = useRef<HTMLDivElement>(null);
  const leave = () => {
    p.onClose();
    p.anchor.focus({ preventScroll: true });
  };
  // Also when the focus is nowhere, Escape closes this and nothing beneath it.
  useKeys('popover', [{ keys: ['Escape'], run: leave }]);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el) return;
    const ro = new ResizeObserver(() => place(el, p.anchor));
    ro.observe(el);
    place(el, p.anchor);
    (el.querySelector('[data-autofocus], button, input') as HTMLElement | null)?.focus({ preventScroll: true });
    const away = (e: PointerEvent) => {
      if (!el.contains(e.target as Node) && !p.anchor.contains(e.target as Node)) p.onClose();
    };
    addEventListener('pointerdown', away, true);
    return () => {
      ro.disconnect();
      removeEventListener('pointerdown', away, true);
    };
  }, []);
  return (
    <div
      class="popover"
      role="dialog"
      aria-label={p.label}
      ref={ref}
      onKeyDown={(e) => {
        if (e.key === 'Tab') {
          const all = [...ref.current!.querySelectorAll<HTMLElement>('button:not(:disabled), input, select, textarea, a[href], [tabindex="0"]')].filter((x) => x.offsetParent);
          const end = all[e.shiftKey ? 0 : all.length - 1];
          if (document.activeElement !== end) return;
          all[e.shiftKey ? all.length - 1 : 0]?.focus();
        } else if (e.key === 'Escape') leave();
        else return;
        e.stopPropagation();
        e.preventDefault();
      }}
    >
      {p.children}
    </div>
  );
}
