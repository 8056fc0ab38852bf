import { Buffer } from 'node:buffer';

// What a MongoDB filter means for one document, as far as the store writes such filters: for tests that run without a server.
type Members = Readonly<Record<string, unknown>>;

/** Whether the document passes the filter. */
export const passesFilter = (filter: Members, document: unknown): boolean => Object.entries(filter).every(([name, test]) => passesMember(name, test, document));

function passesMember(name: string, test: unknown, document: unknown): boolean {
  const filters = test as readonly Members[];
  switch (name) {
    case '$and':
      return filters.every(each => passesFilter(each, document));
    case '$or':
      return filters.some(each => passesFilter(each, document));
    case '$nor':
      return !filters.some(each => passesFilter(each, document));
    case '$expr':
      return evaluated(test, { ROOT: document }) === true;
    default:
      return passesTests(test, at(name.split('.'), document), (document as Members)[name]);
  }
}
/** All values under a path: those of an array by themselves. */
function at([name, ...rest]: readonly string[], value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(each => at([name!, ...rest], each));
  const member = (value as Members | undefined)?.[name!];
  if (rest.length > 0) return member === undefined ? [] : at(rest, member);
  return Array.isArray(member) ? member : member === undefined ? [] : [member];
}
function passesTests(test: unknown, values: readonly unknown[], whole: unknown): boolean {
  if (typeof test !== 'object' || test === null) return values.some(value => value === test);
  return Object.entries(test as Members).every(([how, operand]) => {
    if (how === '$elemMatch') {
      const scalar = Object.keys(operand as Members)[0]!.startsWith('$');
      return Array.isArray(whole) && whole.some(each => (scalar ? passesTests(operand, [each], each) : passesFilter(operand as Members, each)));
    }
    if (how === '$all') return (operand as readonly unknown[]).length > 0 && (operand as readonly unknown[]).every(each => values.includes(each));
    if (how === '$options') return true;
    return values.some(value => compares(how, value, operand, test as Members));
  });
}
function compares(how: string, value: unknown, operand: unknown, test: Members): boolean {
  if (how === '$in') return (operand as readonly unknown[]).includes(value);
  // Values of different types are not compared.
  if (typeof value !== (how === '$regex' ? 'string' : typeof operand)) return false;
  switch (how) {
    case '$regex':
      return new RegExp(String(operand), `u${test.$options ?? ''}`).test(String(value));
    case '$gte':
      return order(value, operand) >= 0;
    case '$gt':
      return order(value, operand) > 0;
    case '$lte':
      return order(value, operand) <= 0;
    case '$lt':
      return order(value, operand) < 0;
    default:
      throw new Error(`${how} is not evaluated`);
  }
}
/** Texts are ordered by their bytes, which is by code points. */
const order = (one: unknown, other: unknown): number =>
  typeof one === 'string' ? Buffer.compare(Buffer.from(one), Buffer.from(String(other))) : Number(one) - Number(other);

/** The value of an aggregation expression. */
export function evaluated(expression: unknown, variables: Members): unknown {
  if (typeof expression === 'string' && expression.startsWith('$')) {
    const [name = '', ...path] = expression.startsWith('$$') ? expression.slice(2).split('.') : ['ROOT', ...expression.slice(1).split('.')];
    return path.reduce<unknown>((value, member) => (value as Members | undefined)?.[member], variables[name]);
  }
  if (Array.isArray(expression)) return expression.map(each => evaluated(each, variables));
  if (typeof expression !== 'object' || expression === null) return expression;
  const [operator, operand] = Object.entries(expression as Members)[0]!;
  if (operator === '$map' || operator === '$filter') {
    const { input, as, in: out, cond } = operand as { input: unknown; as: string; in?: unknown; cond?: unknown };
    const values = evaluated(input, variables) as readonly unknown[];
    const each = (what: unknown, value: unknown): unknown => evaluated(what, { ...variables, [as]: value });
    return operator === '$map' ? values.map(value => each(out, value)) : values.filter(value => each(cond, value) === true);
  }
  const evaluate = operators[operator];
  if (evaluate === undefined) throw new Error(`${operator} is not evaluated`);
  return evaluate(evaluated(operand, variables) as readonly unknown[]);
}
/** A missing value comes before all others, as null does. */
const rank = (one: unknown, other: unknown): number =>
  one === undefined || other === undefined ? Number(one !== undefined) - Number(other !== undefined) : order(one, other);
/** Nothing is reckoned with what is missing. */
const reckoned =
  (reckon: (one: number, other: number) => number) =>
  ([one, other]: readonly unknown[]): unknown =>
    typeof one === 'number' && typeof other === 'number' ? reckon(one, other) : undefined;
const operators: Readonly<Record<string, (operands: readonly unknown[]) => unknown>> = {
  $and: all => all.every(Boolean),
  $anyElementTrue: ([all]) => (all as readonly unknown[]).some(Boolean),
  $concat: all => all.join(''),
  $gte: ([one, other]) => rank(one, other) >= 0,
  $lte: ([one, other]) => rank(one, other) <= 0,
  $lt: ([one, other]) => rank(one, other) < 0,
  $add: reckoned((one, other) => one + other),
  $subtract: reckoned((one, other) => one - other),
  $multiply: reckoned((one, other) => one * other),
  $indexOfBytes: ([text, part]) => Buffer.from(String(text)).indexOf(String(part)),
  $strLenBytes: text => Buffer.byteLength(String(text)),
  $substrBytes: ([text, from, count]) =>
    Buffer.from(String(text))
      .subarray(Number(from), Number(from) + Number(count))
      .toString(),
  $max: all => best(all, 1),
  $min: all => best(all, -1),
  $concatArrays: all => all.flat(),
  $ifNull: all => all.find(one => one !== undefined && one !== null) ?? null,
};
const best = (all: readonly unknown[], sign: number): unknown =>
  all.reduce<unknown>((kept, one) => (kept === undefined || sign * rank(one, kept) > 0 ? one : kept), undefined);
