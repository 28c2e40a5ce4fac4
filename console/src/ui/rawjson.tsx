// SPDX-License-Identifier: Apache-2.0
// An event as JSON, for reading and copying.
import { t } from '../app/i18n';
import { Button } from './base';
import { copy } from './pivot';

export function RawJson({ value, label }: { value: unknown; label: string }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <>
      <pre class="json wrap" tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Button class="small" onClick={() => void copy(text)}>
        {t('pivot.copy')}
      </Button>
    </>
  );
}
