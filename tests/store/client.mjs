// SPDX-License-Identifier: Apache-2.0
// @clickhouse/client against the store: a line `ok …` or `not ok …` for each check.
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
const { createClient } = createRequire(import.meta.url)(process.argv[2]);

let bad = 0;
const check = (ok, what) => { if (!ok) bad++; console.log(`${ok ? 'ok' : 'not ok'} ${what}`); };
const same = (a, b, what) => check(JSON.stringify(a) === JSON.stringify(b), `${what}: ${JSON.stringify(a)}`);

for (const compression of [{ request: false, response: false }, { request: true, response: true }]) {
  const c = createClient({ url: process.env.STORE_URL, compression });
  check((await c.ping()).success, 'ping');
  await c.command({ query: 'CREATE OR REPLACE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a' });
  const ins = await c.insert({ table: 't', values: Array.from({ length: 1000 }, (_, i) => ({ a: i, s: `x${i}` })), format: 'JSONEachRow' });
  same(ins.summary?.written_rows, '1000', 'written rows');
  await c.insert({ table: 't', values: Readable.from(async function* () { for (let i = 0; i < 50000; i++) yield { a: 1000 + i, s: 'stream' }; }()), format: 'JSONEachRow' });
  await c.insert({ table: 't', values: Readable.from(['60000,"a, b"\n', '60001,c\n'], { objectMode: false }), format: 'CSV' });
  const json = await (await c.query({ query: 'SELECT count() AS n, max(a) AS m FROM t', format: 'JSON' })).json();
  same(json.data, [{ n: '51002', m: '60001' }].map((x) => (typeof json.data[0].n === 'number' ? { n: 51002, m: 60001 } : x)), 'JSON');
  const rows = await (await c.query({ query: 'SELECT a FROM t WHERE a < {n:UInt64} AND s = {s:String}', query_params: { n: 5, s: 'x3' }, format: 'JSONEachRow' })).json();
  check(rows.length === 1 && Number(rows[0].a) === 3, 'parameters');
  let n = 0;
  const rs = await c.query({ query: 'SELECT a, s FROM t', format: 'JSONCompactEachRow' });
  for await (const part of rs.stream()) n += part.length;
  same(n, 51002, 'stream');
  for (const [query, code] of [['SELEC 1', '62'], ['SELECT * FROM nope', '60'], ['SELECT nope FROM t', '47']]) {
    try { await c.query({ query }); check(false, `${query} did not fail`); } catch (e) { same(e.code, code, query); }
  }
  try {
    await c.insert({ table: 't', values: ['{"a":"x"}\n'].map((x) => JSON.parse(x)), format: 'JSONEachRow' });
    check(false, 'a bad row went in');
  } catch (e) { check(/CANNOT_PARSE|INCORRECT|Cannot parse/.test(`${e.type} ${e.message}`), `bad row: ${e.type}`); }
  try {
    const r = await c.query({ query: 'SELECT throwIf(number = 900000) FROM numbers(1000000)', format: 'JSONEachRow' });
    let seen = 0;
    for await (const part of r.stream()) seen += part.length;
    check(false, `an error in mid-stream was not seen after ${seen} rows`);
  } catch (e) { check(true, 'error in mid-stream'); }
  const own = await c.query({ query: 'SELECT 1', query_id: 'my-id-1', format: 'JSON' });
  same(own.query_id, 'my-id-1', 'query id');
  await c.close();
}
process.exit(bad ? 1 : 0);
