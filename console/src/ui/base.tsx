// SPDX-License-Identifier: Apache-2.0
// The plain parts every page is made of: head, card, key caps, chips, buttons, and the designed states empty,
// loading, stale and failed, each of which names the next step.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiError, Result } from '../app/api';
import { t } from '../app/i18n';
import { brief, DEFAULT_FROM, isMoved, rangeWords, setRange } from '../app/time';
import { Icon } from './icons';

function Moved() {
  return (
    <span role="status">
      {t('range.moved')}{' '}
      <button type="button" class="link" onClick={() => setRange(DEFAULT_FROM, 'now')}>
        {rangeWords(DEFAULT_FROM, 'now')}
      </button>
    </span>
  );
}

/** `ranged`: the page shows the time range of the address, and says so where the range was chosen for the reader. */
export function PageHead(p: { title: ComponentChildren; sub?: ComponentChildren; ranged?: boolean; children?: ComponentChildren }) {
  const moved = p.ranged && isMoved.value;
  return (
    <header class="page-head">
      <h1>{p.title}</h1>
      <p class="sub">
        {p.sub}
        {moved && (p.sub ? <> · <Moved /></> : <Moved />)}
      </p>
      <div class="page-tools">{p.children}</div>
    </header>
  );
}

export function Card(p: {
  title?: ComponentChildren;
  extra?: ComponentChildren;
  class?: string;
  children?: ComponentChildren;
  stale?: boolean;
}) {
  return (
    <section class={`card ${p.class ?? ''}`} aria-busy={p.stale ? 'true' : undefined}>
      {p.title !== undefined && (
        <header class="card-head">
          <h2>{p.title}</h2>
          {p.extra !== undefined && <div class="card-extra">{p.extra}</div>}
        </header>
      )}
      {p.children}
    </section>
  );
}

export function Kbd({ children }: { children: ComponentChildren }) {
  return <kbd>{children}</kbd>;
}

export function Button(p: {
  children: ComponentChildren;
  onClick?: (e: MouseEvent) => void;
  kind?: 'primary' | 'plain' | 'danger';
  hint?: string;
  type?: 'button' | 'submit';
  disabled?: boolean;
  pressed?: boolean;
  title?: string;
  class?: string;
}) {
  return (
    <button
      type={p.type ?? 'button'}
      class={`btn ${p.kind ?? ''} ${p.class ?? ''}`}
      onClick={p.onClick}
      disabled={p.disabled}
      aria-pressed={p.pressed}
      title={p.title}
      aria-keyshortcuts={p.hint}
    >
      {p.children}
      {p.hint && <kbd aria-hidden="true">{p.hint}</kbd>}
    </button>
  );
}

export function Chip(p: { label: string; onRemove?: () => void; onClick?: () => void; title?: string; not?: boolean }) {
  return (
    <span class={`chip ${p.not ? 'not' : ''}`}>
      {p.onClick ? (
        <button type="button" class="chip-text" onClick={p.onClick} title={p.title}>
          {p.label}
        </button>
      ) : (
        <span class="chip-text">{p.label}</span>
      )}
      {p.onRemove && (
        <button type="button" class="chip-x" onClick={p.onRemove} aria-label={t('chip.remove', { what: p.label })}>
          <Icon name="close" size={10} />
        </button>
      )}
    </span>
  );
}

/** A choice of a few: one is on. */
export function Segments(p: { label: string; value: string; options: [string, ComponentChildren][]; onChange(v: string): void }) {
  return (
    <div class="segments" role="group" aria-label={p.label}>
      {p.options.map(([v, text]) => (
        <button key={v} type="button" aria-pressed={p.value === v} onClick={() => p.onChange(v)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** A list's own filter; `/` goes there. Enter applies it, so does emptying it. */
export function FilterField(p: { value: string; label: string; onChange(v: string): void }) {
  const [text, setText] = useState(p.value);
  useEffect(() => setText(p.value), [p.value]);
  return (
    <form
      class="filter-form"
      role="search"
      onSubmit={(e) => {
        e.preventDefault();
        p.onChange(text.trim());
      }}
    >
      <input
        id="query"
        type="search"
        class="filter"
        value={text}
        placeholder={p.label}
        aria-label={p.label}
        onInput={(e) => {
          setText(e.currentTarget.value);
          if (!e.currentTarget.value && p.value) p.onChange('');
        }}
        onKeyDown={(e) => {
          if (e.key !== 'Escape') return;
          e.stopPropagation();
          e.currentTarget.blur();
        }}
      />
    </form>
  );
}

export function Empty(p: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state">
      <p class="state-title">{p.title}</p>
      {p.children && <div class="state-body">{p.children}</div>}
    </div>
  );
}

export function Failed(p: { error: ApiError; retry?: () => void }) {
  return (
    <div class="state failed" role="alert">
      <p class="state-title">{p.error.message || t('error.title')}</p>
      <div class="state-body">
        {p.error.hint && <p>{p.error.hint}</p>}
        {p.retry && <Button onClick={p.retry}>{t('action.retry')}</Button>}
      </div>
    </div>
  );
}

export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="sr">{t('state.loading')}</span>
      {Array.from({ length: lines }, (_, i) => (
        <i key={i} class={'w' + (i % 4)} />
      ))}
    </div>
  );
}

/** Shows an answer; while none is there the loading or failed state, and a line above an answer gone stale. */
export function Answer<T>(p: { of: Result<T>; lines?: number; children: (data: T) => ComponentChildren }) {
  const r = p.of;
  if (r.data === undefined) return r.error ? <Failed error={r.error} retry={r.reload} /> : <Loading lines={p.lines} />;
  return (
    <>
      <Stale of={r} />
      {p.children(r.data)}
    </>
  );
}

export function Stale<T>({ of: r }: { of: Result<T> }) {
  if (!r.error || r.data === undefined) return null;
  return (
    <div class="stale-line" role="status">
      <span>{t('state.stale', { at: brief(r.at), why: r.error.message })}</span>
      <button type="button" class="link" onClick={r.reload}>
        {t('action.retry')}
      </button>
    </div>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, v]) => v !== undefined && v !== null && v !== '')
        .map(([k, v]) => (
          <div key={k}>
            <dt>{k}</dt>
            <dd>{v}</dd>
          </div>
        ))}
    </dl>
  );
}
