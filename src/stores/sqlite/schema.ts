// The tables, as an ordered list of steps. `pragma user_version` counts the steps that a file has had.

/** Each is run once, in order, in one transaction with the others that are due. Never change one that was released: append. */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row: the control document.
  create table control (id integer primary key, body text not null);

  -- Issuances in order of arrival. seq is counted by the control document. names and ips are JSON lists, as hostile as they come.
  create table issuances (
    seq integer primary key, tbs blob not null, names text not null, ips text, issuer text,
    not_before integer not null, not_after integer not null, seen_at integer not null, source text not null, rang integer not null
  );
  -- Which are known: the unique key, 32 bytes. Issuances of baselines under way are not in it yet: a hundred random places of it for each page of
  -- the API would cost a baseline more than all the rest. They are sorted in at its end, or when there are many.
  create table known (tbs blob primary key) without rowid;

  create table alerts (
    seq integer primary key autoincrement, kind text not null, id text not null, body text not null, at integer not null, unique (kind, id)
  );
  -- One row for each alert and sink. message is null until it is composed.
  create table deliveries (sink text not null, seq integer not null, message integer, primary key (sink, seq)) without rowid;
  create index deliveries_queue on deliveries (sink, seq) where message is null;
  create index deliveries_message on deliveries (message);
  -- state is 'open', 'parked' or 'delivered'. composed is emptied on delivery.
  create table messages (
    id integer primary key autoincrement, sink text not null, state text not null, composed text not null, attempts integer not null,
    created_at integer not null, attempted_at integer, parked_until integer, answer text
  );
  create index messages_undelivered on messages (sink, state, id) where state <> 'delivered';
  `,
  `
  -- Small texts by name: the state of each log, the log lists.
  create table documents (name text primary key, body text not null) without rowid;
  `,
  `
  -- The certificate itself, seen after the alert that its precertificate made.
  create table finals (seq integer primary key, body text not null);
  `,
  `
  -- How many names and IP addresses there were, as a JSON list of two numbers, null for what is whole; null of nearly all issuances.
  alter table issuances add column counts text;
  `,
]

export interface IssuanceRow {
  readonly seq: number
  readonly tbs: Uint8Array
  readonly names: string
  readonly ips: string | null
  readonly issuer: string | null
  readonly not_before: number
  readonly not_after: number
  readonly seen_at: number
  readonly source: string
  readonly rang: number
  /** Not there in a state that was not opened for writing since there is such a column. */
  readonly counts?: string | null
}

export interface MessageRow {
  readonly id: number
  readonly sink: string
  readonly state: 'open' | 'parked' | 'delivered'
  readonly composed: string
  readonly attempts: number
  readonly parked_until: number | null
}
