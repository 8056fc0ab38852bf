/** Refused requests of one address in one minute. */
export interface Refusals {
  readonly address: string;
  readonly count: number;
  /** When the first of them came, epoch ms. */
  readonly since: number;
}
const MINUTE = 60_000;
/** More addresses than this share one line, so that a flood cannot fill the memory. */
const ADDRESSES = 1000;

export interface RefusalCount {
  note(address: string, now: number): void;
  /** What is a minute old, or (`all`) everything, taken out. */
  due(now: number, all?: boolean): readonly Refusals[];
}

/** Requests without a valid token are summed up per address and minute: a flood of them is a line in the log, not a flood of lines. */
export function countRefusals(): RefusalCount {
  const counts = new Map<string, { count: number; since: number }>();
  return {
    note(address, now) {
      const name = counts.has(address) || counts.size < ADDRESSES ? address : 'many addresses';
      const entry = counts.get(name);
      if (entry === undefined) counts.set(name, { count: 1, since: now });
      else entry.count++;
    },
    due(now, all = false) {
      const due = [...counts].filter(([, { since }]) => all || since + MINUTE <= now);
      for (const [address] of due) counts.delete(address);
      return due.map(([address, entry]) => ({ address, ...entry }));
    },
  };
}
