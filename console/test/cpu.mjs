// SPDX-License-Identifier: Apache-2.0
// What a page costs in CPU time of its main thread, which other work on the machine does not change; and whether
// the machine is quiet enough for the clock on the wall to say anything.
import { cpus, loadavg } from 'node:os';

export const quiet = () => loadavg()[0] < cpus().length * 0.7;

/** Asks for the milliseconds of CPU that the page's main thread took so far. Call before the page loads. */
export async function cpuOf(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.setTimeDomain', { timeDomain: 'threadTicks' });
  await cdp.send('Performance.enable');
  return async () => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value * 1000;
}
