// SPDX-License-Identifier: Apache-2.0
// "Add data": the first run's three ways, reachable at any time.
import { StartPanel } from './startpanel';

export function Start() {
  return <StartPanel />;
}
