// SPDX-License-Identifier: Apache-2.0
// The console's few line icons, 16 x 16, drawn with the text's colour, and the severity marks.
import type { Severity } from '../app/types';
import { t } from '../app/i18n';

const PATHS: Record<string, string> = {
  overview: 'M2.5 13.5V7M6.2 13.5V2.5M9.8 13.5V9M13.5 13.5V5',
  inbox: 'M2 9.5 4 3.5h8l2 6v3.5H2zM2 9.5h3.5l1 2h3l1-2H14',
  events: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 14 14',
  hosts: 'M2.5 3h11v7.5h-11zM5.5 13.5h5M8 10.5v3',
  sensors: 'M8 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM4.8 11.2a4.5 4.5 0 0 1 0-6.4M11.2 4.8a4.5 4.5 0 0 1 0 6.4M2.7 13.3a7.5 7.5 0 0 1 0-10.6M13.3 2.7a7.5 7.5 0 0 1 0 10.6',
  add: 'M8 2.5v8M4.8 7.3 8 10.5l3.2-3.2M2.5 13.5h11',
  system: 'M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M10 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4zM6 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M4 6.5 8 10.5l4-4',
  right: 'M6.5 4l4 4-4 4',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  theme: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z',
  user: 'M8 8.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14a5.5 5.5 0 0 1 11 0',
  copy: 'M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.5L13.5 6M13.5 2.5V6H10',
  columns: 'M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10',
  download: 'M8 2.5v8M4.8 7.3 8 10.5l3.2-3.2M2.5 13.5h11',
  zoomout: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 14 14M5 7h4',
  check: 'M3.5 8.5l3 3 6-7',
  filter: 'M2.5 3.5h11l-4.2 5v4l-2.6 1v-5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  star: 'M8 2.2l1.8 3.7 4 .5-2.9 2.8.7 4L8 11.3l-3.6 1.9.7-4L2.2 6.4l4-.5z',
  undo: 'M5.5 3.5 2.5 6.5l3 3M2.5 6.5h7a4 4 0 0 1 0 8H7',
};

export function Icon({ name, size = 16 }: { name: string; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
      {name === 'theme' && <path class="solid" d="M8 2a6 6 0 0 1 0 12z" />}
    </svg>
  );
}

const MARKS: Record<Severity, { d: string; open?: boolean }> = {
  critical: { d: 'M6 .5 11.5 6 6 11.5.5 6z' },
  high: { d: 'M6 1 11.5 10.8H.5z' },
  medium: { d: 'M6 11A5 5 0 1 0 6 1a5 5 0 0 0 0 10z' },
  low: { d: 'M1.3 2h9.4L6 10.2z', open: true },
  info: { d: 'M6 10.2a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4z', open: true },
};

/** Severity as colour, shape and word; `word={false}` keeps the word for screen readers alone. */
export function SeverityMark({ severity, word = true }: { severity: Severity; word?: boolean }) {
  const m = MARKS[severity] ?? MARKS.info;
  const text = t('severity.' + severity);
  return (
    <span class={`sev sev-${severity}`}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true" focusable="false" class={m.open ? 'open' : ''}>
        <path d={m.d} />
      </svg>
      <span class={word ? 'sev-word' : 'sr'}>{text}</span>
    </span>
  );
}

export function Logo() {
  return (
    <svg class="logo" width="20" height="18" viewBox="0 0 20 18" aria-hidden="true" focusable="false">
      <path d="M1.5 15.5 7.5 3.5l3.7 7.1L13.5 7l5 8.5z" />
      <path d="M7.5 10.5l3 5" />
    </svg>
  );
}
