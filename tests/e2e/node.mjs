// SPDX-License-Identifier: Apache-2.0
// A real node on a folder of its own: started, killed, started again; asked over its Unix socket as the
// folder's owner, so that what a page shows can be held against what the API says.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const builds = process.env.BUILD ? [process.env.BUILD] : ['build/check', 'build/release'];
const PROGRAM = builds.map((b) => resolve(ROOT, b, 'src/cli/daizong')).find(existsSync);
const LIBRARY = join(ROOT, 'build/third_party/libchdb/libchdb.so');

export const pause = (ms) => new Promise((r) => setTimeout(r, ms));

/** Asks again until `test` holds or the time is up; gives its last answer. */
export async function until(test, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    let got;
    try {
      got = await test();
    } catch {
      /* asked again */
    }
    if (got || Date.now() > end) return got;
    await pause(200);
  }
}

export class Node {
  constructor() {
    if (!PROGRAM) throw new Error(`no daizong in ${builds.join(' or ')}: make build`);
    this.data = mkdtempSync(join(tmpdir(), 'daizong-e2e-'));
    this.port = 0;
    this.password = '';
  }

  async start() {
    const env = { ...process.env };
    for (const k of ['DAIZONG_DATA', 'DAIZONG_LISTEN', 'DAIZONG_URL', 'DAIZONG_TOKEN']) delete env[k];
    if (existsSync(LIBRARY)) env.DAIZONG_LIBCHDB ??= LIBRARY;
    const log = openSync(join(this.data, 'stderr.log'), 'a');
    this.process = spawn(PROGRAM, ['up', '--data', this.data, '--listen', `127.0.0.1:${this.port}`, '--json'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', log] });
    this.ended = new Promise((r) => this.process.on('exit', (code, sig) => r(sig ?? code)));
    const line = await Promise.race([
      new Promise((r) => createInterface(this.process.stdout).once('line', r)),
      this.ended.then((code) => Promise.reject(new Error(`the node ended with ${code}: ${this.log()}`))),
    ]);
    const hello = JSON.parse(line);
    this.url = hello.url.replace(/\/$/, '');
    this.port = Number(new URL(this.url).port);
    this.password = hello.password || this.password;
    if (!(await until(async () => (await this.get('/health')).store.state === 'ready'))) throw new Error('the store did not get ready');
    return this;
  }

  log() {
    return readFileSync(join(this.data, 'stderr.log'), 'utf8').slice(-2000);
  }

  async stop(how = 'SIGTERM') {
    this.process.kill(how);
    return this.ended;
  }

  remove() {
    rmSync(this.data, { recursive: true, force: true });
  }

  request(method, path, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((done, fail) => {
      const rq = http.request({ socketPath: join(this.data, 'daizong.sock'), path, method, headers: text ? { 'Content-Type': 'application/json' } : {} }, (r) => {
        let all = '';
        r.setEncoding('utf8').on('data', (x) => (all += x)).on('end', () => done({ status: r.statusCode, text: all }));
      });
      rq.on('error', fail).end(text);
    });
  }

  /** An answer of the API; what is not 2xx is an error. */
  async get(path, query = {}) {
    const q = new URLSearchParams(query).toString();
    const r = await this.request('GET', '/api/v1' + path + (q ? '?' + q : ''));
    if (r.status >= 300) throw new Error(`${path}: ${r.status} ${r.text.slice(0, 300)}`);
    return JSON.parse(r.text);
  }

  async send(method, path, body) {
    const r = await this.request(method, '/api/v1' + path, body);
    if (r.status >= 300) throw new Error(`${path}: ${r.status} ${r.text.slice(0, 300)}`);
    return r.text ? JSON.parse(r.text) : null;
  }

  /** One figure of /metrics. */
  async metric(name) {
    const r = await this.request('GET', '/metrics');
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(r.text)?.[1] ?? NaN);
  }
}

/** A copy of a pcap file (microseconds, little endian) whose last packet is of `end` (ms since the epoch). */
export function moved(bytes, end = Date.now()) {
  const b = Buffer.from(bytes);
  if (b.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('not a pcap file of microseconds');
  const at = [];
  for (let i = 24; i + 16 <= b.length; i += 16 + b.readUInt32LE(i + 8)) at.push(i);
  const time = (i) => b.readUInt32LE(i) * 1e6 + b.readUInt32LE(i + 4);
  const shift = Math.floor(end * 1000) - Math.max(...at.map(time));
  for (const i of at) {
    const us = time(i) + shift;
    b.writeUInt32LE(Math.floor(us / 1e6), i);
    b.writeUInt32LE(us % 1e6, i + 4);
  }
  return b;
}
