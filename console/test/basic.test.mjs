// SPDX-License-Identifier: Apache-2.0
// Logging in and out, language and theme without a reload.
import test from 'node:test';
import assert from 'node:assert/strict';
import { context, launch, node, open, PASSWORD, settled, USER } from './env.mjs';

const browser = await launch();
const n = await node();
test.after(async () => {
  await browser.close();
  await n.close();
});

test('login: wrong password is said, the right one leads to the page asked for, logout leads back', async () => {
  const c = await context(browser, n, { login: false, lang: 'en' });
  const p = await open(c, n, '/inbox');
  await p.fill('input[name=username]', USER);
  await p.fill('input[name=password]', 'certainly-wrong');
  await p.keyboard.press('Enter');
  await p.getByText('The user name or the password is wrong').waitFor();
  await p.fill('input[name=password]', PASSWORD);
  await p.keyboard.press('Enter');
  await p.getByRole('heading', { name: 'Alert inbox', level: 1 }).waitFor();
  assert.equal(new URL(p.url()).pathname, '/inbox');
  await p.locator('.user-btn').click();
  await p.getByRole('menuitem', { name: 'Log out' }).click();
  await p.locator('input[name=password]').waitFor();
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('language and theme switch without reload and are remembered', async () => {
  const c = await context(browser, n);
  const p = await open(c, n, '/overview');
  await p.evaluate(() => (window.stillHere = true));
  assert.equal(await p.locator('h1').innerText(), '总览');
  await p.getByRole('button', { name: /switch to English/ }).click();
  await p.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  assert.equal(await p.evaluate(() => document.documentElement.lang), 'en');
  await p.getByRole('button', { name: 'Switch to dark' }).click();
  assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.equal(await p.evaluate(() => window.stillHere), true);
  await p.reload();
  await settled(p);
  assert.equal(await p.locator('h1').innerText(), 'Overview');
  assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.deepEqual(p.problems, []);
  await c.close();
});
