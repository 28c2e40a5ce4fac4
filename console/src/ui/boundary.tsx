// SPDX-License-Identifier: Apache-2.0
// Keeps a page's mistake to that page: the frame stays, what went wrong is said and can be copied. Mistakes outside
// of drawing (handlers, promises) are told as a toast.
import { Component, type ComponentChildren } from 'preact';
import { t } from '../app/i18n';
import { Button, Card, Empty, PageHead } from './base';
import { toast } from './overlay';
import { copy } from './pivot';

interface Props {
  /** The page's name in the head. */
  title: string;
  children: ComponentChildren;
}

export class Boundary extends Component<Props, { error: Error | null }> {
  state = { error: null as Error | null };

  componentDidCatch(e: unknown): void {
    this.setState({ error: e instanceof Error ? e : new Error(String(e)) });
  }

  render() {
    const e = this.state.error;
    if (!e) return this.props.children;
    const all = `${location.href}\n${e.stack ?? e.message}`;
    return (
      <>
        <PageHead title={this.props.title} sub="" />
        <Card>
          <div role="alert">
            <Empty title={t('page.broken')}>
              <p class="mono">{e.message}</p>
              <p>{t('page.broken.what')}</p>
              <div class="row">
                <Button kind="primary" onClick={() => this.setState({ error: null })}>
                  {t('action.retry')}
                </Button>
                <Button onClick={() => void copy(all)}>{t('page.broken.copy')}</Button>
              </div>
            </Empty>
          </div>
        </Card>
      </>
    );
  }
}

/** Tells script errors that nothing caught; each text once in a while, lest a loop fill the screen. */
export function tellErrors(): void {
  let last = '';
  let at = 0;
  const tell = (what: string) => {
    if (!what || (what === last && Date.now() - at < 10000)) return;
    last = what;
    at = Date.now();
    toast(t('script.error', { what }), { bad: true });
  };
  // The browser reports its own notice this way, too; it is harmless.
  addEventListener('error', (e) => !/^ResizeObserver loop/.test(e.message) && tell(e.message));
  addEventListener('unhandledrejection', (e) => {
    const r = e.reason as { name?: string; message?: string } | undefined;
    if (r?.name !== 'AbortError') tell(String(r?.message ?? e.reason));
  });
}
