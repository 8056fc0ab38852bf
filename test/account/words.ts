/** A password that the rules take. */
export const good = 'violet teapot under seven moons';
export const minutes = (count: number): number => count * 60_000;
