// SPDX-License-Identifier: Apache-2.0
// The query field: completes field names from the node's catalogue and values from what was seen, and marks the
// place of a mistake under the text. A combobox by the ARIA pattern.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, url } from '../app/api';
import { pick, t } from '../app/i18n';
import { quote } from '../app/query';
import { from, to } from '../app/time';
import type { Catalogue, Top } from '../app/types';

export const catalogue = signal<Catalogue | null>(null);
let asked = false;
export function loadCatalogue(): void {
  if (asked) return;
  asked = true;
  api<Catalogue>('/fields').then(
    (c) => (catalogue.value = c),
    () => (asked = false),
  );
}

interface Choice {
  text: string;
  note: string;
  insert: string;
}

/** Names the node answers to beside the event's own fields. */
const SHORT = ['ip', 'port', 'sid'];

export function QueryBox(p: {
  id: string;
  value: string;
  onSubmit(q: string): void;
  placeholder: string;
  label: string;
  error?: { position: number; message: string } | null;
  big?: boolean;
}) {
  const [text, setText] = useState(p.value);
  const [choices, setChoices] = useState<Choice[]>([]);
  const [at, setAt] = useState(-1);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const asking = useRef<AbortController | null>(null);
  useEffect(() => setText(p.value), [p.value]);

  const suggest = (q: string, caret: number) => {
    asking.current?.abort();
    const head = q.slice(0, caret);
    const val = /(?:^|[\s(-])([a-zA-Z_][\w.]*):("?[^\s"()]*)$/.exec(head);
    if (val) {
      const ctl = new AbortController();
      asking.current = ctl;
      const [, name, part] = val;
      setTimeout(() => {
        if (ctl.signal.aborted) return;
        api<Top>(url('/events/top', { field: name, limit: 50, from: from.value, to: to.value }), { signal: ctl.signal }).then(
          (r) => {
            const want = part.replace(/^"/, '').toLowerCase();
            const list = r.values
              .filter((v) => String(v.value).toLowerCase().includes(want))
              .slice(0, 8)
              .map((v) => ({ text: String(v.value), note: String(v.count), insert: head.slice(0, caret - part.length) + quote(v.value) }));
            setChoices(list);
            setOpen(list.length > 0);
            setAt(-1);
          },
          () => undefined,
        );
      }, 120);
      return;
    }
    const word = /(?:^|[\s(-])([a-zA-Z_][\w.]*)$/.exec(head);
    if (!word || !catalogue.value) {
      setOpen(false);
      return;
    }
    const want = word[1].toLowerCase();
    const names = [
      ...SHORT.map((name) => ({ name, help: t('query.short.' + name) })),
      ...catalogue.value.fields.filter((f) => f.type !== 'object').map((f) => ({ name: f.name, help: pick(f.help) })),
    ];
    const score = (n: string) => (n.startsWith(want) ? 0 : n.split(/[._]/).some((s) => s.startsWith(want)) ? 1 : n.includes(want) ? 2 : 9);
    const list = names
      .map((f) => ({ f, s: score(f.name) }))
      .filter((z) => z.s < 9)
      .sort((x, y) => x.s - y.s || x.f.name.length - y.f.name.length)
      .slice(0, 8)
      .map(({ f }) => ({ text: f.name, note: f.help, insert: head.slice(0, caret - word[1].length) + f.name + ':' }));
    setChoices(list);
    setOpen(list.length > 0);
    setAt(-1);
  };

  const take = (c: Choice) => {
    const el = input.current!;
    const rest = text.slice(el.selectionStart ?? text.length);
    const next = c.insert + (c.insert.endsWith(':') || rest.startsWith(' ') ? rest : rest ? ' ' + rest : '');
    setText(next);
    setOpen(false);
    requestAnimationFrame(() => {
      el.focus();
      el.setSelectionRange(c.insert.length, c.insert.length);
      if (c.insert.endsWith(':')) suggest(next, c.insert.length);
    });
  };

  const submit = () => {
    setOpen(false);
    asking.current?.abort();
    p.onSubmit(text.trim());
  };

  const err = p.error && text.trim() === p.value.trim() ? p.error : null;
  return (
    <div class={`querybox ${p.big ? 'big' : ''} ${err ? 'bad' : ''}`}>
      {err && (
        <div class="query-mirror" aria-hidden="true" ref={mirror}>
          {text.slice(0, err.position)}
          <u>{(text + ' ').slice(err.position).match(/^\s*\S*/)?.[0] || ' '}</u>
        </div>
      )}
      <input
        ref={input}
        id={p.id}
        type="text"
        value={text}
        placeholder={p.placeholder}
        aria-label={p.label}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={p.id + '-list'}
        aria-activedescendant={open && at >= 0 ? `${p.id}-o${at}` : undefined}
        aria-invalid={err ? 'true' : undefined}
        aria-describedby={err ? p.id + '-err' : undefined}
        autocomplete="off"
        spellcheck={false}
        onScroll={(e) => mirror.current && (mirror.current.scrollLeft = e.currentTarget.scrollLeft)}
        onFocus={loadCatalogue}
        onInput={(e) => {
          setText(e.currentTarget.value);
          suggest(e.currentTarget.value, e.currentTarget.selectionStart ?? 0);
        }}
        onBlur={() => setTimeout(() => setOpen(false), 120)}
        onKeyDown={(e) => {
          if (open && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
            e.preventDefault();
            setAt((i) => (i + (e.key === 'ArrowDown' ? 1 : -1) + choices.length + (i < 0 && e.key === 'ArrowUp' ? 1 : 0)) % choices.length);
          } else if (open && (e.key === 'Tab' || e.key === 'Enter') && at >= 0) {
            e.preventDefault();
            take(choices[at]);
          } else if (open && e.key === 'Tab' && !e.shiftKey && choices.length) {
            e.preventDefault();
            take(choices[0]);
          } else if (e.key === 'Enter') {
            e.preventDefault();
            submit();
          } else if (e.key === 'Escape') {
            e.preventDefault();
            e.stopPropagation();
            if (open) setOpen(false);
            else e.currentTarget.blur();
          }
        }}
      />
      {!text && <kbd aria-hidden="true">/</kbd>}
      <ul class="choices" id={p.id + '-list'} role="listbox" aria-label={t('query.choices')} hidden={!open}>
        {choices.map((c, i) => (
          <li
            key={c.insert}
            id={`${p.id}-o${i}`}
            role="option"
            aria-selected={i === at}
            onPointerDown={(e) => {
              e.preventDefault();
              take(c);
            }}
          >
            <span class="mono">{c.text}</span>
            <span class="note">{c.note}</span>
          </li>
        ))}
      </ul>
      {err && (
        <p class="query-error" id={p.id + '-err'} role="alert">
          {t('query.error', { n: err.position + 1 })} {err.message}
        </p>
      )}
    </div>
  );
}
