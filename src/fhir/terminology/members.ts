/** The codes of a value set by their systems ('' where there is none); `all`: whatever the system has. */
export type Members = ReadonlyMap<string, ReadonlySet<string> | 'all'>;

/** What is in any of them. */
export function union(all: readonly Members[]): Members {
  const found = new Map<string, Set<string> | 'all'>();
  for (const [system, codes] of all.flatMap(members => [...members])) {
    const before = found.get(system) ?? new Set();
    if (codes === 'all' || before === 'all') found.set(system, 'all');
    else {
      for (const code of codes) before.add(code);
      found.set(system, before);
    }
  }
  return found;
}

/** What is in both. */
export function intersection(one: Members, other: Members): Members {
  const found = new Map<string, ReadonlySet<string> | 'all'>();
  for (const [system, codes] of one) {
    const more = other.get(system);
    if (more === undefined) continue;
    found.set(system, codes === 'all' ? more : more === 'all' ? codes : codes.intersection(more));
  }
  return found;
}

/** What is in the first and not in the second. `list` is asked for the codes of a system, where all of them but some are left. */
export function difference(one: Members, other: Members, list: (system: string) => ReadonlySet<string>): Members {
  const found = new Map<string, ReadonlySet<string> | 'all'>();
  for (const [system, codes] of one) {
    const less = other.get(system) ?? new Set();
    if (less !== 'all') found.set(system, less.size === 0 ? codes : (codes === 'all' ? list(system) : codes).difference(less));
  }
  return found;
}
