// SPDX-License-Identifier: Apache-2.0
// What to do about an alert whose rule brings no advice of its own: by ATT&CK technique first, by the words of
// its category or name second, else the general order of work.
import { t } from '../app/i18n';
import type { Group } from '../app/types';

export function advice(g: Group): string {
  const tech = (g.techniques[0] ?? '').split('.')[0];
  const words = (g.category + ' ' + g.signature).toLowerCase();
  const has = (...list: string[]) => list.some((w) => words.includes(w));
  const args = { src: g.src_ip, dest: g.dest_ip };
  if (tech === 'T1110' || has('brute', 'password guess', 'login attempt')) return t('advice.brute', args);
  if (tech === 'T1046' || tech === 'T1595' || has('scan', 'reconnaissance', 'sweep')) return t('advice.scan', args);
  if (tech === 'T1505' || has('web shell', 'webshell')) return t('advice.webshell', args);
  if (tech === 'T0855' || tech === 'T0836' || has('modbus', 'ics', 's7comm', 'industrial')) return t('advice.ics', args);
  if (tech === 'T1071' || tech === 'T1572' || has('trojan', 'malware', 'command and control', 'c2', 'tunnel', 'botnet')) return t('advice.c2', args);
  if (tech === 'T1041' || tech === 'T1048' || has('exfil', 'sensitive data', 'clear text', 'cleartext')) return t('advice.leak', args);
  if (tech === 'T1190' || has('web application', 'sql injection', 'exploit', 'privilege gain', 'attempted admin')) return t('advice.exploit', args);
  if (has('policy', 'corporate privacy', 'not suspicious')) return t('advice.policy', args);
  return t('advice.other', args);
}
