// SPDX-License-Identifier: Apache-2.0
// The node's answers as the console uses them (API version 1).
export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';
export const SEVERITIES: Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

export type Pair = { en?: string; zh?: string };
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Event = Record<string, any>;

export interface Session {
  user: { name: string; role: string; language?: string };
  csrf: string;
  unit?: { id: string; name: string };
  units?: { id: string; name: string }[];
}

export interface Series {
  key: string;
  values: number[];
}

export interface TopItem {
  value: string | number;
  count: number;
  sum?: number;
  bytes?: number;
  signature_id?: number;
  severity?: Severity;
}

export interface Overview {
  totals: {
    events: number;
    alerts: number;
    open_groups: number;
    critical: number;
    hosts: number;
    sensors_online: number;
    sensors_total: number;
    /** Sensors of replays and files that have ended. */
    sensors_done?: number;
    bytes: number;
    packets: number;
  };
  previous: { alerts: number; events: number; open_groups: number };
  alerts: { times: number[]; interval_s: number; series: Series[] };
  traffic: { times: number[]; interval_s: number; to_server: number[]; to_client: number[] };
  top_sources: TopItem[];
  top_targets: TopItem[];
  top_signatures: TopItem[];
  protocols: TopItem[];
  as_of: string;
  lost: { packets: number; events: number };
  took_ms: number;
}

export interface Group {
  id: string;
  status: 'new' | 'archived' | 'escalated';
  severity: Severity;
  signature: string;
  signature_id: number;
  category: string;
  src_ip: string;
  dest_ip: string;
  count: number;
  first: string;
  last: string;
  spark: number[];
  techniques: string[];
  app_proto?: string;
  sensor?: string;
  note?: string | null;
  decided_by?: string | null;
  decided_at?: string | null;
}

export interface GroupList {
  groups: Group[];
  next_cursor: string | null;
  totals: { groups: number; alerts: number; more?: boolean; by_severity: Partial<Record<Severity, number>> };
}

export interface GroupDetail {
  group: Group;
  rule: {
    text?: string;
    file?: string;
    line?: number;
    what: Pair | null;
    todo: Pair | null;
    references: { url: string }[];
  } | null;
  samples: Event[];
  around: { times: number[]; interval_s?: number; series: Series[] };
  history: { at: string; by: string; action: string; note?: string | null }[];
}

export interface FieldInfo {
  name: string;
  type: string;
  event?: string;
  column?: boolean;
  help?: Pair;
}

export interface Catalogue {
  fields: FieldInfo[];
  events: { name: string; title: Pair }[];
}

export interface Histo {
  from: string;
  to: string;
  interval_s: number;
  series: Series[];
  times: number[];
  total: number;
  took_ms: number;
}

export interface EventList {
  events: Event[];
  next_cursor: string | null;
  took_ms: number;
}

export interface Top {
  field: string;
  values: TopItem[];
  other: number;
  distinct: number;
  took_ms: number;
}

export interface HostRow {
  ip: string;
  names: string[];
  first: string;
  last: string;
  events: number;
  alerts: number;
  bytes_in: number;
  bytes_out: number;
  services: { proto: string; port: number; app_proto?: string }[];
  internal: boolean;
}

export interface HostDetail {
  ip: string;
  internal: boolean;
  names: { name: string; source: string; count: number; last: string }[];
  services: {
    proto: string;
    port: number;
    app_proto?: string;
    flows: number;
    bytes: number;
    first: string;
    last: string;
    detail?: string;
  }[];
  software: { name: string; source: string; count: number; last: string }[];
  macs: string[];
  peers: { ip: string; flows: number; bytes: number }[];
  totals: { flows: number; alerts: number; bytes_in: number; bytes_out: number; first: string; last: string };
  alerts: Group[];
  timeline: { times: number[]; interval_s: number; series: Series[] };
}

export interface Sensor {
  id: string;
  /** What people call it, where that is not its id. */
  name?: string;
  unit?: string;
  version?: string;
  state: 'online' | 'stale' | 'offline' | 'done';
  source?: string;
  started?: string;
  last_seen?: string;
  rates: { packets_per_s: number; bits_per_s: number; events_per_s: number };
  totals: { packets: number; bytes: number; events: number; alerts: number };
  loss: { stage: string; reason: string; packets?: number; bytes?: number; events?: number; help?: Pair }[];
  ledger?: { seen: number; carried: number; lost: number; reconciles: boolean };
  rules?: { loaded: number; failed: number };
}

export interface Job {
  id: string;
  kind: string;
  name: string;
  state: 'queued' | 'running' | 'done' | 'failed';
  progress: number;
  detail?: string;
  events?: number;
  alerts?: number;
  error?: string | { message?: string; hint?: string };
}

export interface Health {
  status: 'ok' | 'starting' | 'degraded' | 'down';
  version: string;
  uptime_s: number;
  store: { state: string; backend: string; restarts: number; detail?: string };
  ingest: { events_per_s: number; queued: number; last_event?: string | null; lag_s?: number | null; quarantined: number };
  disk: { free_bytes: number; data_bytes: number };
}
