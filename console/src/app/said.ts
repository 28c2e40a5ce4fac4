// SPDX-License-Identifier: Apache-2.0
// The node writes its messages in English. What a reader meets often is said in the reader's language too: the
// mistakes of a query, and for the rest what kind of failure it was; the node's own words stay beside it.
import { lang, t } from './i18n';

const MISTAKES: [RegExp, string][] = [
  [/^there is no field (?<name>\S+); did you mean (?<near>\S+)\?$/, 'said.nearfield'],
  [/^there is no field (?<name>\S+)$/, 'said.nofield'],
  [/^the quote is not closed$/, 'said.quote'],
  [/^the parenthesis is not closed$/, 'said.paren'],
  [/^the range is not closed$/, 'said.range'],
  [/^a range is written /, 'said.rangeform'],
  [/^a value is missing/, 'said.novalue'],
  [/^the group is empty$/, 'said.emptygroup'],
  [/^(?<name>.+) is not a whole number$/, 'said.number'],
  [/^(?<name>.+) is not an address or network/, 'said.address'],
  [/^(?<name>.+) is not a time /, 'said.time'],
  [/^(?<name>.+) is not true or false$/, 'said.bool'],
  [/^the query is (too large|longer|nested)/, 'said.large'],
];

/** A failure that is no mistake of the reader's, by its status. */
const KINDS: Record<number, string> = { 403: 'said.403', 409: 'said.409', 413: 'said.413', 429: 'said.429', 500: 'said.500', 503: 'said.503', 504: 'said.504', 507: 'said.507' };

export function said(status: number, message: string): string {
  if (lang.value === 'en') return message;
  for (const [re, key] of MISTAKES) {
    const m = re.exec(message);
    if (m) return t(key, m.groups ?? {});
  }
  const kind = KINDS[status];
  return kind ? t(kind) + (message ? `（${message}）` : '') : message;
}
