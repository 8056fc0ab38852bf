import type { Driver } from '../../src/store/sqlite/driver.ts';

type Values = Parameters<Driver['all']>[1][];

/** The driver, telling how SQLite goes about each statement that finds rows, and about those that count all of them. */
export function telling(driver: Driver, tell: (detail: string) => void): Driver {
  const explain = (text: string, values: Values): void => {
    for (const { detail } of driver.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, ...values)) tell(detail);
  };
  return {
    ...driver,
    all<Row>(text: string, ...values: Values) {
      explain(text, values);
      return driver.all<Row>(text, ...values);
    },
    each<Row>(text: string, ...values: Values) {
      explain(text, values);
      return driver.each<Row>(text, ...values);
    },
    get<Row>(text: string, ...values: Values) {
      // Those that choose a plan end at a bound.
      if (/^SELECT count/.test(text) && !/LIMIT CAST/.test(text)) explain(text, values);
      return driver.get<Row>(text, ...values);
    },
  };
}
