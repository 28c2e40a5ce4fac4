// SPDX-License-Identifier: Apache-2.0
// The way in. Says where the first password is to be found, and how long to wait after too many tries.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ended, say, session, type ApiError } from '../app/api';
import { lang, t } from '../app/i18n';
import type { Session } from '../app/types';
import { Button } from '../ui/base';
import { LangButton, ThemeButton } from '../ui/frame';
import { Logo } from '../ui/icons';

export function Login() {
  const [user, setUser] = useState('admin');
  const [pass, setPass] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = t('login.title') + ' · ' + t('brand');
    field.current?.focus();
  }, [lang.value]);
  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    setBusy(true);
    setError('');
    try {
      const s = await api<Session>('/session', { method: 'POST', body: { username: user, password: pass } });
      ended.value = false;
      session.value = s.user ? s : await api<Session>('/session');
    } catch (x) {
      const err = x as ApiError;
      setError(
        err.status === 401 ? t('login.wrong')
        : err.status === 429 ? t('login.wait', { n: err.retryAfter ?? 60 })
        : say(err),
      );
      setPass('');
      field.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <div class="login-tools">
        <LangButton />
        <ThemeButton />
      </div>
      <form class="login-card" onSubmit={submit} aria-labelledby="login-title">
        <h1 id="login-title">
          <Logo /> {t('brand')}
        </h1>
        <p class="muted">{t('login.what')}</p>
        {ended.value && !error && (
          <p class="note-line" role="status">
            {t('login.ended')}
          </p>
        )}
        <label>
          {t('login.user')}
          <input name="username" autocomplete="username" required value={user} onInput={(e) => setUser(e.currentTarget.value)} />
        </label>
        <label>
          {t('login.password')}
          <input
            ref={field}
            name="password"
            type="password"
            autocomplete="current-password"
            required
            value={pass}
            onInput={(e) => setPass(e.currentTarget.value)}
            aria-invalid={error ? 'true' : undefined}
            aria-describedby={error ? 'login-error' : undefined}
          />
        </label>
        {error && (
          <p class="bad" role="alert" id="login-error">
            {error}
          </p>
        )}
        <Button type="submit" kind="primary" disabled={busy}>
          {busy ? t('login.busy') : t('login.go')}
        </Button>
        <p class="muted small">{t('login.first')}</p>
      </form>
    </main>
  );
}
