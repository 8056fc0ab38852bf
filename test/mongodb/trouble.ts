import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from './proxy.ts';

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes trouble of every kind, one after another, for so many milliseconds; none of it lasts longer than `longest`. Gives how often each was made. */
export async function makeTrouble(proxy: Wire, random: () => number, milliseconds: number, longest: number): Promise<Readonly<Record<string, number>>> {
  const made: Record<string, number> = {};
  const way = (): 'request' | 'answer' => (random() < 0.5 ? 'request' : 'answer');
  const kinds: Readonly<Record<string, () => void>> = {
    drop: () => proxy.drop(),
    'drop after some bytes': () => proxy.dropAfter(Math.floor(random() * 20_000), way()),
    'cut a commit': () => proxy.dropAt('commitTransaction', way()),
    swallow: () => proxy.swallow(),
    refuse: () => proxy.refuse(),
  };
  const names = Object.keys(kinds);
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    const kind = names[Math.floor(random() * names.length)]!;
    made[kind] = (made[kind] ?? 0) + 1;
    kinds[kind]!();
    await sleep(random() * (kind === 'swallow' || kind === 'refuse' ? longest : 300));
    proxy.heal();
    // Long enough, now and then, for it to be noticed.
    await sleep(random() * 1500);
  }
  return made;
}
